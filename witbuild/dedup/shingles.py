"""Shingles: a text as the set of its short runs of words or characters (Broder 1997, section 2), hashed.

Hashes are made of XXH64's step for eight bytes, ``round``, since shingles are too short for all of XXH64: a run of
characters, or a word, is taken in by pieces of eight bytes (`witbuild.dedup.strings.piecewise`). The hash of a run of
words is made from its words' hashes, ``h(run w) = round(h(run), h(w))``, so that a word is read once however many runs
it is in. `witbuild.dedup.minhash.shingle_hash` is both in plain Python.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal, NamedTuple

import numpy as np
from numba import njit

from witbuild.dedup.strings import last_piece, merge, piece_at, piecewise
from witbuild.text.kernels import eight_at, kernel
from witbuild.text.simd import lowest_bit

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.strings import Strings

Unit = Literal["words", "characters"]
"""What a shingle is a run of."""

_SPACE = 32
_SPACES, _ONES, _HIGHEST = (np.uint64(byte * 0x0101010101010101) for byte in (_SPACE, 1, 0x80))
"""A byte eight times: a space, one, the highest bit."""
_GAPS, _NO_GAPS = (701, 301, 132, 57, 23, 10, 4, 1), (1,)
_CROWD = 16
"""With more values of the same highest bits insertion alone may be slow: they are no even hashes, or repeats."""


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


class _Room(NamedTuple):
    """What sorting works in."""

    copy: npt.NDArray[np.uint64]
    """uint64, for as many values as are sorted."""
    ends: npt.NDArray[np.int64]
    """int64, for twice as many."""


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
    """Return the hashes of the shingles of folded texts, as `shingle_one` cuts them.

    Args:
        texts: words separated by single spaces.
        unit: what a shingle is a run of.
        size: of the longest run of words, or of every run of characters.
        distinct: sort each set and remove repeats, as comparing needs and MinHash does not.
    """
    return Sets(*_shingle(texts, Manner(unit == "words", size, distinct)))


@kernel
def _shingle(texts: Strings, manner: Manner) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    out = np.empty(_count(texts, manner), np.uint64)
    places = np.zeros(texts.offsets.size, np.int64)
    starts, most = room_for_starts(texts, manner), longest(texts.offsets) + 1
    most = most * manner.size if manner.words else most
    room = _Room(np.empty(most, np.uint64), np.empty(2 * most, np.int64))
    end = 0
    for row in range(texts.offsets.size - 1):
        stop = end + runs(texts, row, manner, starts, out[end:])
        end = _distinct(out, end, stop, room) if manner.distinct else stop
        places[row + 1] = end
    return out[:end].copy(), places


@kernel
def longest(offsets: npt.NDArray[np.int64]) -> int:
    """Return the bytes of the longest string."""
    most = 0
    for row in range(offsets.size - 1):
        most = max(most, offsets[row + 1] - offsets[row])
    return most


@kernel
def _count(texts: Strings, manner: Manner) -> int:
    """Return an upper bound of the number of shingles: `size` a word, or one a byte."""
    first, last = texts.offsets[0], texts.offsets[-1]
    if not manner.words:
        return last - first + texts.offsets.size
    spaces = 0
    for i in range(first, last):
        spaces += texts.data[i] == _SPACE
    return (spaces + texts.offsets.size) * manner.size


@kernel
def room_for_starts(texts: Strings, manner: Manner) -> npt.NDArray[np.int64]:
    """Return what `runs` needs to work in, for any row."""
    return np.empty(0 if manner.words else longest(texts.offsets) + 1, np.int64)


@njit(nogil=True, forceinline=True)
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


@kernel
def _word_runs(texts: Strings, row: int, size: int, out: npt.NDArray[np.uint64]) -> int:
    """Write, word by word, the hashes of the runs that end with it, each made from one that ended before it.

    A word is hashed as by `piecewise`, while its end is looked for: to call a function for either, with the data for an
    argument, takes three times as long.
    """
    data, at, end = texts.data, texts.offsets[row], texts.offsets[row + 1]
    count = before = several = 0
    word = np.uint64(0)
    while at < end:
        last, lane = word, np.uint64(0)
        piece = piece_at(data, at)
        length = min(_before_space(piece), end - at)
        while length == 8:
            lane = merge(lane, piece)
            at += 8
            piece = piece_at(data, at)
            length = min(_before_space(piece), end - at)
        word = merge(lane, last_piece(piece, length))
        at += length + 1
        out[count] = word
        longer = min(several, size - 1)
        if longer > 0:
            out[count + 1] = merge(last, word)  # most often the only one: a loop of one turn costs more than the turn
        for i in range(1, longer):
            out[count + 1 + i] = merge(out[before + i], word)
        before, several = count, longer + 1
        count += several
    return count


@kernel
def _before_space(piece: np.uint64) -> int:
    """Return how many of eight bytes come before the first space (Warren, Hacker's Delight, section 6-1)."""
    other = piece ^ _SPACES
    return lowest_bit((other - _ONES) & ~other & _HIGHEST) >> 3


@kernel
def _character_runs(
    texts: Strings, row: int, size: int, starts: npt.NDArray[np.int64], out: npt.NDArray[np.uint64]
) -> int:
    """Write the hash of each run of `size` characters, or of the whole of a shorter text."""
    data, start, end = texts.data, texts.offsets[row], texts.offsets[row + 1]
    count = 0
    for i in range(start, end):
        starts[count] = i
        count += (data[np.uint64(i)] & 0xC0) != 0x80
    if count == 0:
        return 0
    starts[count] = end
    length = min(size, count)
    if count == end - start and length < 8:
        return _byte_runs(data, start, end, length, out)
    for i in range(count - length + 1):
        out[i] = piecewise(data, starts[i], starts[i + length])
    return count - length + 1


@kernel
def _byte_runs(data: npt.NDArray[np.uint8], start: int, end: int, size: int, out: npt.NDArray[np.uint64]) -> int:
    """Write the hash of each run of `size` characters of one byte each, less than eight of them."""
    stop = end - size + 1
    whole = max(start, min(stop, data.size - 7))
    for i in range(start, whole):
        out[i - start] = merge(np.uint64(0), last_piece(eight_at(data, i), size))
    for i in range(whole, stop):
        out[i - start] = merge(np.uint64(0), last_piece(piece_at(data, i), size))
    return stop - start


@kernel
def _distinct(values: npt.NDArray[np.uint64], start: int, stop: int, room: _Room) -> int:
    """Sort ``values[start:stop]``, remove repeats, and return the new end."""
    if _deal(values, start, stop, room) > _CROWD:
        _sort(values, start, stop, _GAPS)
    else:
        _sort(values, start, stop, _NO_GAPS)
    end = start
    for i in range(start, stop):
        if end == start or values[i] != values[end - 1]:
            values[end] = values[i]
            end += 1
    return end


@kernel
def _deal(values: npt.NDArray[np.uint64], start: int, stop: int, room: _Room) -> int:
    """Bring values in the order of their highest bits, and return how many have the same ones at most.

    Hashes are spread evenly, so that hardly any is then more than a place or two from where it belongs.
    """
    bits = 1
    while 1 << bits < stop - start:
        bits += 1
    shift = np.uint64(64 - bits)
    room.ends[: 1 << bits] = 0
    for i in range(start, stop):
        room.copy[i - start] = values[i]
        room.ends[values[i] >> shift] += 1
    end, most = start, 0
    for place in range(1 << bits):
        most = max(most, room.ends[place])
        end += room.ends[place]
        room.ends[place] = end
    for i in range(stop - start):
        value = room.copy[i]
        place = room.ends[value >> shift] - 1
        room.ends[value >> shift] = place
        values[place] = value
    return most


@kernel
def _sort(values: npt.NDArray[np.uint64], start: int, stop: int, gaps: tuple[int, ...]) -> None:
    """Sort ``values[start:stop]`` in place (Shell 1959, with the gaps of Ciura 2001; by insertion without gaps)."""
    for gap in gaps:
        for i in range(start + gap, stop):
            value, place = values[i], i
            while place >= start + gap and values[place - gap] > value:
                values[place] = values[place - gap]
                place -= gap
            values[place] = value
