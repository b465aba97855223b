"""The objectives that predict the caption from the image: each pair has a loss of its own, and a batch their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

from torch import nn

from witbuild.train.model import context_length, normalised

if TYPE_CHECKING:
    from torch import Tensor

    from witbuild.train.batch import Batch
    from witbuild.train.predictor import Predictor
    from witbuild.train.world import World

_NARROWEST_HEAD = 32


class Predictive(nn.Module):
    """The mean over all predictions of a batch: of words for `caption` and `virtex`, of captions for `bow`."""

    def rows(self, model: nn.Module, batch: Batch) -> tuple[Tensor, ...]:
        """Return each pair's loss, and how many predictions it is of."""
        predictor = cast("Predictor", model)
        return predictor.reader.losses(predictor.see(normalised(batch.pixels)), batch.tokens)

    def shared(self, model: nn.Module) -> tuple[Tensor, ...]:
        """Return nothing."""
        return ()

    def loss(self, rows: tuple[Tensor, ...], shared: tuple[Tensor, ...], world: World) -> Tensor:
        """Return this process's share of the loss."""
        losses, counts = rows
        return losses.sum() / world.total(counts.sum()).clamp(min=1)


def configured(config: dict[str, Any], name: str, vocabulary: int) -> dict[str, Any]:
    """Return a model's configuration with a head instead of its text encoder, as wide as that.

    Args:
        config: with a text_cfg.
        name: bow, caption (as deep as the text encoder; two layers in place of one without layers) or virtex (one
            layer, which is what its authors found to do as well as more: Desai and Johnson 2021, section 4.3).
        vocabulary: how many words are predicted.

    Example:
        >>> from witbuild.train.model import TINY
        >>> configured(TINY, "virtex", 99)["head_cfg"]["decoder"]["layers"]
        1
    """
    if name == "bow":
        return config | {"head_cfg": {"words": {"vocabulary": vocabulary}}}
    text = config["text_cfg"]
    width = int(text.get("width") or text["bag_of_words"]["width"])
    decoder = {
        "vocabulary": vocabulary,
        "directions": 2 if name == "virtex" else 1,
        "width": width,
        "layers": 1 if name == "virtex" else int(text.get("layers", 2)),
        "heads": int(text.get("heads", max(1, width // _NARROWEST_HEAD))),
        "context_length": context_length(config),
    }
    return config | {"head_cfg": {"decoder": decoder}}
