"""Pairs from tars that have no places to look up (a pipe, a compressed tar, a URL): read front to back by webdataset.

    shards of the epoch, in drawn order ─ every n-th to each of n processes ─ samples ─ buffer, drawn from ─> batches

What this gives up beside the index: the order is drawn from a buffer and not from all samples; it depends on the number
of processes; and a resumed run reads again what the epoch has read so far, without decoding it.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import torch

from witbuild.errors import EmptyError, InputError, RecipeError
from witbuild.image.failure import ImageError
from witbuild.train.batch import Batch
from witbuild.train.captions import tokenise
from witbuild.train.index import IMAGES, caption_field
from witbuild.train.order import permuted
from witbuild.train.pixels import corners, cropped, small
from witbuild.train.world import ALONE

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Mapping

    from witbuild.train.world import World

BUFFER = 5_000
"""Samples among which the next one is drawn."""
_EPOCH = 1 << 40
"""Samples of an epoch are numbered from its multiple of this; numbers of processes are in the last twelve bits."""


class Pair(NamedTuple):
    """A sample of a stream: its number, its stored image and its caption."""

    number: int
    image: bytes
    caption: str


@dataclass
class Streamed:
    """Batches from streams.

    Attributes:
        paths: of the shards, as webdataset opens them.
        batch_size: of all processes together.
        epoch_samples: places of an epoch; shards that end before begin anew.
        seed: of shards' order, draws and crops.
        size: of the crops, pixels.
        side: of the images before the crop, their shorter one.
        context_length: most token ids of a caption.
        caption_key: see `index.read_pairs`.
        world: of processes.
        threads: that decode.
        dropped: samples of the stream without an image or a caption, by reason.
        corrupt: numbers of images that cannot be decoded.
    """

    paths: tuple[str, ...]
    batch_size: int
    epoch_samples: int
    seed: int
    size: int
    side: int
    context_length: int
    caption_key: str = ""
    world: World = ALONE
    threads: int = 1
    dropped: dict[str, int] = field(default_factory=dict)
    corrupt: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        if self.epoch_samples < self.batch_size:
            raise RecipeError(
                f"stage train: train_num_samples is {self.epoch_samples} and batch_size {self.batch_size}: streams "
                "have no count of their own; say how many pairs make an epoch, at least a batch"
            )
        if len(self.paths) < self.world.size:
            raise RecipeError(f"stage train: {len(self.paths)} streams for {self.world.size} processes; give each one")
        self._pool = ThreadPoolExecutor(self.threads, "decode")
        self._pairs: Generator[Pair, None, None] | None = None
        self._next = -1

    @property
    def steps_per_epoch(self) -> int:
        """How many whole batches an epoch has."""
        return self.epoch_samples // self.batch_size

    def close(self) -> None:
        """End the threads, and close the shard that is being read."""
        if self._pairs is not None:
            self._pairs.close()
        self._pool.shutdown(cancel_futures=True)

    def batch(self, step: int) -> Batch:
        """Return this process's part of a step's batch; steps in order are cheap."""
        if self._pairs is None or step != self._next or step % self.steps_per_epoch == 0:
            self._pairs = self._at(step)
        self._next = step + 1
        rows = self.world.share(self.batch_size)
        found: list[tuple[Pair, np.ndarray[Any, Any]]] = []
        while len(found) < rows.stop - rows.start:
            wanted = [next(self._pairs) for _ in range(rows.stop - rows.start - len(found))]
            found += [(pair, pixels) for pair, pixels in self._pool.map(self._decoded, wanted) if pixels is not None]
        numbers = np.array([pair.number for pair, _ in found])
        places = corners(numbers, seed=self.seed, step=step)
        crops = [cropped(pixels, self.size, place) for (_, pixels), place in zip(found, places, strict=True)]
        captions = tokenise([pair.caption for pair, _ in found], self.context_length)
        every = np.arange(len(found))
        tokens, lengths = captions.batch(every), captions.lengths(every)
        return Batch(torch.from_numpy(np.stack(crops)), torch.from_numpy(tokens), torch.from_numpy(lengths))

    def _decoded(self, pair: Pair) -> tuple[Pair, np.ndarray[Any, Any] | None]:
        try:
            return pair, small(pair.image, self.side)
        except ImageError:
            self.corrupt.add(pair.number)
            return pair, None

    def _at(self, step: int) -> Generator[Pair, None, None]:
        """Return the rest of the epoch from a step on: what the steps before have used is passed over."""
        epoch, inside = divmod(step, self.steps_per_epoch)
        pairs = self._drawn(epoch)
        used = inside * (self.batch_size // self.world.size)
        while used:
            used -= next(pairs).number not in self.corrupt
        return pairs

    def _drawn(self, epoch: int) -> Generator[Pair, None, None]:
        """Yield an epoch's pairs without end, each drawn from a buffer."""
        random = np.random.default_rng([self.seed, epoch, self.world.rank])
        buffer: list[Pair] = []
        for pair in self._read(epoch):
            if pair is not None:
                buffer.append(pair)
            # at the end of a pass what is left comes before the next
            while buffer and (pair is None or len(buffer) >= BUFFER):
                yield _taken(buffer, random)

    def _read(self, epoch: int) -> Iterator[Pair | None]:
        """Yield this process's pairs, pass after pass, and None after each pass."""
        count = 0
        while True:
            order = permuted(np.arange(len(self.paths)), len(self.paths), self.seed, "shards", epoch, count)
            before = count
            for place in order[self.world.rank :: self.world.size]:
                for sample in _samples(self.paths[place]):
                    image, caption = image_of(sample), caption_of(sample, self.caption_key)
                    if image is None or not caption:
                        reason = "no_caption" if image is not None else "no_image"
                        self.dropped[reason] = self.dropped.get(reason, 0) + 1
                        continue
                    yield Pair((epoch * _EPOCH + count) * 4_096 + self.world.rank, image, caption)
                    count += 1
            if count == before:
                raise EmptyError(
                    f"{len(self.paths)} streams hold no sample with an image and a caption: {self.dropped}"
                )
            yield None


def _taken(buffer: list[Pair], random: np.random.Generator) -> Pair:
    place = int(random.integers(len(buffer)))
    buffer[place], buffer[-1] = buffer[-1], buffer[place]
    return buffer.pop()


def _samples(path: str) -> Iterator[Mapping[str, Any]]:
    """Yield the samples of a shard: member by extension."""
    import tarfile

    from webdataset.gopen import gopen
    from webdataset.tariterators import group_by_keys, tar_file_expander

    try:
        with gopen(path) as opened:
            yield from group_by_keys(tar_file_expander([{"url": path, "stream": opened}]))
    except (tarfile.TarError, OSError, EOFError, ValueError) as error:
        raise InputError(f"{path}: not a tar that can be read: {error}") from error


def image_of(sample: Mapping[str, Any]) -> bytes | None:
    """Return a sample's image, or None when it has none.

    Example:
        >>> image_of({"__key__": "a", "txt": b"dog", "img.JPG": b"..."})
        b'...'
    """
    kinds = {name.rpartition(".")[2].lower(): name for name in reversed(list(sample))}
    return next((sample[kinds[kind]] for kind in IMAGES if kind in kinds), None)


def caption_of(sample: Mapping[str, Any], caption_key: str) -> str:
    """Return a sample's caption, "" when it has none: the member txt, or a field of json.

    Example:
        >>> caption_of({"json": b'{"alt": " a dog"}', "txt": b"cat"}, "alt"), caption_of({"txt": b"cat"}, "")
        ('a dog', 'cat')
    """
    if not caption_key and "txt" in sample:
        return str(sample["txt"].decode(errors="replace").strip())
    return caption_field(sample["json"], caption_key).strip() if "json" in sample else ""
