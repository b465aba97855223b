"""Counting words and bigrams: open-addressing tables in compiled loops, exact, of a size that the caller bounds.

A word is known by its number in the order of first sight, a bigram by the numbers of its two words. Words are
compared byte by byte, so two that share a hash are still two. The plain reference is `collections.Counter`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.text.kernels import inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint64]

WORDS, TEXT, BIGRAMS, TOKENS = 0, 1, 2, 3
"""Places in `Table.used`: distinct words, bytes of their text, distinct bigrams, words counted."""

END, COUNT, PAGES, LAST = 0, 1, 2, 3
"""Columns of `Table.words`."""

_BASIS: Final = np.uint64(0xCBF29CE484222325)
_PRIME: Final = np.uint64(0x100000001B3)
_ONE, _HALF, _LOW = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF)
_NO_WORD: Final = np.int64(-1)


class Lines(NamedTuple):
    """The tokens of lines: a `witbuild.text.scan.Scan`, and the number of each line's page, ascending."""

    out: Bytes
    ends: Ints
    lasts: Ints
    pages: Ints


class Table(NamedTuple):
    """Counts so far; the number of a word is its place in the arrays of words.

    Shapes: `slots` and `keys` are powers of two; `hashes` and `words` have room for half as many words as there are
    slots. Without `keys`, no bigrams are counted. What is looked at together lies together: a look-up costs a cache
    miss a line of these arrays, and little else.
    """

    slots: Hashes
    """Upper half of the hash and number of the word + 1, 32 bits each; 0 where free."""
    hashes: Hashes
    words: Ints
    """A row a word: END in `text` (it starts where the one before it ends), COUNT, PAGES it occurs in, LAST page."""
    text: Bytes
    keys: Hashes
    """Bigrams: numbers of the two words + 1, 32 bits each; 0 where free."""
    key_counts: npt.NDArray[np.uint32]
    used: Ints


def new_table(word_slots: int, bigram_slots: int, text_bytes: int) -> Table:
    """Return an empty table."""
    words = word_slots // 2
    return Table(
        slots=np.zeros(word_slots, np.uint64),
        hashes=np.zeros(words, np.uint64),
        words=np.zeros((words, 4), np.int64),
        text=np.zeros(text_bytes, np.uint8),
        keys=np.zeros(bigram_slots, np.uint64),
        key_counts=np.zeros(bigram_slots, np.uint32),
        used=np.zeros(4, np.int64),
    )


@inner
def hash_bytes(text: Bytes, start: int, stop: int) -> np.uint64:
    """Return a 64-bit hash of some bytes (FNV-1a, finished as SplitMix64 is)."""
    value = _BASIS
    for place in range(start, stop):
        value = (value ^ np.uint64(text[place])) * _PRIME
    return _mix(value)


def hash_all(data: Bytes, offsets: Ints) -> Hashes:
    """Return the hash of each text between n + 1 offsets."""
    out = np.empty(len(offsets) - 1, np.uint64)
    _hash_all(data, offsets, out)
    return out


@kernel
def _hash_all(data: Bytes, offsets: Ints, out: Hashes) -> None:
    for row in range(len(out)):
        out[row] = hash_bytes(data, offsets[row], offsets[row + 1])


@inner
def _mix(value: np.uint64) -> np.uint64:
    value = (value ^ (value >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    value = (value ^ (value >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return value ^ (value >> np.uint64(31))


@kernel
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
        after = _next_page(lines.pages, line)
        start = lines.lasts[line - 1] if line else 0
        if not _has_room(table, lines.ends, start, lines.lasts[after - 1]):
            return line
        _count_page(lines, line, after, numbers, table)
        line = after
    return line


@inner
def _next_page(pages: Ints, line: int) -> int:
    """Return the first line after the page that a line is of."""
    page = pages[line]
    while line < len(pages) and pages[line] == page:
        line += 1
    return line


@inner
def _has_room(table: Table, ends: Ints, first: int, last: int) -> bool:
    """Say whether tokens fit, tables at most half and three quarters full, even if every word of them is new."""
    tokens = last - first
    size = ends[last - 1] - (ends[first - 1] if first else 0) if tokens else 0
    return (
        table.used[WORDS] + tokens <= len(table.hashes)
        and table.used[TEXT] + size <= len(table.text)
        and (len(table.keys) == 0 or table.used[BIGRAMS] + tokens <= len(table.keys) // 4 * 3)
    )


@inner
def _count_page(lines: Lines, line: int, after: int, numbers: Bools, table: Table) -> None:
    """Count the lines of a page; tuples are taken apart once, which for each token would cost more than to count."""
    out, ends, lasts, pages = lines
    slots, hashes, words, text, keys, key_counts, used = table
    page = pages[line] + 1
    token = lasts[line - 1] if line else 0
    start = ends[token - 1] if token else 0
    for one in range(line, after):
        before = _NO_WORD
        while token < lasts[one]:
            stop = ends[token]
            word = _NO_WORD
            if _is_word(out, start, stop, numbers):
                value = hash_bytes(out, start, stop)
                slot = _find(slots, words, text, out, start, stop, value)
                word = np.int64(slots[slot] & _LOW) - 1
                if word == _NO_WORD:
                    word = used[WORDS]
                    slots[slot] = value >> _HALF << _HALF | np.uint64(word + 1)
                    hashes[word] = value
                    used[TEXT] = _copy(out, start, stop, text, used[TEXT])
                    words[word, END] = used[TEXT]
                    used[WORDS] += 1
                words[word, COUNT] += 1
                used[TOKENS] += 1
                words[word, PAGES] += words[word, LAST] != page
                words[word, LAST] = page
                if before != _NO_WORD and len(keys):
                    key = np.uint64(before + 1) << _HALF | np.uint64(word + 1)
                    place = _slot_of(keys, key)
                    used[BIGRAMS] += keys[place] == 0
                    keys[place] = key
                    key_counts[place] += np.uint32(1)
            before = word
            start = stop
            token += 1


@inner
def _find(  # noqa: PLR0913, PLR0917 taken apart, see _count_page
    slots: Hashes, words: Ints, text: Bytes, out: Bytes, start: int, stop: int, value: np.uint64
) -> np.uint64:
    """Return the slot of a word, or the free one where it belongs."""
    mask = np.uint64(len(slots) - 1)
    slot = value & mask
    while slots[slot]:
        if slots[slot] >> _HALF == value >> _HALF:
            word = np.int64(slots[slot] & _LOW) - 1
            first = words[word - 1, END] if word else 0
            size = words[word, END] - first
            same = 0
            while same < min(size, stop - start) and text[first + same] == out[start + same]:
                same += 1
            if same == size == stop - start:
                return slot
        slot = (slot + _ONE) & mask
    return slot


@inner
def _copy(out: Bytes, start: int, stop: int, text: Bytes, size: int) -> int:
    for place in range(start, stop):
        text[size + place - start] = out[place]
    return size + stop - start


@inner
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


@inner
def _is_joiner(byte: int) -> bool:
    return byte in (39, 45)


@inner
def _slot_of(keys: Hashes, key: np.uint64) -> np.uint64:
    mask = np.uint64(len(keys) - 1)
    slot = _mix(key) & mask
    while keys[slot] != 0 and keys[slot] != key:
        slot = (slot + _ONE) & mask
    return slot


def rehash(old: Table, new: Table) -> None:
    """Put everything that a table holds into a larger, empty one."""
    words, size = old.used[WORDS], old.used[TEXT]
    new.hashes[:words] = old.hashes[:words]
    new.words[:words] = old.words[:words]
    new.text[:size] = old.text[:size]
    new.used[:] = old.used
    _insert_again(old, new)


@kernel
def _insert_again(old: Table, new: Table) -> None:
    mask = np.uint64(len(new.slots) - 1)
    for word in range(old.used[WORDS]):
        value = old.hashes[word]
        slot = value & mask
        while new.slots[slot]:
            slot = (slot + _ONE) & mask
        new.slots[slot] = value >> _HALF << _HALF | np.uint64(word + 1)
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


@kernel
def add_pairs(pairs: Pairs, row: int, table: Sums) -> int:
    """Add pairs from `row` on while the table is less than half full; return the first row that is left."""
    firsts, seconds, counts = pairs
    keys, sums, used = table
    mask = np.uint64(len(keys) - 1)
    while row < len(firsts) and used[0] < len(keys) // 2:
        first, second = firsts[row], seconds[row]
        slot = _mix(first ^ _mix(second + _BASIS)) & mask
        while sums[slot] and not (keys[slot, 0] == first and keys[slot, 1] == second):
            slot = (slot + _ONE) & mask
        if sums[slot] == 0:
            keys[slot, 0] = first
            keys[slot, 1] = second
            used[0] += 1
        sums[slot] += counts[row]
        row += 1
    return row
