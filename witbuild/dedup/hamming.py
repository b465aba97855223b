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
from witbuild.text.kernels import inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

MAX_DISTANCE = 6
"""Beyond this there would be 120 tables and more, and pictures that differ would be near."""
_KEY_BITS = 16
"""A table's key has at least so many bits, so that a bucket holds at most some 1/65,536 of well spread hashes."""
_SPARE_BITS = 4
"""By which keys within a bucket are longer than its size needs: few share one by chance."""
_SORTING = 200
"""Comparisons of a hash that take as long as to sort it into its place."""


def block_count(distance: int, key_bits: int = _KEY_BITS) -> int:
    """Return into how many blocks hashes are cut: the fewest whose tables have keys of so many bits.

    Example:
        >>> [block_count(distance) for distance in range(6)]
        [1, 2, 3, 4, 6, 7]
    """
    counts = range(distance + 1, 65)
    return next(m for m in counts if (64 * (m - distance)) // m >= key_bits)


@lru_cache(maxsize=64)
def table_masks(distance: int, key_bits: int = _KEY_BITS) -> tuple[int, ...]:
    """Return the bits that each table's key is made of.

    Example:
        >>> [hex(mask) for mask in table_masks(1)]
        ['0xffffffff', '0xffffffff00000000']
        >>> len(table_masks(4)) == comb(6, 2)
        True
    """
    m = block_count(distance, key_bits)
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
    """Return all (i, j), i < j, of a bucket's hashes within a distance, ascending, int64 of shape (pairs, 2).

    A large bucket has tables of its own, whose keys are as much longer as it is large.

    Example:
        >>> near_pairs(np.array([0b0111, 0b1000, 0b0011], np.uint64), 1).tolist()
        [[0, 2]]
    """
    masks = table_masks(distance, hashes.size.bit_length() + _SPARE_BITS)
    if hashes.size < _SORTING * len(masks):  # to sort a bucket for each table would take longer
        masks = (0,)
    bits = np.array(masks, np.uint64)
    found = [_of_table(hashes, distance, bits[: number + 1]) for number in range(bits.size)]
    pairs = np.concatenate(found)
    return pairs[np.lexsort((pairs[:, 1], pairs[:, 0]))]


def _of_table(hashes: npt.NDArray[np.uint64], distance: int, masks: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the near pairs that agree in the bits of the last mask, and of none before it."""
    order = np.argsort(hashes & masks[-1], kind="stable")
    out = np.empty((_near_pairs(hashes, order, distance, masks, np.empty((0, 2), np.int64)), 2), np.int64)
    _near_pairs(hashes, order, distance, masks, out)
    return out


@kernel
def _near_pairs(
    hashes: npt.NDArray[np.uint64],
    order: npt.NDArray[np.int64],
    distance: int,
    masks: npt.NDArray[np.uint64],
    out: npt.NDArray[np.int64],
) -> int:
    """Write the pairs that `out` has room for, and return how many there are."""
    count, last = 0, masks.size - 1
    for one in range(order.size):
        i = order[one]
        for two in range(one + 1, order.size):
            j = order[two]
            apart = hashes[i] ^ hashes[j]
            if apart & masks[last]:
                break
            if bits(apart) <= distance and _is_new(apart, masks):
                if count < out.shape[0]:
                    out[count, 0], out[count, 1] = min(i, j), max(i, j)
                count += 1
    return count


@inner
def _is_new(apart: np.uint64, masks: npt.NDArray[np.uint64]) -> bool:
    """Say whether two hashes, by the bits in which they differ, share no table before the last."""
    for table in range(masks.size - 1):  # noqa: SIM110 a generator is not compiled
        if not apart & masks[table]:
            return False
    return True
