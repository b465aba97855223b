"""Strings as flat buffers, and their 64-bit hashes: what every kernel of this package works on."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from witbuild.text.kernels import eight_at, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

_P1 = np.uint64(0x9E3779B185EBCA87)
_P2 = np.uint64(0xC2B2AE3D27D4EB4F)
_P3 = np.uint64(0x165667B19E3779F9)
_P4 = np.uint64(0x85EBCA77C2B2AE63)
_P5 = np.uint64(0x27D4EB2F165667C5)


class Strings(NamedTuple):
    """n strings in UTF-8, one behind the other: string i is ``data[offsets[i]:offsets[i + 1]]``."""

    data: npt.NDArray[np.uint8]
    """uint8, all bytes."""
    offsets: npt.NDArray[np.int64]
    """int64 of shape (n + 1,), ascending."""


def strings(column: pa.Array | pa.ChunkedArray) -> Strings:
    """Return the buffers of a column of strings or bytes; a null is an empty string.

    Example:
        >>> data, offsets = strings(pa.array(["ab", None, "c"]))
        >>> data.tobytes(), offsets.tolist()
        (b'abc', [0, 2, 2, 3])
    """
    wide = column.cast(pa.large_binary())  # before chunks are put together, which may be more than 2 GB
    flat = wide.combine_chunks() if isinstance(wide, pa.ChunkedArray) else wide
    if flat.null_count:
        flat = flat.fill_null(b"")
    _, offsets, data = flat.buffers()
    if len(flat) == 0 or data is None:
        data, offsets = pa.py_buffer(b""), pa.py_buffer(bytes(8 * (flat.offset + len(flat) + 1)))
    places = np.frombuffer(offsets, np.int64, len(flat) + 1, flat.offset * 8)
    return Strings(np.frombuffer(data, np.uint8), places)  # read-only both, so that kernels are compiled once


def arrow(texts: Strings) -> pa.LargeStringArray:
    """Return strings as an Arrow array over the same buffers.

    Example:
        >>> arrow(strings(pa.array(["ab", "c"]))).to_pylist()
        ['ab', 'c']
    """
    return pa.LargeStringArray.from_buffers(
        len(texts.offsets) - 1, pa.py_buffer(texts.offsets), pa.py_buffer(texts.data)
    )


def hash_strings(texts: Strings) -> npt.NDArray[np.uint64]:
    """Return the XXH64 hash of each string, seed 0, uint64 of shape (n,).

    Example:
        >>> hex(int(hash_strings(strings(pa.array(["a red square"])))[0]))
        '0xb3e1f7670f951f9b'
    """
    return _hash_rows(texts.data, texts.offsets)


@kernel
def _hash_rows(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    out = np.empty(offsets.size - 1, np.uint64)
    for row in range(out.size):
        out[row] = xxh64(data, offsets[row], offsets[row + 1])
    return out


@kernel
def _rotate(value: np.uint64, bits: int) -> np.uint64:
    return (value << np.uint64(bits)) | (value >> np.uint64(64 - bits))


@kernel
def _four(data: npt.NDArray[np.uint8], at: int) -> np.uint64:
    """Read four bytes as a little-endian number; an unsigned place is not checked for counting from the end."""
    place = np.uint64(at)
    low = np.uint64(data[place]) | (np.uint64(data[place + np.uint64(1)]) << np.uint64(8))
    high = np.uint64(data[place + np.uint64(2)]) | (np.uint64(data[place + np.uint64(3)]) << np.uint64(8))
    return low | (high << np.uint64(16))


@kernel
def merge(lane: np.uint64, value: np.uint64) -> np.uint64:
    """Return XXH64's step of a lane that takes in eight bytes: another number for every number taken in."""
    return _rotate(lane + value * _P2, 31) * _P1


@kernel
def _stripes(data: npt.NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Fold all whole stripes of 32 bytes into one number, four lanes abreast."""
    one, two, three, four = _P1 + _P2, _P2, np.uint64(0), np.uint64(0) - _P1
    while start + 32 <= end:
        one = merge(one, eight_at(data, start))
        two = merge(two, eight_at(data, start + 8))
        three = merge(three, eight_at(data, start + 16))
        four = merge(four, eight_at(data, start + 24))
        start += 32
    out = _rotate(one, 1) + _rotate(two, 7) + _rotate(three, 12) + _rotate(four, 18)
    for lane in (one, two, three, four):
        out = (out ^ merge(np.uint64(0), lane)) * _P1 + _P4
    return out


@kernel
def xxh64(data: npt.NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Return the XXH64 hash, seed 0, of ``data[start:end]`` (github.com/Cyan4973/xxHash, doc/xxhash_spec.md)."""
    length = end - start
    out = _P5
    if length >= 32:
        out = _stripes(data, start, end)
        start += length // 32 * 32
    out += np.uint64(length)
    while start + 8 <= end:
        out = _rotate(out ^ merge(np.uint64(0), eight_at(data, start)), 27) * _P1 + _P4
        start += 8
    if start + 4 <= end:
        out = _rotate(out ^ (_four(data, start) * _P1), 23) * _P2 + _P3
        start += 4
    while start < end:
        out = _rotate(out ^ (np.uint64(data[np.uint64(start)]) * _P5), 11) * _P1
        start += 1
    out = (out ^ (out >> np.uint64(33))) * _P2
    out = (out ^ (out >> np.uint64(29))) * _P3
    return out ^ (out >> np.uint64(32))


@kernel
def piece_at(data: npt.NDArray[np.uint8], at: int) -> np.uint64:
    """Read eight bytes as a little-endian number; those behind the end of the data are zero."""
    if at + 8 <= data.size:
        return eight_at(data, at)
    out = np.uint64(0)
    for place in range(at, data.size):
        out |= np.uint64(data[place]) << np.uint64(8 * (place - at))
    return out


@kernel
def last_piece(piece: np.uint64, size: int) -> np.uint64:
    """Return the first `size` bytes of a piece, at most seven, and a one behind them, so that no two ends are equal."""
    end = np.uint64(1) << np.uint64(8 * size)
    return (piece & (end - np.uint64(1))) | end


@kernel
def piecewise(data: npt.NDArray[np.uint8], start: int, end: int) -> np.uint64:
    """Return the hash of ``data[start:end]`` by pieces of eight bytes: quicker than XXH64 where texts are short.

    XXH64's step takes in each piece, and at last what is left, `last_piece`. Texts under eight bytes never collide.
    """
    lane = np.uint64(0)
    while end - start >= 8:
        lane = merge(lane, eight_at(data, start))
        start += 8
    return merge(lane, last_piece(piece_at(data, start), end - start))
