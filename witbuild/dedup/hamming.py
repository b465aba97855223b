"""All pairs of 64-bit hashes within a Hamming distance, exactly, without comparing every pair.

Hashes cut into m blocks that differ in at most d bits agree in at least m - d whole blocks. So one table for every
choice of m - d blocks, keyed by those blocks' bits, brings each such pair together at least once (Manku, Jain,
Das Sarma 2007, section 3; with m = d + 1 this is the multi-index hashing of Norouzi, Punjani, Fleet 2012).
"""

from __future__ import annotations

from functools import lru_cache
from itertools import combinations, pairwise
from math import comb
from typing import TYPE_CHECKING

import numpy as np

from witbuild.sample.coins import mix
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_DISTANCE = 6
"""Beyond this there would be 120 tables and more, and pictures that differ would be near."""
_KEY_BITS = 16
"""A table's key has at least so many bits, so that a bucket holds at most some 1/65,536 of well spread hashes."""


def block_count(distance: int) -> int:
    """Return into how many blocks hashes are cut: the fewest whose tables have keys of 16 bits.

    Example:
        >>> [block_count(distance) for distance in range(6)]
        [1, 2, 3, 4, 6, 7]
    """
    counts = range(distance + 1, 65)
    return next(m for m in counts if (64 * (m - distance)) // m >= _KEY_BITS)


@lru_cache(maxsize=16)
def table_masks(distance: int) -> tuple[int, ...]:
    """Return the bits that each table's key is made of.

    Example:
        >>> [hex(mask) for mask in table_masks(1)]
        ['0xffffffff', '0xffffffff00000000']
        >>> len(table_masks(4)) == comb(6, 2)
        True
    """
    m = block_count(distance)
    cuts = [64 * i // m for i in range(m + 1)]
    blocks = [(1 << high) - (1 << low) for low, high in pairwise(cuts)]
    return tuple(sum(chosen) for chosen in combinations(blocks, m - distance))


def table_count(distance: int) -> int:
    """Return the number of tables.

    Example:
        >>> table_count(3)
        4
    """
    m = block_count(distance)
    return comb(m, distance)


def table_keys(hashes: npt.NDArray[np.uint64], distance: int) -> npt.NDArray[np.uint64]:
    """Return the key of each hash in each table, uint64 of shape (n, tables); tables' keys are kept apart by number."""
    masks = np.array(table_masks(distance), np.uint64)
    numbers = mix(np.arange(1, masks.size + 1, dtype=np.uint64))
    return mix((hashes[:, None] & masks[None, :]) ^ numbers[None, :])


@kernel
def bits(value: np.uint64) -> int:
    """Return how many bits of a number are set (Warren, Hacker's Delight, section 5-1)."""
    value -= (value >> np.uint64(1)) & np.uint64(0x5555555555555555)
    value = (value & np.uint64(0x3333333333333333)) + ((value >> np.uint64(2)) & np.uint64(0x3333333333333333))
    value = (value + (value >> np.uint64(4))) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return int((value * np.uint64(0x0101010101010101)) >> np.uint64(56))


def near_pairs(hashes: npt.NDArray[np.uint64], distance: int) -> npt.NDArray[np.int64]:
    """Return all (i, j), i < j, of a bucket's hashes within a distance, int64 of shape (pairs, 2)."""
    out = np.empty((_near_pairs(hashes, distance, np.empty((0, 2), np.int64)), 2), np.int64)
    _near_pairs(hashes, distance, out)
    return out


@kernel
def _near_pairs(hashes: npt.NDArray[np.uint64], distance: int, out: npt.NDArray[np.int64]) -> int:
    """Write the pairs that `out` has room for, and return how many there are."""
    count = 0
    for i in range(hashes.size):
        for j in range(i + 1, hashes.size):
            if bits(hashes[i] ^ hashes[j]) <= distance:
                if count < out.shape[0]:
                    out[count, 0], out[count, 1] = i, j
                count += 1
    return count
