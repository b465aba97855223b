"""The symmetric contrastive loss of CLIP (Radford et al. 2021, figure 3), exact, in memory linear in the batch.

The B x B logits are made tile by tile, forward and again backward; only their row and column sums of exponentials
stay. With w, the weight of naming a text by its image (ConVIRT's lambda), and T, the target (the identity; or all pairs
of a group alike, each row summing to 1), gradients come from the softmax in closed form:

    dL/dlogits = (w * softmax over rows + (1 - w) * softmax over columns - T) / B
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

TILE = 4096
"""Rows of logits that exist at once."""


def contrastive_loss(  # noqa: PLR0913, PLR0917 the last two change what is learned
    images: Tensor,
    texts: Tensor,
    scale: Tensor,
    tile: int = TILE,
    groups: Tensor | None = None,
    image_weight: float = 0.5,
) -> Tensor:
    """Return the mean cross-entropy of naming each image's text and each text's image, nats.

    Args:
        images: float of shape (B, D), unit rows.
        texts: float of shape (B, D), unit rows; row i belongs to image i.
        scale: what cosines are multiplied by: exp of the logit scale, a scalar.
        tile: rows of logits at once: memory is O(B * tile).
        groups: int64 of shape (B,): pairs of one group are each other's positives, all alike; none: each alone.
        image_weight: of naming each image's text, 0 to 1; the rest is that of naming each text's image.

    Example:
        >>> round(contrastive_loss(torch.eye(4), torch.eye(4), torch.tensor(0.0)).item(), 4)  # ln 4
        1.3863
    """
    loss: Tensor = _Contrastive.apply(images, texts, scale, tile, groups, image_weight)
    return loss


def _tiles(images: Tensor, texts: Tensor, tile: int) -> Iterator[tuple[slice, Tensor]]:
    """Yield row ranges and their cosines, fp32 (float64 for float64 features)."""
    for start in range(0, len(images), tile):
        rows = slice(start, min(start + tile, len(images)))
        cosines = images[rows] @ texts.T
        yield rows, cosines if cosines.dtype == torch.float64 else cosines.float()


def _target(rows: slice, groups: Tensor, dtype: torch.dtype) -> Tensor:
    """Return the target of some rows: 1 over the size of the group where a column is of the row's group."""
    same = (groups[rows, None] == groups).to(dtype)
    return same / same.sum(dim=1, keepdim=True)


class _Contrastive(torch.autograd.Function):
    @staticmethod
    def forward(  # noqa: PLR0913, PLR0917
        ctx: Any,
        images: Tensor,
        texts: Tensor,
        scale: Tensor,
        tile: int,
        groups: Tensor | None,
        image_weight: float,
    ) -> Tensor:
        by_row, own = [], []
        by_column: Tensor | None = None
        for rows, cosines in _tiles(images, texts, tile):
            logits = scale * cosines
            by_row.append(logits.logsumexp(dim=1))
            one = groups is None
            own.append(logits[:, rows].diagonal() if one else (_target(rows, groups, logits.dtype) * logits).sum(dim=1))
            part = logits.logsumexp(dim=0)
            by_column = part if by_column is None else torch.logaddexp(by_column, part)
        sums = torch.cat(by_row)
        ctx.save_for_backward(images, texts, scale, sums, by_column)
        ctx.tile, ctx.groups, ctx.image_weight = tile, groups, image_weight
        return (image_weight * sums + (1 - image_weight) * by_column - torch.cat(own)).mean()

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None, None, None]:
        images, texts, scale, by_row, by_column = ctx.saved_tensors
        to_images, to_texts = torch.empty_like(images), torch.zeros_like(texts, dtype=by_row.dtype)
        to_scale = torch.zeros_like(by_row[0])
        weight = ctx.image_weight
        for rows, cosines in _tiles(images, texts, ctx.tile):
            logits = scale * cosines
            slope = (logits - by_row[rows, None]).exp_().mul_(weight)
            slope.add_((logits - by_column).exp_(), alpha=1 - weight)
            if ctx.groups is None:
                slope[:, rows].diagonal().sub_(1)
            else:
                slope -= _target(rows, ctx.groups, slope.dtype)
            slope *= gradients[0] / len(images)
            to_scale += (slope * cosines).sum()
            slope = (slope * scale).to(images.dtype)
            to_images[rows] = slope @ texts
            to_texts += slope.T @ images[rows]
        return to_images, to_texts.to(texts.dtype), to_scale.to(scale.dtype), None, None, None
