"""BLAKE2b of short messages (RFC 7693, section 3) as a compiled loop: keys without an object a pair."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import eight_at, inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Words = npt.NDArray[np.uint64]
    Ints = npt.NDArray[np.int64]

BLOCK: Final = 128
"""Bytes of a block of the message."""
_WORDS: Final = 8
"""Numbers of the state; a block has twice as many."""
WORKING: Final = 3 * _WORDS
"""Numbers that `digest` needs to work with: the state and a block."""
_SIZE, _ROUNDS = 16, 12
_START: Final = np.array(
    [
        0x6A09E667F3BCC908 ^ 0x01010000 ^ _SIZE, 0xBB67AE8584CAA73B, 0x3C6EF372FE94F82B, 0xA54FF53A5F1D36F1,
        0x510E527FADE682D1, 0x9B05688C2B3E6C1F, 0x1F83D9ABFB41BD6B, 0x5BE0CD19137E2179,
    ],
    np.uint64,
)  # fmt: skip
"""The state before the first block: the initialization vector, joined with the digest's size."""
_VECTOR: Final = np.concatenate([[_START[0] ^ np.uint64(0x01010000 ^ _SIZE)], _START[1:]])
_ORDER: Final = np.array(
    [
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
        [11, 8, 12, 0, 5, 2, 15, 13, 10, 14, 3, 6, 7, 1, 9, 4],
        [7, 9, 3, 1, 13, 12, 11, 14, 2, 6, 5, 10, 4, 0, 15, 8],
        [9, 0, 5, 7, 2, 4, 10, 15, 14, 1, 11, 12, 6, 8, 3, 13],
        [2, 12, 6, 10, 0, 11, 8, 3, 4, 13, 7, 5, 15, 14, 1, 9],
        [12, 5, 1, 15, 14, 13, 4, 10, 0, 7, 6, 3, 9, 2, 8, 11],
        [13, 11, 7, 14, 12, 1, 3, 9, 5, 0, 15, 4, 8, 6, 2, 10],
        [6, 15, 14, 9, 11, 3, 0, 8, 12, 2, 13, 7, 1, 4, 10, 5],
        [10, 2, 8, 4, 7, 6, 1, 5, 15, 11, 9, 14, 3, 12, 13, 0],
        [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15],
        [14, 10, 4, 8, 9, 15, 13, 6, 1, 12, 0, 2, 11, 7, 5, 3],
    ],
    np.int64,
) + _WORDS  # fmt: skip
"""Where each round finds the words of the block (section 2.7)."""
_ALL, _NONE = np.uint64(0xFFFFFFFFFFFFFFFF), np.uint64(0)


def digests(data: Bytes, offsets: Ints) -> Bytes:
    """Return the 16-byte BLAKE2b digest of each message.

    Args:
        data: uint8: the messages, one after the other.
        offsets: int64 of shape (n + 1,): where each begins, and the last ends.

    Returns:
        uint8 of shape (n, 16).

    Example:
        >>> import hashlib
        >>> (found,) = digests(np.frombuffer(b"a square", np.uint8), np.array([0, 8]))
        >>> bytes(found) == hashlib.blake2b(b"a square", digest_size=16).digest()
        True
    """
    out = np.empty((len(offsets) - 1, 2), np.uint64)
    _digests(data, offsets, np.empty(WORKING, np.uint64), out)
    return out.view(np.uint8)


@kernel
def _digests(data: Bytes, offsets: Ints, working: Words, out: Words) -> None:
    for row in range(len(out)):
        out[row, 0], out[row, 1] = digest(data, offsets[row], offsets[row + 1], working)


@inner
def digest(data: Bytes, start: int, stop: int, working: Words) -> tuple[np.uint64, np.uint64]:
    """Return the digest of a message as two words, the first bytes lowest; `working` has WORKING numbers."""
    for place in range(_WORDS):
        working[place] = _START[place]
    done = start
    while True:
        size = min(BLOCK, stop - done)
        _load(data, done, size, working)
        done += size
        _compress(working, np.uint64(done - start), done == stop)
        if done == stop:
            return working[0], working[1]


@inner
def _load(data: Bytes, start: int, size: int, working: Words) -> None:
    """Write a block behind the state, zeros behind its end."""
    whole = size >> 3
    for number in range(whole):
        working[_WORDS + number] = eight_at(data, start + 8 * number)
    for number in range(whole, 2 * _WORDS):
        word, first = np.uint64(0), start + 8 * number
        for place in range(first, min(first + 8, start + size)):
            word |= np.uint64(data[place]) << np.uint64(8 * (place - first))
        working[_WORDS + number] = word


@inner
def _compress(h: Words, done: np.uint64, last: bool) -> None:  # noqa: FBT001
    """The compression function F (section 3.2); its vector is in variables, so that it stays in registers."""
    a0, a1, a2, a3, b0, b1, b2, b3 = h[0], h[1], h[2], h[3], h[4], h[5], h[6], h[7]
    c0, c1, c2, c3 = _VECTOR[0], _VECTOR[1], _VECTOR[2], _VECTOR[3]
    d0, d1, d2, d3 = _VECTOR[4] ^ done, _VECTOR[5], _VECTOR[6] ^ (_ALL if last else _NONE), _VECTOR[7]
    for number in range(_ROUNDS):
        m = _ORDER[number]
        a0, b0, c0, d0 = _mix(a0, b0, c0, d0, h[m[0]], h[m[1]])
        a1, b1, c1, d1 = _mix(a1, b1, c1, d1, h[m[2]], h[m[3]])
        a2, b2, c2, d2 = _mix(a2, b2, c2, d2, h[m[4]], h[m[5]])
        a3, b3, c3, d3 = _mix(a3, b3, c3, d3, h[m[6]], h[m[7]])
        a0, b1, c2, d3 = _mix(a0, b1, c2, d3, h[m[8]], h[m[9]])
        a1, b2, c3, d0 = _mix(a1, b2, c3, d0, h[m[10]], h[m[11]])
        a2, b3, c0, d1 = _mix(a2, b3, c0, d1, h[m[12]], h[m[13]])
        a3, b0, c1, d2 = _mix(a3, b0, c1, d2, h[m[14]], h[m[15]])
    h[0], h[1], h[2], h[3] = h[0] ^ a0 ^ c0, h[1] ^ a1 ^ c1, h[2] ^ a2 ^ c2, h[3] ^ a3 ^ c3
    h[4], h[5], h[6], h[7] = h[4] ^ b0 ^ d0, h[5] ^ b1 ^ d1, h[6] ^ b2 ^ d2, h[7] ^ b3 ^ d3


@inner
def _mix(  # noqa: PLR0913, PLR0917 numbers in a tuple would be copied
    a: np.uint64, b: np.uint64, c: np.uint64, d: np.uint64, x: np.uint64, y: np.uint64
) -> tuple[np.uint64, np.uint64, np.uint64, np.uint64]:
    """The mixing function G (section 3.1)."""
    a += b + x
    d = _turned(d ^ a, 32)
    c += d
    b = _turned(b ^ c, 24)
    a += b + y
    d = _turned(d ^ a, 16)
    c += d
    return a, _turned(b ^ c, 63), c, d


@inner
def _turned(value: np.uint64, bits: int) -> np.uint64:
    return value >> np.uint64(bits) | value << np.uint64(64 - bits)
