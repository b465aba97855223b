"""Hashes of pixels: exact, and perceptual in integers, so that every machine gives the same bits."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np

from witbuild.image.resize import resize

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

_SIDE, _KEPT = 32, 8
_COSINES = np.rint(
    (1 << 14) * np.cos(np.pi * np.outer(np.arange(_KEPT), 2 * np.arange(_SIDE) + 1) / (2 * _SIDE))
).astype(np.int64)
"""Rows of the discrete cosine transform (type II) of 32 points, in units of 2^-14."""


def pixel_sha256(*planes: Pixels) -> str:
    """Return the hash of an image's size and values, hex.

    Args:
        planes: uint8 of shape (height, width, 3), or luma and chroma, each of shape (height, width).

    Example:
        >>> pixel_sha256(np.zeros((1, 2, 3), np.uint8)) == pixel_sha256(np.zeros((2, 1, 3), np.uint8))
        False
    """
    digest = hashlib.sha256(b"%d %d " % planes[0].shape[:2])
    for plane in planes:
        digest.update(np.ascontiguousarray(plane).data)
    return digest.hexdigest()


def phash(pixels: Pixels) -> int:
    """Return the 64-bit perceptual hash: which low frequencies of 32x32 grey values are above their median.

    The method is that of Krawetz, "Looks Like It" (2011): DCT, the 8x8 lowest frequencies, one bit each, row by row
    from the most significant. Images that look alike differ in few bits.

    Args:
        pixels: uint8 of shape (height, width, 3), or (height, width, 1): luma.

    Example:
        >>> ramp = np.repeat(np.arange(64, dtype=np.uint8)[:, None, None], 64, 1).repeat(3, 2)
        >>> phash(ramp) == phash(ramp + 9), phash(ramp) == phash(ramp[::-1].copy())
        (True, False)
    """
    small = resize(pixels, _SIDE, _SIDE).astype(np.int64)
    grey = small @ np.array([299, 587, 114] if small.shape[2] == 3 else [1000])
    waves = (_COSINES @ grey @ _COSINES.T).ravel()
    middle = np.sort(waves)[31:33].sum()
    return int.from_bytes(np.packbits(2 * waves > middle).tobytes(), "big")
