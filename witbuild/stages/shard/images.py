"""The stored images of a shard's samples, from wherever fetch put them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.errors import CorruptPartError, InputError
from witbuild.io.tars import Extent, read_many

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

_MAGIC = {"jpg": b"\xff\xd8\xff", "png": b"\x89PNG\r\n", "webp": b"RIFF"}


def read_images(samples: pa.Table, paths: tuple[str, ...]) -> list[bytes]:
    """Return the image of each sample, read file by file and front to back.

    Args:
        samples: n rows of schema.SAMPLES.
        paths: of every images part, in order.

    Raises:
        CorruptPartError: an image does not begin where its sample says.
        InputError: an images part is missing or cut short.
    """
    parts, offsets = samples["image_part"].to_numpy(), samples["image_offset"].to_numpy()
    sizes, formats = samples["image_bytes"].to_numpy(), samples["image_format"].to_pylist()
    out = [b""] * len(samples)
    for part in np.unique(parts).tolist():
        rows = np.flatnonzero(parts == part)
        rows = rows[np.argsort(offsets[rows], kind="stable")]
        path = _part(paths, part)
        extents = [Extent(int(offsets[row]), int(sizes[row])) for row in rows]
        for row, extent, image in zip(rows.tolist(), extents, read_many(path, extents), strict=True):
            out[row] = _checked(image, formats[row], path, extent.offset)
    return out


def in_image_order(pairs: pa.Table, wanted: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
    """Return the rows, of the wanted ones, that have an image, in the order in which the images lie."""
    has_image = pairs["image_part"].is_valid().to_numpy()
    rows = np.flatnonzero(has_image if wanted is None else has_image & wanted)
    places = pairs.select(["image_part", "image_offset"]).take(rows)
    order: npt.NDArray[np.int64] = np.lexsort((places["image_offset"].to_numpy(), places["image_part"].to_numpy()))
    return rows[order]


def _part(paths: tuple[str, ...], part: int) -> str:
    if 0 <= part < len(paths):
        return paths[part]
    raise InputError(f"a pair's image lies in images part {part} and there are {len(paths)} such parts")


def _checked(image: bytes, extension: str, path: str, offset: int) -> bytes:
    """Return an image that begins as its format does."""
    if image.startswith(_MAGIC.get(extension, b"")):
        return image
    raise CorruptPartError(f"{path}: byte {offset}: no {extension} image begins here; delete it and run fetch again")
