"""The symmetric contrastive loss of CLIP (Radford et al. 2021, figure 3), exact, in memory linear in the batch.

The B x B logits are made tile by tile, forward and again backward; only their row and column sums of exponentials
stay. Gradients come from the softmax in closed form:

    dL/dlogits = (softmax over rows + softmax over columns - 2 * identity) / 2B
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

TILE = 4096
"""Rows of logits that exist at once."""


def contrastive_loss(images: Tensor, texts: Tensor, scale: Tensor, tile: int = TILE) -> Tensor:
    """Return the mean cross-entropy of naming each image's text and each text's image, nats.

    Args:
        images: float of shape (B, D), unit rows.
        texts: float of shape (B, D), unit rows; row i belongs to image i.
        scale: what cosines are multiplied by: exp of the logit scale, a scalar.
        tile: rows of logits at once: memory is O(B * tile).

    Example:
        >>> round(contrastive_loss(torch.eye(4), torch.eye(4), torch.tensor(0.0)).item(), 4)  # ln 4
        1.3863
    """
    loss: Tensor = _Contrastive.apply(images, texts, scale, tile)
    return loss


def _tiles(images: Tensor, texts: Tensor, tile: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield row ranges and their cosines, fp32 (float64 for float64 features)."""
    for start in range(0, len(images), tile):
        rows = slice(start, min(start + tile, len(images)))
        cosines = images[rows] @ texts.T
        yield rows, cosines if cosines.dtype == torch.float64 else cosines.float()


class _Contrastive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, texts: Tensor, scale: Tensor, tile: int) -> Tensor:
        by_row, diagonal = [], []
        by_column: Tensor | None = None
        for rows, cosines in _tiles(images, texts, tile):
            logits = scale * cosines
            by_row.append(logits.logsumexp(dim=1))
            diagonal.append(logits[:, rows].diagonal())
            part = logits.logsumexp(dim=0)
            by_column = part if by_column is None else torch.logaddexp(by_column, part)
        sums = torch.cat(by_row)
        ctx.save_for_backward(images, texts, scale, sums, by_column)
        ctx.tile = tile
        return ((sums + by_column) / 2 - torch.cat(diagonal)).mean()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        images, texts, scale, by_row, by_column = ctx.saved_tensors
        to_images, to_texts = torch.empty_like(images), torch.zeros_like(texts, dtype=by_row.dtype)
        to_scale = torch.zeros_like(by_row[0])
        for rows, cosines in _tiles(images, texts, ctx.tile):
            logits = scale * cosines
            slope = (logits - by_row[rows, None]).exp_().add_((logits - by_column).exp_())
            slope[:, rows].diagonal().sub_(2)
            slope *= gradients[0] / (2 * len(images))
            to_scale += (slope * cosines).sum()
            slope = (slope * scale).to(images.dtype)
            to_images[rows] = slope @ texts
            to_texts += slope.T @ images[rows]
        return to_images, to_texts.to(texts.dtype), to_scale.to(scale.dtype), None
