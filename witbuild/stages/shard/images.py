"""The stored images of a shard's samples, from wherever fetch put them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.errors import CorruptPartError, InputError
from witbuild.io.tars import Extent, read_into

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pyarrow as pa

_MAGIC = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n", "webp": b"RIFF"}


def read_images(samples: pa.Table, paths: tuple[str, ...]) -> list[bytes]:
    """Return the image of each sample.

    Args:
        samples: n rows of schema.SAMPLES.
        paths: of every images part, in order.

    Raises:
        CorruptPartError: an image does not begin where its sample says.
        InputError: an images part is missing or cut short.
    """
    images = [bytearray(size) for size in samples["image_bytes"].to_pylist()]
    StoredImages(samples, paths).read_into(range(len(samples)), [memoryview(image) for image in images])
    return [bytes(image) for image in images]


class StoredImages:
    """The images of samples, where fetch put them."""

    def __init__(self, samples: pa.Table, paths: tuple[str, ...]) -> None:
        """Hold where they are.

        Args:
            samples: n rows of schema.SAMPLES.
            paths: of every images part, in order.
        """
        self._paths = paths
        self._parts, self._offsets = (samples[name].to_numpy() for name in ("image_part", "image_offset"))
        self._formats = samples["image_format"].to_pylist()

    def read_into(self, rows: range, targets: Sequence[memoryview]) -> None:
        """Put the images of some samples into memory of their sizes: file by file, each front to back.

        Raises:
            CorruptPartError: an image does not begin where its sample says.
            InputError: an images part is missing or cut short.
        """
        some = slice(rows.start, rows.stop)
        order = np.lexsort((self._offsets[some], self._parts[some])).tolist()
        places = [(self._part(rows[i]), Extent(int(self._offsets[rows[i]]), len(targets[i]))) for i in order]
        read_into([path for path, _ in places], [extent for _, extent in places], [targets[i] for i in order])
        for i, (path, extent) in zip(order, places, strict=True):
            _check(targets[i], self._formats[rows[i]], path, extent.offset)

    def _part(self, row: int) -> str:
        part = int(self._parts[row])
        if 0 <= part < len(self._paths):
            return self._paths[part]
        raise InputError(f"a pair's image lies in images part {part} and there are {len(self._paths)} such parts")


def in_image_order(pairs: pa.Table, wanted: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
    """Return the rows, of the wanted ones, that have an image, in the order in which the images lie."""
    has_image = pairs["image_part"].is_valid().to_numpy()
    rows = np.flatnonzero(has_image if wanted is None else has_image & wanted)
    places = pairs.select(["image_part", "image_offset"]).take(rows)
    order: npt.NDArray[np.int64] = np.lexsort((places["image_offset"].to_numpy(), places["image_part"].to_numpy()))
    return rows[order]


def _check(image: memoryview, extension: str, path: str, offset: int) -> None:
    """Refuse an image that does not begin as its format does."""
    magic = _MAGIC.get(extension, b"")
    if image[: len(magic)] != magic:
        raise CorruptPartError(
            f"{path}: byte {offset}: no {extension} image begins here; delete it and run fetch again"
        )
