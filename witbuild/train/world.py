"""The processes of a training: one for each device, joined by torchrun, or this one alone.

Every process takes its share of a batch. What it computes of a loss or a gradient is its share too: the shares of
all processes add up to the whole, so nothing here divides.
"""

from __future__ import annotations

import os
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeVar

import torch
from torch import distributed

from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from torch import Tensor

T = TypeVar("T")


@dataclass(frozen=True)
class World:
    """How many processes train together, and which of them this is."""

    rank: int = 0
    size: int = 1

    @property
    def leads(self) -> bool:
        """Whether this process writes logs, checkpoints and results."""
        return self.rank == 0

    def share(self, count: int) -> slice:
        """Return which of so many samples of a step are this process's.

        Raises:
            RecipeError: they cannot be dealt out evenly.

        Example:
            >>> World(1, 4).share(32)
            slice(8, 16, None)
        """
        each, rest = divmod(count, self.size)
        if rest or not each:
            raise RecipeError(f"stage train: batch_size {count} is no multiple of {self.size} processes; make it one")
        return slice(self.rank * each, (self.rank + 1) * each)

    def gather(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, by rank; gradients flow back to the process that each row came from."""
        return _Gather.apply(rows, self) if self.size > 1 else rows

    def gathered(self, rows: Tensor) -> Tensor:
        """Return the rows of all processes, by rank, without gradients."""
        if self.size == 1:
            return rows
        out = rows.new_empty((self.size * len(rows), *rows.shape[1:]))
        distributed.all_gather_into_tensor(out, rows.contiguous())
        return out

    def scattered(self, rows: Tensor) -> Tensor:
        """Return, of the sum of all processes' rows, those that are this process's."""
        if self.size == 1:
            return rows
        out = rows.new_empty((len(rows) // self.size, *rows.shape[1:]))
        distributed.reduce_scatter_tensor(out, rows.contiguous())
        return out

    def total(self, value: Tensor) -> Tensor:
        """Return the sum of a tensor over all processes, without gradients."""
        out = value.detach().clone()
        if self.size > 1:
            distributed.all_reduce(out)
        return out

    def agreed(self, value: T) -> T:
        """Return what the leading process has; any small value that pickles."""
        if self.size == 1:
            return value
        values = [value]
        distributed.broadcast_object_list(values)
        return values[0]

    def all(self, value: T) -> list[T]:
        """Return the values of all processes, by rank; small ones that pickle."""
        if self.size == 1:
            return [value]
        values: list[Any] = [None] * self.size
        distributed.all_gather_object(values, value)
        return values


class _Gather(torch.autograd.Function):
    @staticmethod
    def forward(ctx: Any, rows: Tensor, world: World) -> Tensor:
        ctx.world = world
        return world.gathered(rows)

    @staticmethod
    def backward(ctx: Any, *gradients: Tensor) -> tuple[Tensor, None]:
        return ctx.world.scattered(gradients[0]), None


ALONE = World()


@contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Join the processes that torchrun started, or be alone when it started none; nccl on CUDA, gloo on a CPU.

    They part together when all are done. A process that failed just ends: to part it would wait for the others.
    """
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield ALONE
        return
    distributed.init_process_group("nccl" if device.type == "cuda" else "gloo")
    world = World(distributed.get_rank(), distributed.get_world_size())
    yield world
    world.all(None)
    distributed.destroy_process_group()
