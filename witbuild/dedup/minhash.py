"""MinHash signatures, bit-equal to datasketch's with ``scheme="affine32"`` and the hash function `shingle_hash`.

The signature of a set is, for each of `num_perm` permutations of the 32-bit numbers, the smallest number that a member
goes to; two sets agree in a place with the probability of their Jaccard similarity (Broder 1997). A permutation is
``a * mix(x) + b mod 2^32`` with `a` odd and `mix` the finaliser of MurmurHash3.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.dedup.shingles import Manner, longest, room_for_starts, runs
from witbuild.sample.coins import mix
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.shingles import Sets, Unit
    from witbuild.dedup.strings import Strings

EMPTY = np.uint32(0xFFFFFFFF)
"""What every place of an empty set's signature holds."""
_ALL = 2**64 - 1
_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_TOGETHER = 64
"""Permutations are done so many at a time: four vectors of sixteen."""


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
        '0xc8c790dc'
    """
    first, *others = shingle.split(b" ") if unit == "words" else (shingle,)
    out = _piecewise(first)
    for word in others:
        out = _round(out, _piecewise(word))
    return out & 0xFFFFFFFF


def _piecewise(text: bytes) -> int:
    """Take in pieces of eight bytes, the last of them, of at most seven, with a one behind it."""
    lane, ended = 0, text + b"\1"
    for start in range(0, len(ended), 8):
        lane = _round(lane, int.from_bytes(ended[start : start + 8], "little"))
    return lane


def _round(lane: int, value: int) -> int:
    """Return XXH64's step of a lane that takes in eight bytes (github.com/Cyan4973/xxHash, doc/xxhash_spec.md)."""
    sum_ = (lane + value * 0xC2B2AE3D27D4EB4F) & _ALL
    return ((sum_ << 31 | sum_ >> 33) * 0x9E3779B185EBCA87) & _ALL


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
    count = order.a.size
    return _signatures(sets, _first(order, count), count)


def band_keys(sets: Sets, order: Permutations, bands: int, rows: int) -> npt.NDArray[np.uint64]:
    """Return a hash of each band (its number and its `rows` places) of each signature, uint64 of shape (n, bands).

    Only the first ``bands * rows`` permutations are computed, and no signature is kept.
    """
    return _band_keys(sets, _first(order, bands * rows), _factors(bands * rows), (bands, rows))


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
    count = shape[0] * shape[1]
    manner = Manner(unit == "words", size, distinct=False)
    return _text_band_keys(texts, manner, _first(order, count), _factors(count), shape)


def _first(order: Permutations, count: int) -> Permutations:
    """Return the first permutations, and behind them some that are not looked at, so that no loop has a remainder."""
    more = (0, -count % _TOGETHER)
    return Permutations(np.pad(order.a[:count], more), np.pad(order.b[:count], more))


def _factors(count: int) -> npt.NDArray[np.uint64]:
    """Return an odd factor for each place of a signature, so that its bands are hashed apart."""
    return mix(np.arange(count, dtype=np.uint64)) | np.uint64(1)


@kernel
def _scrambled(value: np.uint64) -> np.uint32:
    """Return the low half of a hash through MurmurHash3's finaliser."""
    x = np.uint32(value)
    x = np.uint32((x ^ (x >> np.uint32(16))) * np.uint32(0x85EBCA6B))
    x = np.uint32((x ^ (x >> np.uint32(13))) * np.uint32(0xC2B2AE35))
    return np.uint32(x ^ (x >> np.uint32(16)))


@kernel
def _minima(values: npt.NDArray[np.uint64], order: Permutations, out: npt.NDArray[np.uint32]) -> None:
    """Write the signature of one set; by eights, so that permutations are read and minima written an eighth as often.

    The last eight are filled up with the last value, which changes no minimum.
    """
    out[:] = EMPTY
    last = values.size - 1
    for i in range(0, values.size, 8):
        x0, x1 = _scrambled(values[i]), _scrambled(values[min(i + 1, last)])
        x2, x3 = _scrambled(values[min(i + 2, last)]), _scrambled(values[min(i + 3, last)])
        x4, x5 = _scrambled(values[min(i + 4, last)]), _scrambled(values[min(i + 5, last)])
        x6, x7 = _scrambled(values[min(i + 6, last)]), _scrambled(values[min(i + 7, last)])
        for p in range(out.size):
            a, b = order.a[p], order.b[p]
            one = _least(np.uint32(a * x0 + b), np.uint32(a * x1 + b), np.uint32(a * x2 + b), np.uint32(a * x3 + b))
            two = _least(np.uint32(a * x4 + b), np.uint32(a * x5 + b), np.uint32(a * x6 + b), np.uint32(a * x7 + b))
            out[p] = min(out[p], min(one, two))  # noqa: PLW3301 of two is one instruction


@kernel
def _least(one: np.uint32, two: np.uint32, three: np.uint32, four: np.uint32) -> np.uint32:
    return min(min(one, two), min(three, four))  # noqa: PLW3301 of two is one instruction


@kernel
def _signatures(sets: Sets, order: Permutations, count: int) -> npt.NDArray[np.uint32]:
    out = np.empty((sets.offsets.size - 1, count), np.uint32)
    minima = np.empty(order.a.size, np.uint32)
    for row in range(out.shape[0]):
        _minima(sets.values[sets.offsets[row] : sets.offsets[row + 1]], order, minima)
        out[row] = minima[:count]
    return out


@kernel
def _hash_bands(
    minima: npt.NDArray[np.uint32], rows: int, factors: npt.NDArray[np.uint64], out: npt.NDArray[np.uint64]
) -> None:
    """Write the hash of each band of a signature: the sum of its places, each with a factor of its own, mixed."""
    for band in range(out.size):
        key = np.uint64(0)
        for place in range(band * rows, (band + 1) * rows):
            key += np.uint64(minima[place]) * factors[place]
        out[band] = (key ^ (key >> np.uint64(32))) * _GOLDEN


@kernel
def _band_keys(
    sets: Sets, order: Permutations, factors: npt.NDArray[np.uint64], shape: tuple[int, int]
) -> npt.NDArray[np.uint64]:
    out = np.empty((sets.offsets.size - 1, shape[0]), np.uint64)
    minima = np.empty(order.a.size, np.uint32)
    for row in range(out.shape[0]):
        _minima(sets.values[sets.offsets[row] : sets.offsets[row + 1]], order, minima)
        _hash_bands(minima, shape[1], factors, out[row])
    return out


@kernel
def _text_band_keys(
    texts: Strings, manner: Manner, order: Permutations, factors: npt.NDArray[np.uint64], shape: tuple[int, int]
) -> npt.NDArray[np.uint64]:
    out = np.empty((texts.offsets.size - 1, shape[0]), np.uint64)
    minima = np.empty(order.a.size, np.uint32)
    starts = room_for_starts(texts, manner)
    values = np.empty((longest(texts.offsets) + 1) * manner.size, np.uint64)
    for row in range(out.shape[0]):
        count = runs(texts, row, manner, starts, values)
        _minima(values[:count], order, minima)
        _hash_bands(minima, shape[1], factors, out[row])
    return out
