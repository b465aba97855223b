"""A step by pieces: gradients equal those of the whole batch, the temperature's too; open_clip's is k times it."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")
open_clip_loss = pytest.importorskip("open_clip.loss")
pytestmark = pytest.mark.train

from tests.train import small  # noqa: E402
from witbuild.train import objectives  # noqa: E402
from witbuild.train.batch import Batch  # noqa: E402
from witbuild.train.model import build, normalised  # noqa: E402
from witbuild.train.step import Contrastive, Encoder, Gradients  # noqa: E402
from witbuild.train.world import ALONE  # noqa: E402

torch.set_num_threads(1)


def stepped(batch: Batch, micro: int, model: Any, objective: Any = None) -> tuple[float, dict[str, Tensor]]:
    """Loss and gradients of a step done in pieces of `micro` pairs."""
    objective = objective or Contrastive()
    encoder = Encoder(model, objective)
    torch.manual_seed(3)
    loss = Gradients(encoder, objective, ALONE).add(list(batch.pieces(micro)))
    return loss.item(), small.gradients(encoder)


@pytest.mark.parametrize("micro", [16, 7, 1])
@pytest.mark.parametrize("name", ["clip", "siglip", "unicl"])
def test_pieces_have_the_gradients_of_the_whole(micro: int, name: str) -> None:
    config = objectives.configured(small.CONFIG, name, 100)
    batch, objective = small.batch(32), objectives.OBJECTIVES[name](0.5)
    loss, whole = stepped(batch, 32, small.model(config=config), objective)
    cut_loss, cut = stepped(batch, micro, small.model(config=config), objective)
    assert cut_loss == pytest.approx(loss, abs=1e-5)
    assert cut.keys() == whole.keys() and "model.logit_scale" in whole
    for key, value in whole.items():
        torch.testing.assert_close(cut[key], value, atol=1e-5, rtol=1e-4, msg=key)


def test_dropout_is_drawn_again_as_it_was() -> None:
    config = small.CONFIG | {"vision_cfg": small.CONFIG["vision_cfg"] | {"patch_dropout": 0.5}}
    batch = small.batch(12)
    first, again = (stepped(batch, 4, small.model(config=config)) for _ in range(2))
    assert first[0] == again[0]
    model = small.model(config=config)
    # the same pieces, each with its own draw, as one graph: what the pieces must come to
    torch.manual_seed(3)
    rows = [Contrastive().rows(model, piece) for piece in batch.pieces(4)]
    images, texts = (torch.cat(column) for column in zip(*rows, strict=True))
    loss = Contrastive().loss((images, texts), Contrastive().shared(model), ALONE)
    loss.backward()
    assert loss.item() == pytest.approx(first[0], abs=1e-6)
    for key, value in small.gradients(model).items():
        torch.testing.assert_close(first[1][f"model.{key}"], value, atol=1e-5, rtol=1e-4, msg=key)


def test_pieces_leave_batch_norm_where_one_pass_over_them_does() -> None:
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "plain_conv": {"width": 4}},
        "text_cfg": small.CONFIG["text_cfg"],
    }
    batch, model, other = small.batch(12), build(config, 0).train(), build(config, 0).train()
    stepped(batch, 4, model)
    with torch.no_grad():
        for piece in batch.pieces(4):
            other.encode_image(normalised(piece.pixels))
    found, expected = dict(model.named_buffers()), dict(other.named_buffers())
    assert int(found["visual.layers.1.num_batches_tracked"]) == 3
    for name, value in expected.items():
        assert torch.equal(found[name], value), name


def by_open_clip(batch: Batch, pieces: int, model: Any) -> Any:
    """The gradients of open_clip_train's own training step with `--accum-freq pieces`."""
    from types import SimpleNamespace

    from open_clip_train import train as theirs

    class Loader(list[Any]):
        num_batches, num_samples = pieces, len(batch)

    class Kept(torch.optim.SGD):  # type: ignore[name-defined]
        def zero_grad(self, set_to_none: bool = True) -> None:  # noqa: FBT001, FBT002
            super().zero_grad(set_to_none)

    padded = torch.nn.functional.pad(batch.tokens, (0, 20 - batch.tokens.shape[1]))
    size = len(batch) // pieces
    loader = Loader(zip(normalised(batch.pixels).split(size), padded.split(size), strict=True))
    data = {"train": SimpleNamespace(dataloader=loader, set_epoch=lambda _: None)}
    args = SimpleNamespace(
        device="cpu", precision="fp32", distill=False, accum_freq=pieces, skip_scheduler=True, grad_clip_norm=None,
        horovod=False, rank=0, log_every_n_steps=1, batch_size=size, world_size=1, wandb=False,
    )  # fmt: skip
    model.output_dict = True
    theirs.train_one_epoch(
        model, data, open_clip_loss.ClipLoss(), 0, Kept(model.parameters(), lr=0.0), None, None, None, args
    )
    return small.gradients(model)


def test_loss_and_gradients_of_a_model_equal_open_clips() -> None:
    batch = small.batch(24)
    loss, ours = stepped(batch, 24, small.model())
    theirs = by_open_clip(batch, 1, small.model())
    assert ours.keys() == {f"model.{name}" for name in theirs}
    for name, value in theirs.items():
        torch.testing.assert_close(ours[f"model.{name}"], value, atol=1e-5, rtol=1e-4, msg=name)
    model = small.model()
    padded = torch.nn.functional.pad(batch.tokens, (0, 20 - batch.tokens.shape[1]))
    images = model.encode_image(normalised(batch.pixels), normalize=True)
    texts = model.encode_text(padded, normalize=True)
    assert loss == pytest.approx(open_clip_loss.ClipLoss()(images, texts, model.logit_scale.exp()).item(), abs=1e-5)


def off(found: dict[str, Tensor], whole: dict[str, Tensor]) -> dict[str, float]:
    """By what factor each gradient is larger than it should be."""
    return {name: float((found[name] * whole[name]).sum() / (whole[name] ** 2).sum()) for name in whole}


@pytest.mark.parametrize("pieces", [2, 4])
def test_the_temperature_of_a_cut_batch_is_right_where_open_clips_is_not(pieces: int) -> None:
    """open_clip_train's --accum-freq k adds the temperature's gradient of the whole batch k times; ours is exact."""
    batch = small.batch(24)
    whole = stepped(batch, 24, small.model())[1]
    ours = off(stepped(batch, 24 // pieces, small.model())[1], whole)
    theirs = off({f"model.{name}": v for name, v in by_open_clip(batch, pieces, small.model()).items()}, whole)
    assert all(math.isclose(factor, 1, abs_tol=1e-4) for factor in ours.values())
    assert theirs.pop("model.logit_scale") == pytest.approx(pieces, rel=1e-3)
    assert all(math.isclose(factor, 1, abs_tol=1e-3) for factor in theirs.values())
