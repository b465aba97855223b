"""Counting words and bigrams: open-addressing tables in compiled loops, exact, of a size that the caller bounds.

A word is known by its number in the order of first sight, a bigram by the numbers of its two words. Words are
compared byte by byte, so two that share a hash are still two. The plain reference is `collections.Counter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]
    Slots = npt.NDArray[np.int32]
    Hashes = npt.NDArray[np.uint64]

WORDS, TEXT, BIGRAMS, TOKENS = 0, 1, 2, 3
"""Places in `Table.used`: distinct words, bytes of their text, distinct bigrams, words counted."""

_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_NO_WORD: Final = -1


class Lines(NamedTuple):
    """The tokens of lines: a `witbuild.text.scan.Scan`, and the number of each line's page, ascending."""

    out: Bytes
    ends: Ints
    lasts: Ints
    pages: Ints


class Table(NamedTuple):
    """Counts so far; the number of a word is its place in the arrays of words.

    Shapes: `slots` and `keys` are powers of two; `hashes`, `ends`, `counts`, `pages`, `last_page` have room for
    half as many words as there are slots. Without `keys`, no bigrams are counted.
    """

    slots: Slots
    """Hash -> number of the word + 1, or 0."""
    hashes: Hashes
    ends: Ints
    """Where each word ends in `text`; it starts where the one before it ends."""
    text: Bytes
    counts: Ints
    pages: Slots
    """In how many pages each word occurs."""
    last_page: Slots
    keys: Hashes
    """Bigrams: numbers of the two words + 1, 32 bits each; 0 where free."""
    key_counts: npt.NDArray[np.uint32]
    used: Ints


def new_table(word_slots: int, bigram_slots: int, text_bytes: int) -> Table:
    """Return an empty table."""
    words = word_slots // 2
    return Table(
        slots=np.zeros(word_slots, np.int32),
        hashes=np.zeros(words, np.uint64),
        ends=np.zeros(words, np.int64),
        text=np.zeros(text_bytes, np.uint8),
        counts=np.zeros(words, np.int64),
        pages=np.zeros(words, np.int32),
        last_page=np.full(words, -1, np.int32),
        keys=np.zeros(bigram_slots, np.uint64),
        key_counts=np.zeros(bigram_slots, np.uint32),
        used=np.zeros(4, np.int64),
    )


@njit(cache=True, nogil=True)
def hash_bytes(text: Bytes, start: int, stop: int) -> np.uint64:
    """Return a 64-bit hash of some bytes (FNV-1a, finished as SplitMix64 is)."""
    value = _BASIS
    for place in range(start, stop):
        value = (value ^ np.uint64(text[place])) * _PRIME
    return _mix(value)


@njit(cache=True, nogil=True)
def hash_all(data: Bytes, offsets: Ints) -> Hashes:
    """Return the hash of each text between n + 1 offsets."""
    out = np.empty(len(offsets) - 1, np.uint64)
    for row in range(len(out)):
        out[row] = hash_bytes(data, offsets[row], offsets[row + 1])
    return out


@njit(cache=True, nogil=True)
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@njit(cache=True, nogil=True)
def count_lines(lines: Lines, first: int, numbers: Bools, table: Table) -> int:
    """Count the lines from `first` on, page by page while there is room; return the first line that is left.

    Args:
        lines: whose words are counted.
        first: line to begin with, the first of a page.
        numbers: which code points make a token no word.
        table: is added to.
    """
    line = first
    while line < len(lines.lasts):
        after = next_page(lines.pages, line)
        start = lines.lasts[line - 1] if line else 0
        if not _has_room(table, lines.ends, start, lines.lasts[after - 1]):
            return line
        while line < after:
            _count_line(lines, start, line, numbers, table)
            start = lines.lasts[line]
            line += 1
    return line


@njit(cache=True, nogil=True)
def next_page(pages: Ints, line: int) -> int:
    """Return the first line after the page that a line is of."""
    page = pages[line]
    while line < len(pages) and pages[line] == page:
        line += 1
    return line


@njit(cache=True, nogil=True)
def _has_room(table: Table, ends: Ints, first: int, last: int) -> bool:
    """Say whether tokens fit, tables at most half and three quarters full, even if every word of them is new."""
    tokens = last - first
    size = ends[last - 1] - (ends[first - 1] if first else 0) if tokens else 0
    return (
        table.used[WORDS] + tokens <= len(table.hashes)
        and table.used[TEXT] + size <= len(table.text)
        and (len(table.keys) == 0 or table.used[BIGRAMS] + tokens <= len(table.keys) // 4 * 3)
    )


@njit(cache=True, nogil=True)
def _count_line(lines: Lines, first: int, line: int, numbers: Bools, table: Table) -> None:
    out, ends, page = lines.out, lines.ends, lines.pages[line]
    before = _NO_WORD
    for token in range(first, lines.lasts[line]):
        start = ends[token - 1] if token else 0
        stop = ends[token]
        if not _is_word(out, start, stop, numbers):
            before = _NO_WORD
            continue
        word = _number_of(out, start, stop, table)
        table.counts[word] += 1
        table.used[TOKENS] += 1
        if table.last_page[word] != page:
            table.last_page[word] = page
            table.pages[word] += 1
        if before != _NO_WORD and len(table.keys):
            _count_bigram(before, word, table)
        before = word


@njit(cache=True, nogil=True)
def _is_word(out: Bytes, start: int, stop: int, numbers: Bools) -> bool:
    if _is_joiner(out[start]) or _is_joiner(out[stop - 1]):
        return False
    place = start
    while place < stop:
        lead = np.int64(out[place])
        if lead < 0x80:
            if numbers[lead]:
                return False
            place += 1
            continue
        width = 2 if lead < 0xE0 else (3 if lead < 0xF0 else 4)
        code = lead & (0x7F >> width)
        for i in range(place + 1, place + width):
            code = code << 6 | np.int64(out[i] & 0x3F)
        if code < len(numbers) and numbers[code]:
            return False
        place += width
    return True


@njit(cache=True, nogil=True)
def _is_joiner(byte: int) -> bool:
    return byte in (39, 45)


@njit(cache=True, nogil=True)
def _number_of(out: Bytes, start: int, stop: int, table: Table) -> int:
    """Return the number of a word, a new one when it was not seen before."""
    value = hash_bytes(out, start, stop)
    mask = len(table.slots) - 1
    slot = np.int64(value & np.uint64(mask))
    while table.slots[slot]:
        word = table.slots[slot] - 1
        if table.hashes[word] == value and _same(out, start, stop, table, word):
            return word
        slot = (slot + 1) & mask
    word = int(table.used[WORDS])
    table.slots[slot] = word + 1
    table.hashes[word] = value
    size = table.used[TEXT]
    for place in range(start, stop):
        table.text[size + place - start] = out[place]
    table.ends[word] = size + stop - start
    table.used[TEXT] += stop - start
    table.used[WORDS] += 1
    return word


@njit(cache=True, nogil=True)
def _same(out: Bytes, start: int, stop: int, table: Table, word: int) -> bool:
    first = table.ends[word - 1] if word else 0
    if table.ends[word] - first != stop - start:
        return False
    while start < stop and table.text[first] == out[start]:
        start += 1
        first += 1
    return start == stop


@njit(cache=True, nogil=True)
def _count_bigram(before: int, word: int, table: Table) -> None:
    key = np.uint64(before + 1) << np.uint64(32) | np.uint64(word + 1)
    slot = _slot_of(table.keys, key)
    if table.keys[slot] == 0:
        table.keys[slot] = key
        table.used[BIGRAMS] += 1
    table.key_counts[slot] += np.uint32(1)


@njit(cache=True, nogil=True)
def _slot_of(keys: Hashes, key: np.uint64) -> int:
    mask = len(keys) - 1
    slot = np.int64(_mix(key) & np.uint64(mask))
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + 1) & mask
    return int(slot)


def rehash(old: Table, new: Table) -> None:
    """Put everything that a table holds into a larger, empty one."""
    words, size = old.used[WORDS], old.used[TEXT]
    for name in ("hashes", "ends", "counts", "pages", "last_page"):
        getattr(new, name)[:words] = getattr(old, name)[:words]
    new.text[:size] = old.text[:size]
    new.used[:] = old.used
    _insert_again(old, new)


@njit(cache=True, nogil=True)
def _insert_again(old: Table, new: Table) -> None:
    mask = len(new.slots) - 1
    for word in range(old.used[WORDS]):
        slot = np.int64(old.hashes[word] & np.uint64(mask))
        while new.slots[slot]:
            slot = (slot + 1) & mask
        new.slots[slot] = word + 1
    for place in range(len(old.keys)):
        if old.keys[place]:
            slot = _slot_of(new.keys, old.keys[place])
            new.keys[slot] = old.keys[place]
            new.key_counts[slot] = old.key_counts[place]


class Pairs(NamedTuple):
    """Pairs of hashes and what to add to their counts."""

    first: Hashes
    second: Hashes
    counts: Ints


class Sums(NamedTuple):
    """Sums of pairs: `keys` of shape (slots, 2), free where `sums` is 0; `used` holds how many are not."""

    keys: Hashes
    sums: Ints
    used: Ints


@njit(cache=True, nogil=True)
def add_pairs(pairs: Pairs, row: int, table: Sums) -> int:
    """Add pairs from `row` on while the table is less than half full; return the first row that is left."""
    mask = len(table.keys) - 1
    while row < len(pairs.first) and table.used[0] < len(table.keys) // 2:
        first, second = pairs.first[row], pairs.second[row]
        slot = np.int64(_mix(first ^ _mix(second + _BASIS)) & np.uint64(mask))
        while table.sums[slot] and not (table.keys[slot, 0] == first and table.keys[slot, 1] == second):
            slot = (slot + 1) & mask
        if table.sums[slot] == 0:
            table.keys[slot, 0] = first
            table.keys[slot, 1] = second
            table.used[0] += 1
        table.sums[slot] += pairs.counts[row]
        row += 1
    return row
