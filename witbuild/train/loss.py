"""The symmetric contrastive loss of CLIP (Radford et al. 2021, figure 3), exact, in memory linear in the batch.

The B x B logits are made tile by tile, forward and again backward; only their row and column sums of exponentials
stay. With w, the weight of naming a text by its image (ConVIRT's lambda), and T, the target (the identity; or all pairs
of a group alike, each row summing to 1), gradients come from the softmax in closed form:

    dL/dlogits = (w * softmax over rows + (1 - w) * softmax over columns - T) / B

Several processes: each holds the rows of its images against the columns of all texts. Texts travel, images stay.

                      texts of 0 | texts of 1
    images of 0       process 0              column sums are put together forward,
    images of 1       process 1              the gradients of texts backward
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import torch

from witbuild.train.world import ALONE

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

    from witbuild.train.world import World

TILE = 4096
"""Rows of logits that exist at once."""


class _How(NamedTuple):
    tile: int
    groups: Tensor | None
    image_weight: float
    world: World


def contrastive_loss(  # noqa: PLR0913, PLR0917 the last three change what is learned, and from whom
    images: Tensor,
    texts: Tensor,
    scale: Tensor,
    tile: int = TILE,
    groups: Tensor | None = None,
    image_weight: float = 0.5,
    world: World = ALONE,
) -> Tensor:
    """Return the mean cross-entropy of naming each image's text and each text's image, nats.

    Args:
        images: float of shape (B, D), unit rows.
        texts: float of shape (B, D), unit rows; row i belongs to image i.
        scale: what cosines are multiplied by: exp of the logit scale, a scalar.
        tile: rows of logits at once: memory is O(B * tile).
        groups: int64 of shape (B,): pairs of one group are each other's positives, all alike; none: each alone.
        image_weight: of naming each image's text, 0 to 1; the rest is that of naming each text's image.
        world: of processes, each with B pairs of its own: the loss is over the pairs of all, and what comes back is
            this process's share; the shares, and their gradients, add up to the whole.

    Example:
        >>> round(contrastive_loss(torch.eye(4), torch.eye(4), torch.tensor(0.0)).item(), 4)  # ln 4
        1.3863
    """
    loss: Tensor = _Contrastive.apply(images, texts, scale, _How(tile, groups, image_weight, world))
    return loss


def wide(rows: Tensor) -> Tensor:
    """Return features in a precision in which sums are kept: fp32, or float64 for float64.

    On CUDA their products then run as TF32, whose ten bits hold those of bfloat16 and float16: nothing is lost by it.

    Example:
        >>> wide(torch.ones(2, 3, dtype=torch.bfloat16)).dtype
        torch.float32
    """
    return rows if rows.dtype == torch.float64 else rows.float()


def product(left: Tensor, right: Tensor) -> Tensor:
    """Return a product of matrices, summed and kept in fp32 (float64 for float64), whatever their precision."""
    return wide(left) @ wide(right)


class _Tiles:
    """The rows of this process's images against the columns of all texts, some rows at a time."""

    def __init__(self, images: Tensor, texts: Tensor, how: _How) -> None:
        self.images, self.texts = wide(images), wide(how.world.gathered(texts))
        self.own = how.world.share(len(self.texts))
        self._tile, self._groups = how.tile, how.groups
        self._columns = None if how.groups is None else how.world.gathered(how.groups)

    def __iter__(self) -> Iterator[tuple[slice, Tensor]]:
        """Yield row ranges and their cosines."""
        for start in range(0, len(self.images), self._tile):
            rows = slice(start, min(start + self._tile, len(self.images)))
            yield rows, self.images[rows] @ self.texts.T

    def positives(self, rows: slice, logits: Tensor) -> Tensor:
        """Return the sum of each row's logits under the target."""
        if self._groups is None:
            return self._diagonal(rows, logits).clone()
        return (self._target(rows, logits.dtype) * logits).sum(dim=1)

    def subtract_target(self, rows: slice, slope: Tensor) -> None:
        """Subtract the target from some rows."""
        if self._groups is None:
            self._diagonal(rows, slope).sub_(1)
        else:
            slope -= self._target(rows, slope.dtype)

    def _diagonal(self, rows: slice, tile: Tensor) -> Tensor:
        first = self.own.start
        return tile[:, first + rows.start : first + rows.stop].diagonal()

    def _target(self, rows: slice, dtype: torch.dtype) -> Tensor:
        """Return 1 over the size of the group where a column is of the row's group."""
        same = (self._groups[rows, None] == self._columns).to(dtype)  # type: ignore[index]
        return same / same.sum(dim=1, keepdim=True)


class _Contrastive(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, images: Tensor, texts: Tensor, scale: Tensor, how: _How) -> Tensor:
        tiles = _Tiles(images, texts, how)
        by_row, positives = [], []
        by_column: Tensor | None = None
        for rows, cosines in tiles:
            logits = cosines.mul_(scale)
            by_row.append(logits.logsumexp(dim=1))
            positives.append(tiles.positives(rows, logits))
            part = logits.logsumexp(dim=0)
            by_column = part if by_column is None else torch.logaddexp(by_column, part)
        assert by_column is not None  # noqa: S101 a batch has rows
        whole = how.world.gathered(by_column[None]).logsumexp(dim=0)
        sums = torch.cat(by_row)
        ctx.save_for_backward(images, texts, scale, sums, whole)
        ctx.how = how
        terms = how.image_weight * sums + (1 - how.image_weight) * whole[tiles.own] - torch.cat(positives)
        return terms.sum() / len(whole)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, Tensor, Tensor, None]:
        images, texts, scale, by_row, by_column = ctx.saved_tensors
        how: _How = ctx.how
        tiles = _Tiles(images, texts, how)
        to_images, to_texts = torch.empty_like(tiles.images), torch.zeros_like(tiles.texts)
        for rows, cosines in tiles:
            logits = cosines.mul_(scale)
            slope = (logits - by_row[rows, None]).exp_().mul_(how.image_weight)
            slope.add_(logits.sub_(by_column).exp_(), alpha=1 - how.image_weight)
            tiles.subtract_target(rows, slope)
            to_images[rows] = slope @ tiles.texts
            to_texts += slope.T @ tiles.images[rows]
        factor = gradients[0] / len(tiles.texts)
        # a logit is scale * cosine, so the slopes against the cosines are the images' gradients against the images
        to_scale = (to_images * tiles.images).sum() * factor
        own = how.world.scattered(to_texts) * (scale * factor)
        to_images *= scale * factor
        return to_images.to(images.dtype), own.to(texts.dtype), to_scale.to(scale.dtype), None
