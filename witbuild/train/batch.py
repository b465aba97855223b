"""A batch of pairs as a step takes it."""

from __future__ import annotations

from dataclasses import dataclass, fields
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    import torch
    from torch import Tensor


@dataclass(frozen=True)
class Batch:
    """Pairs of a step, or some of them; row i of each tensor is of pair i."""

    pixels: Tensor
    """uint8 of shape (B, S, S, 3)."""
    tokens: Tensor
    """Token ids, int64 of shape (B, L), padded with 0."""
    lengths: Tensor
    """How many of a row's ids are its own, int64 of shape (B,); stays on the CPU."""
    labels: Tensor | None = None
    """A number for each pair's label, int64 of shape (B,), 0 for a pair that has none; none: no label was asked for."""

    def __len__(self) -> int:
        return len(self.pixels)

    def pieces(self, size: int) -> Iterator[Batch]:
        """Yield the batch in pieces of at most `size` pairs."""
        for start in range(0, len(self), size):
            rows = slice(start, start + size)
            columns = {field.name: getattr(self, field.name) for field in fields(self)}
            yield Batch(**{name: None if value is None else value[rows] for name, value in columns.items()})

    def to(self, device: torch.device) -> Batch:
        """Return the batch with its pixels and tokens on a device; from pinned memory nothing waits."""
        moved = (
            None if v is None else v.to(device, non_blocking=True) for v in (self.pixels, self.tokens, self.labels)
        )
        pixels, tokens, labels = moved
        return Batch(pixels, tokens, self.lengths, labels)

    def pinned(self) -> Batch:
        """Return the batch in memory from which a device copies by itself."""
        labels = None if self.labels is None else self.labels.pin_memory()
        return Batch(self.pixels.pin_memory(), self.tokens.pin_memory(), self.lengths, labels)
