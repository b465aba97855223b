"""MinHash signatures, bit-equal to datasketch's with ``scheme="affine32"`` and the hash function `shingle_hash`.

The signature of a set is, for each of `num_perm` permutations of the 32-bit numbers, the smallest number that a member
goes to; two sets agree in a place with the probability of their Jaccard similarity (Broder 1997). A permutation is
``a * mix(x) + b mod 2^32`` with `a` odd and `mix` the finaliser of MurmurHash3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

from witbuild.dedup.shingles import Manner, longest, room_for_starts, runs

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.shingles import Sets, Unit
    from witbuild.dedup.strings import Strings

EMPTY = np.uint32(0xFFFFFFFF)
"""What every place of an empty set's signature holds."""
_ALL = 2**64 - 1


class Permutations(NamedTuple):
    """Multipliers and addends of the permutations."""

    a: npt.NDArray[np.uint32]
    """uint32 of shape (num_perm,), odd."""
    b: npt.NDArray[np.uint32]
    """uint32 of shape (num_perm,)."""


def shingle_hash(shingle: bytes, unit: Unit = "words") -> int:
    """Return the 32-bit hash of a shingle, the low half of its 64 bits: `hashfunc` for datasketch.

    Example:
        >>> hex(shingle_hash(b"a red square"))
        '0x8f16bd12'
    """
    import xxhash

    first, *others = shingle.split(b" ") if unit == "words" else (shingle,)
    out = xxhash.xxh64_intdigest(first)
    for word in others:
        sum_ = (out + xxhash.xxh64_intdigest(word) * 0xC2B2AE3D27D4EB4F) & _ALL
        out = ((sum_ << 31 | sum_ >> 33) * 0x9E3779B185EBCA87) & _ALL
    return out & 0xFFFFFFFF


def permutations(num_perm: int, seed: int) -> Permutations:
    """Return the permutations that datasketch draws for a seed.

    Example:
        >>> permutations(2, 1).a.tolist()
        [3582191691, 4270784983]
    """
    draw = np.random.RandomState(seed)  # a fixed stream by NumPy's promise; only its first numbers are used
    a = draw.randint(0, 1 << 31, num_perm, dtype=np.uint32) * np.uint32(2) + np.uint32(1)
    b = draw.randint(0, 1 << 32, num_perm, dtype=np.uint32)
    return Permutations(a, b)


def signatures(sets: Sets, order: Permutations) -> npt.NDArray[np.uint32]:
    """Return the signature of each set, uint32 of shape (n, num_perm)."""
    return _signatures(sets, order)


def band_keys(sets: Sets, order: Permutations, bands: int, rows: int) -> npt.NDArray[np.uint64]:
    """Return a hash of each band (its number and its `rows` places) of each signature, uint64 of shape (n, bands).

    Only the first ``bands * rows`` permutations are computed, and no signature is kept.
    """
    return _band_keys(sets, _first(order, bands * rows), rows)


def text_band_keys(
    texts: Strings, unit: Unit, size: int, order: Permutations, shape: tuple[int, int]
) -> npt.NDArray[np.uint64]:
    """Return the `band_keys` of the shingles of folded texts, in one pass that keeps no shingle either.

    Args:
        texts: words separated by single spaces.
        unit: what a shingle is a run of.
        size: of the longest run of words, or of every run of characters.
        order: the permutations.
        shape: bands, and rows of a band.
    """
    bands, rows = shape
    return _text_band_keys(texts, Manner(unit == "words", size, distinct=False), _first(order, bands * rows), rows)


def _first(order: Permutations, count: int) -> Permutations:
    return Permutations(order.a[:count].copy(), order.b[:count].copy())


@njit(cache=True, nogil=True)
def _scrambled(value: np.uint64) -> np.uint32:
    """Return the low half of a hash through MurmurHash3's finaliser."""
    x = np.uint32(value)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    x = np.uint32((x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ (x >> np.uint32(16)))


@njit(cache=True, nogil=True)
def _minima(values: npt.NDArray[np.uint64], order: Permutations, out: npt.NDArray[np.uint32]) -> None:
    """Write the signature of one set; by fours, so that permutations are read and minima written a fourth as often."""
    out[:] = EMPTY
    fours = values.size // 4 * 4
    for i in range(0, fours, 4):
        one, two = _scrambled(values[i]), _scrambled(values[i + 1])
        three, four = _scrambled(values[i + 2]), _scrambled(values[i + 3])
        for p in range(out.size):
            a, b = order.a[p], order.b[p]
            low = min(np.uint32(a * one + b), np.uint32(a * two + b))
            high = min(np.uint32(a * three + b), np.uint32(a * four + b))
            out[p] = min(out[p], min(low, high))  # noqa: PLW3301 of two is one instruction
    for i in range(fours, values.size):
        x = _scrambled(values[i])
        for p in range(out.size):
            out[p] = min(out[p], np.uint32(order.a[p] * x + order.b[p]))


@njit(cache=True, nogil=True)
def _signatures(sets: Sets, order: Permutations) -> npt.NDArray[np.uint32]:
    out = np.empty((sets.offsets.size - 1, order.a.size), np.uint32)
    for row in range(out.shape[0]):
        _minima(sets.values[sets.offsets[row] : sets.offsets[row + 1]], order, out[row])
    return out


@njit(cache=True, nogil=True)
def _hash_bands(minima: npt.NDArray[np.uint32], rows: int, out: npt.NDArray[np.uint64]) -> None:
    """Write the hash of each band of a signature, two places at a time."""
    for band in range(out.size):
        key = np.uint64(band + 1) * np.uint64(0x9E3779B97F4A7C15)
        place, last = band * rows, (band + 1) * rows
        while place < last:
            value = np.uint64(minima[place])
            if place + 1 < last:
                value |= np.uint64(minima[place + 1]) << np.uint64(32)
            key = (key ^ value) * np.uint64(0xBF58476D1CE4E5B9)
            key ^= key >> np.uint64(32)
            place += 2
        out[band] = key


@njit(cache=True, nogil=True)
def _band_keys(sets: Sets, order: Permutations, rows: int) -> npt.NDArray[np.uint64]:
    out = np.empty((sets.offsets.size - 1, order.a.size // rows), np.uint64)
    minima = np.empty(order.a.size, np.uint32)
    for row in range(out.shape[0]):
        _minima(sets.values[sets.offsets[row] : sets.offsets[row + 1]], order, minima)
        _hash_bands(minima, rows, out[row])
    return out


@njit(cache=True, nogil=True)
def _text_band_keys(texts: Strings, manner: Manner, order: Permutations, rows: int) -> npt.NDArray[np.uint64]:
    out = np.empty((texts.offsets.size - 1, order.a.size // rows), np.uint64)
    minima = np.empty(order.a.size, np.uint32)
    starts = room_for_starts(texts, manner)
    values = np.empty((longest(texts.offsets) + 1) * manner.size, np.uint64)
    for row in range(out.shape[0]):
        count = runs(texts, row, manner, starts, values)
        _minima(values[:count], order, minima)
        _hash_bands(minima, rows, out[row])
    return out
