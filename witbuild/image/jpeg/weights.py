"""Which parts the samples of a line, and the waves of its blocks, have in the means along it.

Chroma of half the size is interpolated by the library's triangle before the mean (3/4 of the nearer sample and 1/4 of
the next one), which is linear as well.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.image import resize
from witbuild.image.jpeg.bits import LANES, add_eight, loop

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float32]
    Places = npt.NDArray[np.int64]

_cosines = np.cos(np.pi * np.outer(np.arange(8), 2 * np.arange(8) + 1) / 16) / 2
_cosines[0] /= np.sqrt(2)
WAVES = (np.rint(_cosines * (1 << 22)) / (1 << 22)).astype(np.float32).ravel()
"""8 * u + x: what coefficient u adds to sample x (ITU-T T.81, section A.3.3), in units that float32 holds."""


class Weights(NamedTuple):
    """What the blocks of a line add to the means along it.

    Attributes:
        start: of each block, the first mean that it has a part in.
        means: of each block, how many it has a part in, at most LANES.
        samples: float32 of shape (blocks * 8 * LANES,): the part of each sample of a block in each of those means.
        waves: the same for its eight coefficients.
    """

    start: Places
    means: Places
    samples: Floats
    waves: Floats


class Line(NamedTuple):
    """A direction of a plane: how its samples become means.

    Attributes:
        pixels: of the image.
        means: that the pixels become.
        low: the first mean that is wanted.
        high: after the last one.
        sampled: pixels a sample: 1 or 2.
        paired: two neighbouring means become one.
    """

    pixels: int
    means: int
    low: int
    high: int
    sampled: int
    paired: bool


@lru_cache(maxsize=64)
def weights(line: Line) -> Weights | None:
    """Return the weights of a line; None when a block has a part in more than LANES means.

    Example:
        >>> found = weights(Line(16, 4, 0, 4, 1, False))
        >>> found.start.tolist(), found.means.tolist(), found.samples[:16:8].tolist()
        ([0, 2], [2, 2], [0.25, 0.25])
    """
    samples = -(-line.pixels // line.sampled)
    blocks = -(-samples // 8)
    found = Weights(
        np.full(blocks, -1, np.int64), np.zeros(blocks, np.int64), *np.zeros((2, blocks * 8 * LANES), np.float32)
    )
    first, weight = resize.weights(line.pixels, line.means)
    wanted = slice(line.low, line.high)
    if not _fill(first[wanted], weight[wanted], line.sampled, samples, line.paired, WAVES, found):
        return None
    return found


@loop
def _fill(  # noqa: PLR0913, PLR0917
    first: npt.NDArray[np.int32],
    weight: npt.NDArray[np.int32],
    sampled: int,
    samples: int,
    paired: bool,  # noqa: FBT001
    waves: Floats,
    out: Weights,
) -> bool:
    for target in range(len(first)):
        mean = target >> 1 if paired else target
        share = (0.5 if paired and target ^ 1 < len(first) else 1.0) / resize.ONE
        for step in range(weight.shape[1]):
            part, pixel = share * weight[target, step], first[target] + step
            if part and sampled == 1 and not _add(pixel, np.float32(part), mean, out):
                return False
            if part and sampled == 2:
                other = min(max((pixel >> 1) + (pixel & 1) * 2 - 1, 0), samples - 1)
                if not _add(other, np.float32(0.25 * part), mean, out):
                    return False
                if not _add(pixel >> 1, np.float32(0.75 * part), mean, out):
                    return False
    for line in range(len(out.waves) // LANES):
        for x in range(8):
            place = np.uintp((line & ~7) * LANES + x * LANES)
            add_eight(out.waves, np.uintp(line * LANES), out.samples, place, waves[(line & 7) * 8 + x])
    return True


@loop
def _add(sample: int, part: np.float32, mean: int, out: Weights) -> bool:
    """Add a sample's part in a mean; False when its block has a part in too many."""
    block = sample >> 3
    if out.start[block] < 0:
        out.start[block] = mean
    lane = mean - out.start[block]
    if not 0 <= lane < LANES:
        return False
    out.means[block] = max(out.means[block], lane + 1)
    out.samples[sample * LANES + lane] += part
    return True
