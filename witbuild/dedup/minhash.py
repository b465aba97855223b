"""MinHash signatures, bit-equal to datasketch's with ``scheme="affine32"`` and the hash function `shingle_hash`.

The signature of a set is, for each of `num_perm` permutations of the 32-bit numbers, the smallest number that a member
goes to; two sets agree in a place with the probability of their Jaccard similarity (Broder 1997). A permutation is
``a * mix(x) + b mod 2^32`` with `a` odd and `mix` the finaliser of MurmurHash3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.shingles import Sets

EMPTY = np.uint32(0xFFFFFFFF)
"""What every place of an empty set's signature holds."""


class Permutations(NamedTuple):
    """Multipliers and addends of the permutations."""

    a: npt.NDArray[np.uint32]
    """uint32 of shape (num_perm,), odd."""
    b: npt.NDArray[np.uint32]
    """uint32 of shape (num_perm,)."""


def shingle_hash(shingle: bytes) -> int:
    """Return the 32-bit hash of a shingle, the low half of XXH64: `hashfunc` for datasketch.

    Example:
        >>> hex(shingle_hash(b"a red square"))
        '0xf951f9b'
    """
    import xxhash

    return xxhash.xxh64_intdigest(shingle) & 0xFFFFFFFF


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
    used = bands * rows
    return _band_keys(sets, Permutations(order.a[:used].copy(), order.b[:used].copy()), rows)


@njit(cache=True, nogil=True)
def _minima(values: npt.NDArray[np.uint64], order: Permutations, out: npt.NDArray[np.uint32]) -> None:
    """Write the signature of one set."""
    out[:] = EMPTY
    for value in values:
        x = np.uint32(value)
        x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B))
        x = np.uint32((x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35))
        x = np.uint32(x ^ (x >> np.uint32(16)))
        for p in range(out.size):
            out[p] = min(out[p], np.uint32(order.a[p] * x + order.b[p]))


@njit(cache=True, nogil=True)
def _signatures(sets: Sets, order: Permutations) -> npt.NDArray[np.uint32]:
    out = np.empty((sets.offsets.size - 1, order.a.size), np.uint32)
    for row in range(out.shape[0]):
        _minima(sets.values[sets.offsets[row] : sets.offsets[row + 1]], order, out[row])
    return out


@njit(cache=True, nogil=True)
def _band_keys(sets: Sets, order: Permutations, rows: int) -> npt.NDArray[np.uint64]:
    out = np.empty((sets.offsets.size - 1, order.a.size // rows), np.uint64)
    minima = np.empty(order.a.size, np.uint32)
    for row in range(out.shape[0]):
        _minima(sets.values[sets.offsets[row] : sets.offsets[row + 1]], order, minima)
        for band in range(out.shape[1]):
            key = np.uint64(band + 1) * np.uint64(0x9E3779B97F4A7C15)
            for place in range(band * rows, (band + 1) * rows):
                key = (key ^ np.uint64(minima[place])) * np.uint64(0xBF58476D1CE4E5B9)
                key ^= key >> np.uint64(32)
            out[row, band] = key
    return out
