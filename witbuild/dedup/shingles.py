"""Shingles: a text as the set of its short runs of words or characters (Broder 1997, section 2), hashed.

A shingle is a run of bytes of the folded text, so its hash is that of the same bytes anywhere:
``xxh64(b"red square")``.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numba import njit

from witbuild.dedup.strings import xxh64

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.strings import Strings

Unit = Literal["words", "characters"]
"""What a shingle is a run of."""

_SPACE = 32
_GAPS = (701, 301, 132, 57, 23, 10, 4, 1)


class Sets(NamedTuple):
    """n sets of hashes: set i is ``values[offsets[i]:offsets[i + 1]]``."""

    values: npt.NDArray[np.uint64]
    """uint64, all sets one behind the other."""
    offsets: npt.NDArray[np.int64]
    """int64 of shape (n + 1,)."""


class Manner(NamedTuple):
    """How texts are cut into shingles."""

    words: bool
    """Runs of words, else of characters."""
    size: int
    """Of the longest run of words, or of every run of characters."""
    distinct: bool
    """Sort each set and remove repeats, as comparing needs and MinHash does not."""


def shingle_one(text: str, unit: Unit, size: int) -> set[str]:
    """Return the shingles of a text: runs of 1 to `size` words, or of `size` characters (all of a shorter text).

    Example:
        >>> sorted(shingle_one("a red dog", "words", 2))
        ['a', 'a red', 'dog', 'red', 'red dog']
        >>> sorted(shingle_one("a dog", "characters", 4))
        [' dog', 'a do']
    """
    if unit == "characters":
        return {text[i : i + size] for i in range(max(len(text) - size + 1, 1))} if text else set()
    words = [word for word in text.split(" ") if word]
    return {" ".join(words[i : i + n]) for n in range(1, size + 1) for i in range(len(words) - n + 1)}


def shingle(texts: Strings, unit: Unit = "words", size: int = 2, *, distinct: bool = True) -> Sets:
    """Return the XXH64 hashes of the shingles of folded texts, as `shingle_one` cuts them.

    Args:
        texts: words separated by single spaces.
        unit: what a shingle is a run of.
        size: of the longest run of words, or of every run of characters.
        distinct: sort each set and remove repeats, as comparing needs and MinHash does not.
    """
    return Sets(*_shingle(texts, Manner(unit == "words", size, distinct)))


@njit(cache=True, nogil=True)
def _shingle(texts: Strings, manner: Manner) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    out = np.empty(_room(texts, manner), np.uint64)
    places = np.zeros(texts.offsets.size, np.int64)
    starts = np.empty(_longest(texts.offsets) + 2, np.int64)
    end = 0
    for row in range(texts.offsets.size - 1):
        count = _starts(texts, row, manner, starts)
        stop = _hash_runs(texts.data, starts[: count + 1], manner, out, end)
        end = _distinct(out, end, stop) if manner.distinct else stop
        places[row + 1] = end
    return out[:end].copy(), places


@njit(cache=True, nogil=True)
def _longest(offsets: npt.NDArray[np.int64]) -> int:
    longest = 0
    for row in range(offsets.size - 1):
        longest = max(longest, offsets[row + 1] - offsets[row])
    return longest


@njit(cache=True, nogil=True)
def _room(texts: Strings, manner: Manner) -> int:
    """Return an upper bound of the number of shingles: `size` a word, or one a byte."""
    first, last = texts.offsets[0], texts.offsets[-1]
    if not manner.words:
        return last - first + texts.offsets.size
    spaces = 0
    for i in range(first, last):
        spaces += texts.data[i] == _SPACE
    return (spaces + texts.offsets.size) * manner.size


@njit(cache=True, nogil=True)
def _starts(texts: Strings, row: int, manner: Manner, starts: npt.NDArray[np.int64]) -> int:
    """Write where each word or character starts, and one place more: where the next one would start."""
    data, start, end = texts.data, texts.offsets[row], texts.offsets[row + 1]
    count = 0
    for i in range(start, end):
        new_word = data[i] != _SPACE and (i == start or data[i - 1] == _SPACE)
        new_character = (data[i] & 0xC0) != 0x80
        if new_word if manner.words else new_character:
            starts[count] = i
            count += 1
    starts[count] = end + manner.words
    return count


@njit(cache=True, nogil=True)
def _hash_runs(
    data: npt.NDArray[np.uint8],
    starts: npt.NDArray[np.int64],
    manner: Manner,
    out: npt.NDArray[np.uint64],
    end: int,
) -> int:
    """Append the hash of every run; a run of words ends before the space that follows it."""
    count = starts.size - 1
    longest = min(manner.size, count)
    for length in range(1 if manner.words else max(longest, 1), longest + 1):
        for i in range(count - length + 1):
            out[end] = xxh64(data, starts[i], starts[i + length] - manner.words)
            end += 1
    return end


@njit(cache=True, nogil=True)
def _distinct(values: npt.NDArray[np.uint64], start: int, stop: int) -> int:
    """Sort ``values[start:stop]``, remove repeats, and return the new end."""
    _sort(values, start, stop)
    end = start
    for i in range(start, stop):
        if end == start or values[i] != values[end - 1]:
            values[end] = values[i]
            end += 1
    return end


@njit(cache=True, nogil=True)
def _sort(values: npt.NDArray[np.uint64], start: int, stop: int) -> None:
    """Sort ``values[start:stop]`` in place (Shell 1959, with the gaps of Ciura 2001)."""
    for gap in _GAPS:
        for i in range(start + gap, stop):
            value, place = values[i], i
            while place >= start + gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
