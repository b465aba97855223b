"""Batches of steps: an order, the images and captions that it names, and which of them are this process's."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple, Protocol

import numpy as np
import torch

from witbuild.train.batch import Batch
from witbuild.train.pixels import corners

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from witbuild.train.captions import Captions
    from witbuild.train.order import Order
    from witbuild.train.pixels import Loader
    from witbuild.train.world import World


class Data(Protocol):
    """Where batches come from."""

    @property
    def steps_per_epoch(self) -> int:
        """How many batches an epoch has."""

    @property
    def corrupt(self) -> set[int]:
        """Numbers of the samples met that cannot be used; grows."""

    @property
    def dropped(self) -> dict[str, int]:
        """Samples that are left out, by reason."""

    def batch(self, step: int) -> Batch:
        """Return this process's part of a step's batch: of (step, process, processes) alone."""

    def close(self) -> None:
        """Let go of threads and files."""


@dataclass(frozen=True)
class Indexed:
    """Batches by random access; position is (epoch, step), whatever the number of processes."""

    order: Order
    loader: Loader
    captions: Captions
    world: World
    dropped: dict[str, int] = field(default_factory=dict)
    """Samples of the tars that are left out, by reason."""
    labels: npt.NDArray[np.int64] | None = None
    """A number for the label of each pair, 0 for none; none: they are not known."""

    @property
    def steps_per_epoch(self) -> int:
        """How many whole batches an epoch has."""
        return self.order.steps_per_epoch

    @property
    def corrupt(self) -> set[int]:
        """Numbers of the images that cannot be decoded."""
        return self.loader.corrupt

    def batch(self, step: int) -> Batch:
        """Return this process's part of a step's batch."""
        numbers = self.order.batch(step)[self.world.share(self.order.batch_size)]
        pixels, shown = self.loader.batch(numbers, corners(numbers, seed=self.order.seed, step=step))
        found = np.array(shown)
        tokens, lengths = self.captions.batch(found), self.captions.lengths(found)
        labels = None if self.labels is None else torch.from_numpy(self.labels[found])
        return Batch(torch.from_numpy(pixels), torch.from_numpy(tokens), torch.from_numpy(lengths), labels)

    def close(self) -> None:
        """End the threads."""
        self.loader.close()


class Fed(NamedTuple):
    """A batch on the device, and for how many seconds the step waited for it."""

    step: int
    batch: Batch
    waited: float


def feed(data: Data, steps: range, device: torch.device) -> Iterator[Fed]:
    """Yield the batches of steps on a device, each made and copied while the one before it is used."""
    side = torch.cuda.Stream(device) if device.type == "cuda" else None

    def make(step: int) -> tuple[Batch, torch.cuda.Event | None]:
        batch = data.batch(step)
        if side is None:
            return batch, None
        with torch.cuda.stream(side):
            pinned = batch.pinned()
            moved = pinned.to(device)
            copied = side.record_event()
        copied.synchronize()  # in this thread: the pinned memory is free again
        return moved, copied

    with ThreadPoolExecutor(1, "batch") as ahead:
        coming = ahead.submit(make, steps.start) if steps else None
        for step in steps:
            started = time.perf_counter()
            assert coming is not None  # noqa: S101 there are steps
            batch, copied = coming.result()
            waited = time.perf_counter() - started
            coming = ahead.submit(make, step + 1) if step + 1 < steps.stop else None
            if copied is not None:
                stream = torch.cuda.current_stream(device)
                stream.wait_event(copied)
                for value in (batch.pixels, batch.tokens, *([] if batch.labels is None else [batch.labels])):
                    value.record_stream(stream)
            yield Fed(step, batch, waited)
