"""Means of weights: of one training's steps (an exponential moving average), or of several models (a soup)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from torch import Tensor, nn


class MovingAverage:
    """The exponential moving average of a model's parameters; buffers are as they are now.

    Example:
        >>> layer = torch.nn.Linear(1, 1, bias=False)
        >>> _ = torch.nn.init.constant_(layer.weight, 0.0)
        >>> average = MovingAverage(layer, decay=0.75)
        >>> _ = torch.nn.init.constant_(layer.weight, 1.0)
        >>> average.update()
        >>> average.values["weight"].item()
        0.25
    """

    def __init__(self, model: nn.Module, decay: float) -> None:
        self._parameters = dict(model.named_parameters())
        self._decay = decay
        self.values: dict[str, Tensor] = {name: value.detach().clone() for name, value in self._parameters.items()}

    @torch.no_grad()
    def update(self) -> None:
        """Move towards the parameters of now, by 1 - decay of the way."""
        for name, value in self._parameters.items():
            self.values[name].lerp_(value.detach(), 1 - self._decay)


def soup(models: Sequence[Mapping[str, Tensor]]) -> dict[str, Tensor]:
    """Return the uniform mean of models' weights (Wortsman et al. 2022, "Model soups", section 2).

    Whole numbers (counters, vocabularies) are those of the first.

    Args:
        models: state dicts of one architecture.

    Raises:
        ValueError: they have other names or shapes.
    """
    first = models[0]
    shapes = [{name: value.shape for name, value in model.items()} for model in models]
    if any(other != shapes[0] for other in shapes):
        raise ValueError("the models have not the same parameters")
    return {name: _mean(model[name] for model in models) for name in first}


def _mean(values: Iterable[Tensor]) -> Tensor:
    found = list(values)
    if not found[0].is_floating_point():
        return found[0]
    return torch.stack([value.double() for value in found]).mean(dim=0).to(found[0].dtype)
