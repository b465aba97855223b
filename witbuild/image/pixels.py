"""Planes to pixels of four bytes, which an encoder takes as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.image.jpeg.bits import loop

if TYPE_CHECKING:
    import numpy.typing as npt

    Plane = npt.NDArray[np.uint8]


def interleaved(luma: Plane, blue: Plane, red: Plane) -> npt.NDArray[np.uint32]:
    """Return luma and chroma of each pixel in the lower three bytes of a number.

    Args:
        luma: uint8 of shape (height, width).
        blue: uint8 of half as many rows and columns, rounded up.
        red: as blue.

    Example:
        >>> planes = (np.array(rows, np.uint8) for rows in ([[1, 2, 3]], [[4, 5]], [[6, 7]]))
        >>> interleaved(*planes).view(np.uint8).reshape(3, 4)[:, :3].tolist()
        [[1, 4, 6], [2, 4, 6], [3, 5, 7]]
    """
    out = np.empty(luma.shape, "<u4")
    _interleave(luma, blue, red, out)
    return out


@loop
def _interleave(luma: Plane, blue: Plane, red: Plane, out: npt.NDArray[np.uint32]) -> None:
    one, high, higher = np.uintp(1), np.uint32(8), np.uint32(16)
    for row in range(out.shape[0]):
        y, half = np.uintp(row), np.uintp(row >> 1)
        for column in range(out.shape[1] // 2):
            x = np.uintp(column)
            chroma = (np.uint32(blue[half, x]) << high) | (np.uint32(red[half, x]) << higher)
            out[y, x + x] = np.uint32(luma[y, x + x]) | chroma
            out[y, x + x + one] = np.uint32(luma[y, x + x + one]) | chroma
        if out.shape[1] % 2:
            x = np.uintp(out.shape[1] // 2)
            chroma = (np.uint32(blue[half, x]) << high) | (np.uint32(red[half, x]) << higher)
            out[y, x + x] = np.uint32(luma[y, x + x]) | chroma
