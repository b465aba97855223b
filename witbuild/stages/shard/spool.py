"""Where windows of a shard go: hashed, whole and sample by sample, and written, while the next window is filled."""

from __future__ import annotations

import hashlib
import os
from concurrent.futures import ThreadPoolExecutor
from itertools import pairwise
from typing import IO, TYPE_CHECKING, Self

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from concurrent.futures import Future


class Spool:
    """Takes windows in their order; without a stream below it, it only hashes the samples.

    Hashing and writing leave the interpreter's lock to others, so that a process uses several cores.

    Example:
        >>> with Spool() as spool:
        ...     spool.put(memoryview(b"onetwo"), [0, 3, 6])
        >>> spool.samples == [hashlib.sha256(sample).hexdigest() for sample in (b"one", b"two")]
        True
    """

    samples: list[str]
    """The sha256 of each sample, hex."""

    def __init__(self, stream: IO[bytes] | None = None) -> None:
        self.samples = []
        self._stream = stream
        self._whole = hashlib.sha256()
        self._pool = ThreadPoolExecutor(3)
        self._running: list[Future[None]] = []

    @property
    def whole(self) -> str:
        """The sha256 of all that was written, hex."""
        return self._whole.hexdigest()

    def put(self, window: memoryview, bounds: Sequence[int]) -> None:
        """Take a window once the one before it is done with; it must stay as it is until the next `put` returns.

        Args:
            window: samples behind each other.
            bounds: where they begin, and where the last one ends.
        """
        jobs: list[Callable[[], None]] = [lambda: self.samples.extend(digests(window, bounds))]
        if stream := self._stream:
            jobs += [lambda: self._whole.update(window), lambda: _write(stream, window)]
        self._wait()
        self._running = [self._pool.submit(job) for job in jobs]

    def _wait(self) -> None:
        for job in self._running:
            job.result()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._pool.shutdown()
        if kind is None:
            self._wait()


def digests(window: memoryview, bounds: Sequence[int]) -> list[str]:
    """Return the sha256 of each sample, hex."""
    return [hashlib.sha256(window[start:stop]).hexdigest() for start, stop in pairwise(bounds)]


def _write(stream: IO[bytes], window: memoryview) -> None:
    """Write, and let the disk begin with it at once rather than when the file is whole.

    To say that written bytes will not be needed is the only portable way to ask for that without waiting; bytes that
    the disk does not have yet stay in memory all the same.
    """
    start = stream.tell()
    stream.write(window)
    stream.flush()
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(stream.fileno(), start, len(window), os.POSIX_FADV_DONTNEED)
