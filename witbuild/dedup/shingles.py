"""Shingles: a text as the set of its short runs of words or characters (Broder 1997, section 2), hashed.

A run of characters has the XXH64 hash of its bytes. That of a run of words is made from its words' hashes, so that a
word is read once however many runs it is in: ``h(w) = xxh64(w)``, and ``h(run w) = round(h(run), xxh64(w))`` with
XXH64's own step for eight bytes. `shingle_hash` is both in plain Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numba import njit

from witbuild.dedup.strings import merge, xxh64

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.strings import Strings

Unit = Literal["words", "characters"]
"""What a shingle is a run of."""

_SPACE = 32
_FEW = 128
"""So many values are sorted by comparing each with each."""
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
    starts, free = room_for_starts(texts, manner), np.ones(_FEW, np.bool_)
    few = np.empty(_FEW, np.uint64)
    end = 0
    for row in range(texts.offsets.size - 1):
        stop = end + runs(texts, row, manner, starts, out[end:])
        if manner.distinct:
            end = _few_distinct(out, end, stop, few, free) if stop - end <= _FEW else _distinct(out, end, stop)
        else:
            end = stop
        places[row + 1] = end
    return out[:end].copy(), places


@njit(cache=True, nogil=True)
def longest(offsets: npt.NDArray[np.int64]) -> int:
    """Return the bytes of the longest string."""
    most = 0
    for row in range(offsets.size - 1):
        most = max(most, offsets[row + 1] - offsets[row])
    return most


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
def room_for_starts(texts: Strings, manner: Manner) -> npt.NDArray[np.int64]:
    """Return what `runs` needs to work in, for any row."""
    return np.empty(0 if manner.words else longest(texts.offsets) + 1, np.int64)


@njit(cache=True, nogil=True)
def runs(texts: Strings, row: int, manner: Manner, starts: npt.NDArray[np.int64], out: npt.NDArray[np.uint64]) -> int:
    """Write the hash of every shingle of a row, in no order and with repeats, and return how many there are.

    Args:
        texts: folded.
        row: of them.
        manner: how they are cut.
        starts: from `room_for_starts`.
        out: with room for `size` a word, or for one a byte and one more.
    """
    if manner.words:
        return _word_runs(texts, row, manner.size, out)
    return _character_runs(texts, row, manner.size, starts, out)


@njit(cache=True, nogil=True)
def _word_runs(texts: Strings, row: int, size: int, out: npt.NDArray[np.uint64]) -> int:
    """Append to the words' hashes those of the runs of two, each made from the one word shorter, and so on."""
    count = _words(texts.data, texts.offsets[row], texts.offsets[row + 1], out)
    before, end = 0, count
    for length in range(2, min(size, count) + 1):
        several = count - length + 1
        for i in range(several):
            out[end + i] = merge(out[before + i], out[i + length - 1])
        before, end = end, end + several
    return end


@njit(cache=True, nogil=True)
def _words(data: npt.NDArray[np.uint8], start: int, end: int, out: npt.NDArray[np.uint64]) -> int:
    """Write the hash of each word of ``data[start:end]``."""
    count = 0
    while start < end:
        stop = start
        while stop < end and data[np.uint64(stop)] != _SPACE:
            stop += 1
        if stop > start:
            out[count] = xxh64(data, start, stop)
            count += 1
        start = stop + 1
    return count


@njit(cache=True, nogil=True)
def _character_runs(
    texts: Strings, row: int, size: int, starts: npt.NDArray[np.int64], out: npt.NDArray[np.uint64]
) -> int:
    """Write the hash of each run of `size` characters, or of the whole of a shorter text."""
    data, start, end = texts.data, texts.offsets[row], texts.offsets[row + 1]
    count = 0
    for i in range(start, end):
        if (data[i] & 0xC0) != 0x80:
            starts[count] = i
            count += 1
    if count == 0:
        return 0
    starts[count] = end
    length = min(size, count)
    for i in range(count - length + 1):
        out[i] = xxh64(data, starts[i], starts[i + length])
    return count - length + 1


@njit(cache=True, nogil=True)
def _few_distinct(
    values: npt.NDArray[np.uint64],
    start: int,
    stop: int,
    few: npt.NDArray[np.uint64],
    free: npt.NDArray[np.bool_],
) -> int:
    """Do what `_distinct` does for few values: each goes where the number of smaller ones says, repeats to one place.

    That many comparisons without a branch are quicker than few with one. `free` is all true before and after.
    """
    count = stop - start
    for i in range(start, stop):
        place = 0
        for j in range(start, stop):
            place += values[j] < values[i]
        few[place] = values[i]
        free[place] = False
    end = start
    for place in range(count):
        if not free[place]:
            values[end] = few[place]
            end += 1
        free[place] = True
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
