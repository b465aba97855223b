"""The pairwise sigmoid loss of SigLIP, exact, in memory linear in the batch.

    L = - 1/B sum over i, j of log sigmoid(z_ij (s u_i . v_j + b)),   z_ij = 1 for a pair and -1 otherwise

(Zhai et al. 2023, equation 1). Every logit is for itself, so tiles need nothing of each other; their gradient is

    dL/dlogit_ij = (sigmoid(logit_ij) - [i = j]) / B
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from witbuild.train.loss import TILE, product
from witbuild.train.world import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from witbuild.train.world import World


def sigmoid_loss(  # noqa: PLR0913, PLR0917 the formula has so many
    images: Tensor, texts: Tensor, scale: Tensor, bias: Tensor, tile: int = TILE, world: World = ALONE
) -> Tensor:
    """Return the cross-entropy of telling pairs from all other combinations, nats an image.

    Args:
        images: float of shape (B, D), unit rows.
        texts: float of shape (B, D), unit rows; row i belongs to image i.
        scale: what cosines are multiplied by, a scalar.
        bias: what is added to them, a scalar.
        tile: rows of logits at once: memory is O(B * tile).
        world: of several processes, each with its B rows; the loss is this process's share, over all rows of all.

    Example:
        >>> loss = sigmoid_loss(torch.eye(4), torch.eye(4), torch.tensor(0.0), torch.tensor(0.0))
        >>> round(loss.item(), 4)  # 4 ln 2
        2.7726
    """
    loss: Tensor = _Sigmoid.apply(images, texts, scale, bias, tile, world)
    return loss


def _tiles(images: Tensor, texts: Tensor, first: int, tile: int) -> Iterator[tuple[slice, slice, Tensor]]:
    """Yield rows, the columns of their own texts, and cosines; `first` is the column of image 0's text."""
    for start in range(0, len(images), tile):
        rows = slice(start, min(start + tile, len(images)))
        yield rows, slice(first + rows.start, first + rows.stop), product(images[rows], texts.T)


class _Sigmoid(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917
        ctx: Any, images: Tensor, texts: Tensor, scale: Tensor, bias: Tensor, tile: int, world: World
    ) -> Tensor:
        ctx.save_for_backward(images, texts, scale, bias)
        ctx.tile, ctx.world = tile, world
        columns = world.gathered(texts)
        total = torch.zeros_like(scale)
        for _, own, cosines in _tiles(images, columns, world.rank * len(images), tile):
            logits = scale * cosines + bias
            # -log sigmoid(-x) is softplus(x), and -log sigmoid(x) is softplus(x) - x
            total += functional.softplus(logits).sum() - logits[:, own].diagonal().sum()
        return total / len(columns)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor | None, ...]:
        images, texts, scale, bias = ctx.saved_tensors
        columns = ctx.world.gathered(texts)
        to_images = torch.empty_like(images, dtype=scale.dtype)
        to_columns = torch.zeros_like(columns, dtype=scale.dtype)
        to_scale, to_bias = torch.zeros_like(scale), torch.zeros_like(bias)
        for rows, own, cosines in _tiles(images, columns, ctx.world.rank * len(images), ctx.tile):
            slope = (scale * cosines + bias).sigmoid_()
            slope[:, own].diagonal().sub_(1)
            slope *= gradients[0] / len(columns)
            to_scale += (slope * cosines).sum()
            to_bias += slope.sum()
            slope = slope.mul_(scale).to(images.dtype)
            to_images[rows] = product(slope, columns)
            to_columns += product(slope.T, images[rows])
        to_texts = ctx.world.scattered(to_columns)
        return to_images.to(images.dtype), to_texts.to(texts.dtype), to_scale, to_bias, None, None
