"""Where a pair comes in the data set: its split, its place in the global order, its shard.

The order is that of (coin, key), a shuffle that depends on the seed and the keys alone. Slices are ranges of
the coin, so slices behind each other are the whole order, however many there are:

    coin    0 ............................................ 2^64
    slices  |    0    |    1    |    2    |    3    |           sorted one by one
    shards  |     0     |     1     |     2     |  3  |         exact ranges of the concatenation
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.sample.coins import coins

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy.typing as npt


def slice_of(order: npt.NDArray[np.uint64], count: int) -> npt.NDArray[np.int64]:
    """Return the slice, 0 to count - 1, of each coin; slices are equal ranges of the coin, in its order.

    Args:
        order: coins, uint64 of shape (n,).
        count: of slices, at most 2^31.

    Example:
        >>> slice_of(np.array([0, 2**62, 2**63, 2**64 - 1], np.uint64), 4).tolist()
        [0, 1, 2, 3]
    """
    return (((order >> np.uint64(32)) * np.uint64(count)) >> np.uint64(32)).astype(np.int64)


def held_out(pairs: pa.Table, *, seed: int, fraction: float) -> npt.NDArray[np.bool_]:
    """Say which pairs belong to the validation split, bool of shape (n,).

    The coin is tossed for the cluster of near-duplicate images that the pair belongs to; for the image (its
    pixels' hash) where that is a cluster of one; for the pair's key where the hash is not known either.

    Args:
        pairs: n rows with the columns key, pixel_sha256 and cluster, the name of the cluster or null.
        seed: of the coin.
        fraction: of the clusters that are held out, 0 to 1.

    Example:
        >>> pairs = pa.table({"key": ["0" * 32, "f" * 32], "pixel_sha256": ["ab" * 32] * 2, "cluster": [None] * 2})
        >>> one, other = held_out(pairs, seed=1, fraction=0.5)
        >>> one == other, held_out(pairs, seed=1, fraction=0.0).any()
        (np.True_, np.False_)
    """
    images = pc.utf8_slice_codeunits(pairs["pixel_sha256"].cast(pa.string()), 0, 32)
    tossed = coins(pc.coalesce(pairs["cluster"].cast(pa.string()), images, pairs["key"]), seed=seed, what="split")
    return tossed.astype(np.float64) < fraction * 2.0**64


def cut(sizes: Iterable[npt.NDArray[np.int64]], *, samples: int, size: int | None) -> Iterator[tuple[int, int]]:
    """Yield the ranges (start, stop) of the global order that become shards, as long as they may be.

    Args:
        sizes: bytes of each sample in order, in pieces; only a piece and a shard are held at a time.
        samples: at most in a shard.
        size: bytes at most in a shard; a single larger sample has a shard of its own. None: no limit.

    Example:
        >>> list(cut([np.array([5, 5]), np.array([5, 20, 1])], samples=2, size=12))
        [(0, 2), (2, 3), (3, 4), (4, 5)]
    """
    start, waiting = 0, np.zeros(0, np.int64)
    for piece in sizes:
        waiting = np.concatenate([waiting, piece])
        done = 0
        while (count := _fitting(waiting[done:], samples, size)) < len(waiting) - done:
            yield start, start + count
            start, done = start + count, done + count
        waiting = waiting[done:]
    if len(waiting):
        yield start, start + len(waiting)


def _fitting(sizes: npt.NDArray[np.int64], samples: int, size: int | None) -> int:
    """Return how many of the first samples fit a shard, at least one when there is one."""
    first = sizes[:samples]
    if size is None:
        return len(first)
    return min(len(first), max(1, int(np.searchsorted(np.cumsum(first), size, "right"))))


def spans(rows: Iterable[int], start: int, stop: int) -> list[tuple[int, int, int]]:
    """Return (part, start, stop) of the rows of each part that make up a range of their concatenation.

    Example:
        >>> spans([3, 0, 4], 2, 5)
        [(0, 2, 3), (2, 0, 2)]
    """
    ends = np.cumsum([0, *rows])
    inside = [(max(start - a, 0), min(stop, b) - a) for a, b in pairwise(ends)]
    return [(part, int(first), int(last)) for part, (first, last) in enumerate(inside) if first < last]
