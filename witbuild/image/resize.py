"""Area-exact shrinking, in integers, so that every machine gives the same pixels; and where an image is to fit.

A pixel of the result is the mean of the rectangle of the source that it covers, pixels at the edge of the rectangle
counted by the part of them that lies inside.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

ONE = 1 << 14
"""The sum of a pixel's weights in one direction; sums of 255 * ONE * ONE are rounded once."""


@lru_cache(maxsize=512)
def weights(source: int, target: int) -> tuple[npt.NDArray[np.int32], npt.NDArray[np.int32]]:
    """Return where each pixel of a shrunk line begins in the source, and its weights there.

    Args:
        source: pixels of the line.
        target: pixels of the result, at most as many.

    Returns:
        int32 of shape (target,): first source pixel; int32 of shape (target, widest): weights that sum to 2^14,
        zeros at the end.

    Example:
        >>> first, weight = weights(3, 2)
        >>> first.tolist(), weight.tolist()
        ([0, 1], [[10923, 5461], [5461, 10923]])
    """
    edges = np.arange(target + 1, dtype=np.int64) * source  # in units of 1/target source pixels
    first = edges[:-1] // target
    widest = int(np.max(-(-edges[1:] // target) - first))
    pixels = first[:, None] + np.arange(widest)
    left = np.maximum(edges[:-1, None], pixels * target)
    right = np.minimum(edges[1:, None], (pixels + 1) * target)
    covered = np.maximum(right - left, 0).cumsum(axis=1)
    # rounding the running sums, not the terms, makes every row sum to ONE exactly
    sums = (2 * covered * ONE + source) // (2 * source)
    return first.astype(np.int32), np.diff(sums, axis=1, prepend=0).astype(np.int32)


@kernel
def _shrink(pixels, rows, row_weights, columns, column_weights, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202, PLR0913, PLR0917
    bands = pixels.shape[2]
    line = pixels.shape[1] * bands
    flat = pixels.reshape(pixels.shape[0], line)
    sums = np.zeros(
        line + bands * column_weights.shape[1], np.uint32
    )  # the weights past the edge, zeros, fall on zeros
    for y in range(out.shape[0]):
        sums[:line] = 0
        for step in range(row_weights.shape[1]):
            weight = np.uint32(row_weights[y, step])
            if weight:
                source = flat[rows[y] + step]
                for x in range(line):
                    sums[x] += weight * np.uint32(source[x])
        if bands == 3:
            _across(sums, columns, column_weights, out[y])
        else:
            _across_one(sums, columns, column_weights, out[y])


@kernel
def _across(sums, columns, column_weights, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    half, shift = np.uint64(1 << 27), np.uint64(28)
    one, two, three = np.uintp(1), np.uintp(2), np.uintp(3)
    for x in range(out.shape[0]):
        red, green, blue = half, half, half
        place = np.uintp(3 * columns[x])  # unsigned: numba would look at each place whether it counts from the end
        for step in range(column_weights.shape[1]):
            part = np.uint64(column_weights[x, step])
            red += part * np.uint64(sums[place])
            green += part * np.uint64(sums[place + one])
            blue += part * np.uint64(sums[place + two])
            place += three
        out[x, 0], out[x, 1], out[x, 2] = red >> shift, green >> shift, blue >> shift


@kernel
def _across_one(sums, columns, column_weights, out):  # type: ignore[no-untyped-def]  # noqa: ANN001, ANN202
    for x in range(out.shape[0]):
        total, place = np.uint64(1 << 27), np.uintp(columns[x])
        for step in range(column_weights.shape[1]):
            total += np.uint64(column_weights[x, step]) * np.uint64(sums[place])
            place += np.uintp(1)
        out[x, 0] = total >> np.uint64(28)


def shrink(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return an image made smaller by exact area means.

    Args:
        pixels: uint8 of shape (h, w, 3) or (h, w, 1), C-contiguous.
        width: of the result, at most w.
        height: of the result, at most h.

    Example:
        >>> shrink(np.array([[[0, 0, 0], [255, 100, 9]]], np.uint8), 1, 1).tolist()
        [[[128, 50, 5]]]
    """
    if (height, width) == pixels.shape[:2]:
        return pixels
    rows, row_weights = weights(pixels.shape[0], height)
    columns, column_weights = weights(pixels.shape[1], width)
    out = np.empty((height, width, pixels.shape[2]), np.uint8)
    _shrink(pixels, rows, row_weights, columns, column_weights, out)
    return out


def shrink_reference(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return what `shrink` returns, by two products of matrices; what tests hold it to."""
    across, down = (_matrix(*sides) for sides in ((pixels.shape[1], width), (pixels.shape[0], height)))
    sums = np.einsum("yi,xj,ijc->yxc", down, across, pixels.astype(np.int64), optimize=True)
    return ((sums + (1 << 27)) >> 28).astype(np.uint8)


def _matrix(source: int, target: int) -> npt.NDArray[np.int64]:
    first, weight = weights(source, target)
    matrix = np.zeros((target, source), np.int64)
    for place, (start, row) in enumerate(zip(first, weight, strict=True)):
        stop = min(start + len(row), source)
        matrix[place, start:stop] = row[: stop - start]
    return matrix


def fit(width: int, height: int, size: int, mode: str, *, upscale: bool = False) -> tuple[int, int]:
    """Return width and height of the image before cropping or bordering; img2dataset's modes and its arithmetic.

    Args:
        width: of the upright original.
        height: of the upright original.
        size: the side asked for, pixels.
        mode: `no`; `keep_ratio`, `center_crop`: the shorter side becomes size; `keep_ratio_largest`, `border`: the
            longer side does.
        upscale: make small images larger too.

    Example:
        >>> fit(1000, 500, 256, "keep_ratio"), fit(1000, 500, 256, "border"), fit(100, 50, 256, "keep_ratio")
        ((512, 256), (256, 128), (100, 50))
    """
    if not fits(width, height, size, mode, upscale=upscale):
        return width, height
    scale = size / _side(width, height, mode)
    return max(1, round(width * scale)), max(1, round(height * scale))


def fits(width: int, height: int, size: int, mode: str, *, upscale: bool = False) -> bool:
    """Say whether an image is fitted at all; one that is no larger is left as it is, neither cropped nor bordered.

    Example:
        >>> fits(1000, 200, 256, "center_crop"), fits(1000, 200, 256, "border")
        (False, True)
    """
    return mode != "no" and (upscale or _side(width, height, mode) > size)


def _side(width: int, height: int, mode: str) -> int:
    return (min if mode in ("keep_ratio", "center_crop") else max)(width, height)


def resize(pixels: Pixels, width: int, height: int) -> Pixels:
    """Return an image of another size: area means where it shrinks, Lanczos (Pillow) where it grows."""
    smaller = shrink(pixels, min(width, pixels.shape[1]), min(height, pixels.shape[0]))
    if smaller.shape[:2] == (height, width):
        return smaller
    from PIL import Image

    image = Image.fromarray(smaller if smaller.shape[2] == 3 else smaller[:, :, 0])
    grown = np.asarray(image.resize((width, height), Image.Resampling.LANCZOS))
    return np.ascontiguousarray(grown.reshape(height, width, -1))


def crop(pixels: Pixels, size: int) -> Pixels:
    """Return the middle of an image, at most size by size.

    Example:
        >>> crop(np.zeros((5, 9, 3), np.uint8), 4).shape
        (4, 4, 3)
    """
    height, width = pixels.shape[:2]
    top, left = max(0, (height - size) // 2), max(0, (width - size) // 2)
    return np.ascontiguousarray(pixels[top : top + size, left : left + size])


def border(pixels: Pixels, size: int) -> Pixels:
    """Return an image in the middle of a white square.

    Example:
        >>> border(np.zeros((2, 4, 3), np.uint8), 4)[:, 0, 0].tolist()
        [255, 0, 0, 255]
    """
    height, width = pixels.shape[:2]
    side = max(size, height, width)
    square = np.full((side, side, 3), 255, np.uint8)
    top, left = (side - height) // 2, (side - width) // 2
    square[top : top + height, left : left + width] = pixels
    return square
