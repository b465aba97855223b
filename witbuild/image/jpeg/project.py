"""Area means of a plane straight from the coefficients of its blocks.

A mean over a rectangle is linear in the pixels, and a block's pixels are linear in its coefficients, each direction by
itself. So the means that a block has a part in are two small matrices with its coefficients between them, and no pixel
of the original is made:

    sums[means down, means across] += down[means, 8] @ coefficients[8, 8] @ across[8, means]

`down` and `across` are the parts that samples have in the means (weights.py) times the basis of the transform. A
decoder cuts samples off at 0 and 255, which is not linear: of blocks that may go far beyond, the samples are made after
all, and what they are beyond is taken off the sums. Black letters on white paper would be greyer without.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.image.jpeg.bits import LANES, add_eight, loop, mix_eight, mix_four, mix_two, woven
from witbuild.text.simd import lowest_bit

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.image.jpeg.weights import Floats, Weights

NATURAL = np.array(
    [
        0, 1, 8, 16, 9, 2, 3, 10, 17, 24, 32, 25, 18, 11, 4, 5, 12, 19, 26, 33, 40, 48, 41, 34, 27, 20, 13, 6, 7, 14,
        21, 28, 35, 42, 49, 56, 57, 50, 43, 36, 29, 22, 15, 23, 30, 37, 44, 51, 58, 59, 52, 45, 38, 31, 39, 46, 53, 60,
        61, 54, 47, 55, 62, 63,
    ], np.int64)  # fmt: skip
"""Row and column (8 * row + column) of each coefficient in zigzag order (ITU-T T.81, figure A.6)."""
SCRATCH: Final = 2 * 8 * LANES
"""Numbers that `project` needs to write over."""
_LOW, _HIGH = np.float32(-128), np.float32(127)
_SLACK = 12
"""Levels that a sample may be beyond 0 or 255 without being cut off, about what quantisation makes of it."""
_FAR = np.float32(8 * (127 + _SLACK))
_SPREAD = np.float32(6)
"""How far samples are taken to reach from their mean, squared, in standard deviations."""
_ENERGY = np.float32(1024)
"""The most that the coefficients of an 8-bit block come to: their squares sum to those of 64 samples (Parseval)."""
_SHORT, _TALL, _ROW, _COLUMN = np.uintp(16), np.uintp(32), np.uintp(56), np.uintp(7)
_ONE = np.uint64(1)


@loop
def project(  # noqa: PLR0913, PLR0917
    coefficients: npt.NDArray[np.int16],
    masks: npt.NDArray[np.uint64],
    first: int,
    stride: int,
    quantiser: Floats,
    down: Weights,
    across: Weights,
    room: int,
    natural: npt.NDArray[np.int64],
    waves: Floats,
    scratch: Floats,
    sums: Floats,
) -> bool:
    """Add the means of a plane; False when a block's samples are none of an 8-bit image.

    Args:
        coefficients: 64 of each block in zigzag order, valid where the mask says so.
        masks: of each block.
        first: number of the plane's first block.
        stride: blocks in a row.
        quantiser: steps of the coefficients.
        down: parts of the blocks along a column.
        across: parts of the blocks along a row.
        room: numbers of a row of sums, LANES more than there are means.
        natural: NATURAL.
        waves: weights.WAVES.
        scratch: float32 of shape (SCRATCH,).
        sums: float32 of shape (means down * room,), row by row: added to.
    """
    rounding = np.float32(0)
    for k in range(64):
        rounding += quantiser[k] * quantiser[k]
    most = (_ENERGY + np.float32(0.5) * np.sqrt(rounding)) ** 2
    for row in range(len(down.start)):
        for column in range(len(across.start)):
            if down.means[row] == 0 or across.means[column] == 0:
                continue
            block = np.uintp(first + row * stride + column)
            tallest, far, energy = _across(
                coefficients, masks[block], block, quantiser, natural, across.waves, np.uintp(column), scratch
            )
            if energy > most:
                return False
            at = np.uintp(down.start[row]) * np.uintp(room) + np.uintp(across.start[column])
            weights = np.uintp(row) << np.uintp(6)
            _down(tallest, down.means[row], sums, at, np.uintp(room), scratch, down.waves, weights)
            if far:
                _cut(
                    coefficients, masks[block], block, quantiser, natural, waves, down, across, row, column, room,
                    at, scratch, sums,
                )  # fmt: skip
    return True


@woven
def _down(  # noqa: PLR0913, PLR0917
    tallest: np.uintp,
    means: int,
    sums: Floats,
    at: np.uintp,
    room: np.uintp,
    rows: Floats,
    waves: Floats,
    weights: np.uintp,
) -> None:
    """Add to each mean down its part of a block's rows, of those that hold anything: few blocks have more than two."""
    if tallest < _SHORT:
        for mean in range(means):
            mix_two(sums, at + np.uintp(mean) * room, rows, waves, weights + np.uintp(mean))
    elif tallest < _TALL:
        for mean in range(means):
            mix_four(sums, at + np.uintp(mean) * room, rows, waves, weights + np.uintp(mean))
    else:
        for mean in range(means):
            mix_eight(sums, at + np.uintp(mean) * room, rows, waves, weights + np.uintp(mean))


@woven
def _across(  # noqa: PLR0913, PLR0917
    coefficients: npt.NDArray[np.int16],
    mask: np.uint64,
    block: np.uintp,
    quantiser: Floats,
    natural: npt.NDArray[np.int64],
    waves: Floats,
    column: np.uintp,
    rows: Floats,
) -> tuple[np.uintp, bool, np.float32]:
    """Set eight rows of eight to what a block's rows of coefficients add to the means across.

    Returns:
        the row of its last coefficient, times 8; whether its samples may be far beyond 0 and 255; the sum of the
        squares of its coefficients.
    """
    kept, of = block << np.uintp(6), column << np.uintp(6)
    rows[: 8 * LANES] = 0
    tallest, reach, energy = np.uintp(0), np.float32(0), np.float32(0)
    while mask:
        k = np.uintp(lowest_bit(mask))
        mask &= mask - _ONE
        place = np.uintp(natural[k])
        tallest = max(tallest, place)
        value = np.float32(coefficients[kept + k]) * quantiser[k]
        reach += abs(value)
        energy += value * value
        add_eight(rows, place & _ROW, waves, of + ((place & _COLUMN) << np.uintp(3)), value)
    # a coefficient is at most a quarter of itself in a sample, the first one an eighth
    constant = abs(np.float32(coefficients[kept]) * quantiser[0])
    room = max(_FAR - constant, np.float32(0))
    far = reach + reach > _FAR + constant and _SPREAD * (energy - constant * constant) > room * room
    return tallest, far, energy


@loop
def _cut(  # noqa: PLR0913, PLR0917
    coefficients: npt.NDArray[np.int16],
    mask: np.uint64,
    block: np.uintp,
    quantiser: Floats,
    natural: npt.NDArray[np.int64],
    waves: Floats,
    down: Weights,
    across: Weights,
    row: int,
    column: int,
    room: int,
    at: np.uintp,
    scratch: Floats,
    sums: Floats,
) -> None:
    """Take off the sums what the samples of a block are below 0 or above 255."""
    _across(coefficients, mask, block, quantiser, natural, waves, np.uintp(0), scratch)
    samples = np.uintp(8 * LANES)
    scratch[8 * LANES : 2 * 8 * LANES] = 0
    for y in range(8):
        mix_eight(scratch, samples + np.uintp(y * LANES), scratch, waves, np.uintp(y))
    for number in range(64):
        value = scratch[samples + np.uintp(number)]
        beyond = min(max(value, _LOW), _HIGH) - value
        if beyond == 0:
            continue
        y, x = number >> 3, np.uintp((column * 8 + (number & 7)) * LANES)
        for mean in range(down.means[row]):
            share = beyond * down.samples[(row * 8 + y) * LANES + mean]
            add_eight(sums, at + np.uintp(mean * room), across.samples, x, share)
