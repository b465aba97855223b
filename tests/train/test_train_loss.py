"""The loss: equal to open_clip's, value and gradients, whatever the tile; exact against float64."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from torch import Tensor

torch = pytest.importorskip("torch")
open_clip_loss = pytest.importorskip("open_clip.loss")
pytestmark = pytest.mark.train

from torch.nn import functional  # noqa: E402

from witbuild.train.loss import contrastive_loss  # noqa: E402


def leaves(batch: int, dim: int, scale: float, dtype: Any) -> tuple[Tensor, Tensor, Tensor]:
    generator = torch.Generator().manual_seed(0)
    features = [functional.normalize(torch.randn(batch, dim, generator=generator, dtype=torch.float64), dim=-1)]
    features.append(functional.normalize(features[0] + 0.5 * torch.randn(batch, dim, generator=generator), dim=-1))
    values = [*features, torch.tensor(scale, dtype=torch.float64)]
    images, texts, factor = (value.to(dtype).requires_grad_() for value in values)
    return images, texts, factor


def plain(images: Tensor, texts: Tensor, scale: Tensor) -> Tensor:
    loss: Tensor = open_clip_loss.ClipLoss()(images, texts, scale)
    return loss


@pytest.mark.parametrize("scale", [1.0, 14.3, 100.0])
@pytest.mark.parametrize(("batch", "tile"), [(2, 4096), (64, 64), (200, 33)])
def test_value_and_gradients_equal_open_clips(batch: int, tile: int, scale: float) -> None:
    ours, theirs = (leaves(batch, 24, scale, torch.float32) for _ in range(2))
    exact = leaves(batch, 24, scale, torch.float64)
    loss, expected, reference = contrastive_loss(*ours, tile), plain(*theirs), plain(*exact)
    assert loss.item() == pytest.approx(expected.item(), abs=1e-5)
    assert loss.item() == pytest.approx(reference.item(), abs=1e-5)
    for value in (loss, expected, reference):
        (2.0 * value).backward()
    for own, other, truth in zip(ours, theirs, exact, strict=True):
        torch.testing.assert_close(own.grad, other.grad, atol=1e-5, rtol=1e-4)
        torch.testing.assert_close(own.grad.double(), truth.grad, atol=1e-5, rtol=1e-4)


def test_float64_agrees_to_the_last_digits() -> None:
    ours, theirs = (leaves(50, 16, 30.0, torch.float64) for _ in range(2))
    contrastive_loss(*ours, 7).backward()
    plain(*theirs).backward()
    for own, other in zip(ours, theirs, strict=True):
        torch.testing.assert_close(own.grad, other.grad, atol=1e-13, rtol=1e-10)


def test_features_of_half_precision_have_wide_logits() -> None:
    """Of bfloat16 features the loss is that of their exact values; gradients are rounded once, at the end."""
    images, texts, _ = leaves(96, 32, 60.0, torch.bfloat16)
    exact = [value.detach().double().requires_grad_() for value in (images, texts)]
    factor = torch.tensor(60.0, requires_grad=True)
    loss = contrastive_loss(images, texts, factor, 40)
    truth = plain(exact[0], exact[1], torch.tensor(60.0, dtype=torch.float64))
    assert loss.dtype == torch.float32
    assert loss.item() == pytest.approx(truth.item(), abs=1e-5)
    loss.backward()
    truth.backward()
    for own, right in zip((images, texts), exact, strict=True):
        assert own.grad.dtype == torch.bfloat16
        torch.testing.assert_close(own.grad.double(), right.grad, rtol=2**-8, atol=1e-6)


def test_guessing_costs_the_logarithm_of_the_batch() -> None:
    images, texts, _ = leaves(32, 8, 1.0, torch.float32)
    assert contrastive_loss(images, texts, torch.tensor(0.0)).item() == pytest.approx(3.4657359, abs=1e-6)


def test_no_square_of_the_batch_is_kept() -> None:
    """Nothing that backward keeps grows with the square of the batch."""
    kept: list[int] = []

    def pack(tensor: Tensor) -> Tensor:
        kept.append(tensor.numel())
        return tensor

    with torch.autograd.graph.saved_tensors_hooks(pack, lambda tensor: tensor):
        contrastive_loss(*leaves(300, 4, 10.0, torch.float32), 50).backward()
    assert max(kept) == 300 * 4
