"""Stored images to uint8 crops: read by offset, decode small, resize, crop; kept decoded when all of them fit.

bytes ─ libjpeg-turbo, DCT scaled ─ short side to `resize` ─ square crop of `size` at a drawn place ─> uint8 batch
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from itertools import groupby
from typing import TYPE_CHECKING

import numpy as np

from witbuild.errors import EmptyError
from witbuild.image.decode import decode
from witbuild.image.failure import ImageError
from witbuild.image.header import read as read_header
from witbuild.image.resize import fit, resize
from witbuild.io import store
from witbuild.io.tars import Extent, read_many
from witbuild.sample.coins import mix

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from witbuild.train.index import Images

    Pixels = npt.NDArray[np.uint8]

MAX_PIXELS = 100_000_000
CACHE_BYTES = 1 << 30
"""Decoded images are kept up to so many bytes."""
CHUNK = 16
"""Images that a thread makes in one go: fewer and the threads wait for their next orders."""


def small(body: bytes, side: int) -> Pixels:
    """Return an image whose shorter side is `side`, uint8 of shape (height, width, 3).

    Raises:
        ImageError: it cannot be decoded.
    """
    header = read_header(body)
    width, height = (header.height, header.width) if header.turned else (header.width, header.height)
    width, height = fit(width, height, side, "keep_ratio", upscale=True)
    pixels = decode(body, header, max_pixels=MAX_PIXELS, width=width, height=height)
    return resize(pixels, width, height)


def corners(numbers: npt.NDArray[np.int64], *, seed: int, step: int) -> npt.NDArray[np.float64]:
    """Return where the crop of each image lies, uniform over [0, 1): float64 of shape (n, 2), down and across.

    Example:
        >>> drawn = corners(np.arange(3), seed=0, step=9)
        >>> drawn.shape, bool((drawn < 1).all())
        ((3, 2), True)
    """
    with np.errstate(over="ignore"):
        key = mix(np.array([seed, step], np.uint64) + np.uint64(0x9E3779B97F4A7C15))
        coins = mix(mix(numbers.astype(np.uint64) ^ key[0]) + key[1])
    return np.stack([mix(coins) >> np.uint64(11), mix(~coins) >> np.uint64(11)], axis=1) / 2.0**53


def cropped(pixels: Pixels, size: int, corner: npt.NDArray[np.float64]) -> Pixels:
    """Return a square of an image, `corner` of the way down and across: (0.5, 0.5) is the middle."""
    down = round(corner[0] * (pixels.shape[0] - size))
    across = round(corner[1] * (pixels.shape[1] - size))
    return pixels[down : down + size, across : across + size]


class Loader:
    """Makes uint8 batches of shape (n, size, size, 3) out of sample numbers, by threads; the GIL is free meanwhile.

    An image that cannot be decoded is replaced by the next one that can, so that every batch is whole; `corrupt` holds
    the numbers of those met.
    """

    def __init__(self, images: Images, *, size: int, side: int, workers: int) -> None:
        self._images, self._size, self._side = images, size, side
        self._pool = ThreadPoolExecutor(workers, "decode")
        self._kept: dict[int, Pixels] = {}
        self._kept_bytes = 0
        self._remote = any(map(store.is_remote, images.paths))
        self.corrupt: set[int] = set()

    def close(self) -> None:
        """End the threads."""
        self._pool.shutdown(cancel_futures=True)

    def batch(self, numbers: npt.NDArray[np.int64], places: npt.NDArray[np.float64]) -> tuple[Pixels, list[int]]:
        """Return crops of images, and whose they are: the numbers, but for corrupt ones.

        Args:
            numbers: of samples, int64 of shape (n,).
            places: of the crops, float64 of shape (n, 2) in [0, 1].
        """
        wanted = [int(number) for number in numbers]
        # an object store is asked for all images at once, a disk by each thread, front to back
        bodies = self._read([number for number in wanted if number not in self._kept]) if self._remote else {}
        images = self._images
        ordered = sorted(range(len(wanted)), key=lambda i: (images.shard[wanted[i]], images.offset[wanted[i]]))
        out = np.empty((len(wanted), self._size, self._size, 3), np.uint8)
        chunks = [ordered[start : start + CHUNK] for start in range(0, len(ordered), CHUNK)]
        shown = wanted.copy()
        for found in self._pool.map(lambda chunk: self._fill(out, places, wanted, chunk, bodies), chunks):
            for row, number in found.items():
                shown[row] = number
        return out, shown

    def _fill(
        self,
        out: Pixels,
        places: npt.NDArray[np.float64],
        wanted: Sequence[int],
        rows: Sequence[int],
        bodies: dict[int, bytes],
    ) -> dict[int, int]:
        """Make some rows of a batch; return which of them show another image than the one wanted."""
        missing = [wanted[row] for row in rows if wanted[row] not in self._kept]
        bodies = bodies or self._read(missing)
        others: dict[int, int] = {}
        for row in rows:
            number, pixels = self._pixels(wanted[row], bodies)
            out[row] = cropped(pixels, self._size, places[row])
            self._keep(number, pixels)
            if number != wanted[row]:
                others[row] = number
        return others

    def _read(self, numbers: Sequence[int]) -> dict[int, bytes]:
        """Return the stored bytes of samples; those of one tar that lie beside each other in `numbers` together."""
        images = self._images
        out: dict[int, bytes] = {}
        for shard, group in groupby(numbers, key=lambda number: int(images.shard[number])):
            members = list(group)
            extents = [Extent(int(images.offset[number]), int(images.size[number])) for number in members]
            out.update(zip(members, read_many(images.paths[shard], extents), strict=True))
        return out

    def _pixels(self, number: int, bodies: dict[int, bytes]) -> tuple[int, Pixels]:
        """Return a sample's small image, or the next one's that can be decoded, and its number."""
        for candidate in range(number, number + len(self._images)):
            candidate %= len(self._images)  # noqa: PLW2901
            if candidate in self._kept:
                return candidate, self._kept[candidate]
            body = bodies.get(candidate)
            try:
                return candidate, small(self._read([candidate])[candidate] if body is None else body, self._side)
            except ImageError:
                self.corrupt.add(candidate)
        raise EmptyError(f"none of the {len(self._images)} images can be decoded")

    def _keep(self, number: int, pixels: Pixels) -> None:
        if number not in self._kept and self._kept_bytes + pixels.nbytes <= CACHE_BYTES:
            self._kept[number] = pixels
            self._kept_bytes += pixels.nbytes
