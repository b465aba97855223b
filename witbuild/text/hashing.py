"""The hash that words, titles and bigrams are counted and sliced by."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from witbuild.text.kernels import eight_at, inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint64]

BASIS: Final = np.uint64(0xCBF29CE484222325)
_NONE: Final = np.uint64(0)
_ALL: Final = np.uint64(0xFFFFFFFFFFFFFFFF)
_ODD: Final = np.uint64(0x9E3779B97F4A7C15)


def hash_texts(texts: pa.Array | pa.ChunkedArray) -> Hashes:
    """Return the hash of each text, which for a word is that of the counts: uint64 of shape (n,), never 0.

    Example:
        >>> len(set(hash_texts(pa.array(["dog", "cat", "dog"])).tolist()))
        2
    """
    wide = texts.cast(pa.large_string())  # before chunks are put together, which may be more than 2 GB
    column = wide.combine_chunks() if isinstance(wide, pa.ChunkedArray) else wide
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets or bytes(8), np.int64)[column.offset : column.offset + len(column) + 1]
    out = np.empty(len(column), np.uint64)
    _hash_all(np.frombuffer(data or b"\0", np.uint8), places, out)
    return out


@kernel
def _hash_all(data: Bytes, offsets: Ints, out: Hashes) -> None:
    for row in range(len(out)):
        start, stop = offsets[row], offsets[row + 1]
        out[row] = hash_of(data, start, stop - start)


@inner
def hash_of(data: Bytes, start: int, size: int) -> np.uint64:
    """Return the hash of some bytes."""
    value, done = joined(BASIS, octets(data, start, size)), 8
    while done < size:
        value = joined(value, octets(data, start + done, size - done))
        done += 8
    return finish(value, size)


@inner
def octets(data: Bytes, start: int, size: int) -> np.uint64:
    """Return the first eight of some bytes, or all if there are fewer, as a number, the first one lowest."""
    if start + 8 <= len(data):
        return eight_at(data, start) & first_bytes(size)
    value, shift = _NONE, _NONE
    for place in range(start, start + min(size, 8)):
        value |= np.uint64(data[place]) << shift
        shift += np.uint64(8)
    return value


@inner
def first_bytes(size: int) -> np.uint64:
    """Return a mask of as many bytes, none to eight."""
    return _ALL >> np.uint64(64 - 8 * min(size, 8)) if size > 0 else _NONE


@inner
def joined(value: np.uint64, eight: np.uint64) -> np.uint64:
    """Return the state of a hash after eight more bytes."""
    value = (value ^ eight) * _ODD
    return value ^ (value >> np.uint64(32))


@inner
def finish(value: np.uint64, size: int) -> np.uint64:
    """Return the hash from its state and the bytes that it is of: mixed, and never 0."""
    value = mix(value + np.uint64(size))
    return value + np.uint64(value == 0)


@inner
def mix(value: np.uint64) -> np.uint64:
    """Return 64 bits of which each depends on all of the value's: the end of SplitMix64 (Steele, Lea, Flood 2014)."""
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


def slices_of(hashes: Hashes, count: int) -> Ints:
    """Return the slice of each word, by its hash: int64 of shape (n,).

    Example:
        >>> slices_of(np.array([5, 1 << 40], np.uint64), 4).tolist()
        [1, 0]
    """
    return (hashes % np.uint64(count)).astype(np.int64)


def bigram_slices_of(first: Hashes, second: Hashes, count: int) -> Ints:
    """Return the slice of each bigram, by the hashes of its words.

    Example:
        >>> one, other = np.array([1], np.uint64), np.array([2], np.uint64)
        >>> bigram_slices_of(one, other, 8).tolist(), bigram_slices_of(other, one, 8).tolist()
        ([7], [3])
    """
    return slices_of(first * np.uint64(0x9E3779B97F4A7C15) ^ second, count)
