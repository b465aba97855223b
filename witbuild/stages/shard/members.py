"""Samples as members of a tar: laid out in memory, window by window, as they will stand in the file."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io.laid import Layout

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_TEXTS = {"json": "record", "txt": "caption"}
"""Extension -> the column of schema.SAMPLES that holds the content."""


class Images(Protocol):
    """Where the images of samples come from."""

    def read_into(self, rows: range, targets: Sequence[memoryview]) -> None:
        """Put the images of some samples into memory of their sizes."""


class Members:
    """The members of n samples, of which there is at least one."""

    def __init__(self, samples: pa.Table, images: Images) -> None:
        """Find where everything will stand; nothing is read yet.

        Args:
            samples: n rows with the columns key, image_format (one for all), image_bytes, record and caption of
                schema.SAMPLES.
            images: of those samples.
        """
        self._images = images
        self._format = samples["image_format"][0].as_py()
        self._texts = {extension: samples[column].cast(pa.binary()) for extension, column in _TEXTS.items()}
        sizes = {extension: pc.binary_length(texts).to_numpy() for extension, texts in self._texts.items()}
        self._layout = Layout(samples["key"].to_pylist(), {self._format: samples["image_bytes"].to_numpy(), **sizes})

    @property
    def tar_bytes(self) -> list[int]:
        """What each sample takes in a tar, headers and padding included."""
        sizes: list[int] = np.diff(self._layout.starts).tolist()
        return sizes

    def windows(self, size: int, rows: int) -> Iterator[tuple[range, memoryview]]:
        """Yield the samples, at most so many bytes and rows at a time, as they will stand in the tar.

        Two windows share the memory in turn: one stays as it is until the second after it is asked for.
        """
        windows = list(self._layout.cut(size, rows))
        largest = max(self.bounds(some)[-1] for some in windows)
        memory = [np.empty(largest, np.uint8) for _ in windows[:2]]
        for number, some in enumerate(windows):
            window = memory[number % 2][: self.bounds(some)[-1]]
            self._layout.frame(some, window)
            self._fill(some, window.data)
            yield some, window.data

    def bounds(self, rows: range) -> list[int]:
        """Return where in their window the samples begin, and where the last one ends."""
        return self._layout.bounds(rows)

    def images(self, rows: range, window: memoryview) -> list[memoryview]:
        """Return the images in a window."""
        return self._contents(rows, window, self._format)

    def _fill(self, rows: range, window: memoryview) -> None:
        for extension, texts in self._texts.items():
            some = texts.slice(rows.start, len(rows)).to_pylist()
            for target, text in zip(self._contents(rows, window, extension), some, strict=True):
                target[:] = text
        self._images.read_into(rows, self.images(rows, window))

    def _contents(self, rows: range, window: memoryview, extension: str) -> list[memoryview]:
        return [window[start:stop] for start, stop in self._layout.slots(rows, extension)]
