"""Counting words and bigrams: open-addressing tables in compiled loops, exact, of a size that the caller bounds.

A word is known by its number in the order of first sight, a bigram by the numbers of its two words. Words are
compared byte by byte, so two that share a hash are still two. The plain reference is `collections.Counter`.

A table is larger than any cache, so a look-up waits for memory. Tokens are therefore counted some thousands at a
time, in short loops: hash all, look where all of them will be looked for (these reads wait together), then count.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.text.hashing import BASIS, finish, first_bytes, joined, mix, octets
from witbuild.text.kernels import copied, inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Bools = npt.NDArray[np.bool_]
    Ints = npt.NDArray[np.int64]
    Hashes = npt.NDArray[np.uint64]

WORDS, TEXT, BIGRAMS, TOKENS, FULL = 0, 1, 2, 3, 4
"""Places in `Table.used`: distinct words, bytes of their text, distinct bigrams, words counted, full counts."""

PLACE, COUNT, PAGES, HEAD = 0, 1, 2, 3
"""Columns of `Table.words`."""

SIZE_BITS: Final = 27
"""Bits of PLACE that hold the length of a word; no table holds as much text."""

PAGE_BITS: Final = 31
"""Bits of PAGES that hold the number of the last page; a counter counts no more pages."""

NUMBER_BITS: Final = 22
"""Bits of a word's number in a bigram; no table holds more words."""

COUNT_BITS: Final = 20
"""Bits of a bigram's count beside the numbers of its words; a count that is full is put aside."""

BLOCK: Final = 2048
"""Tokens that are looked up together: their hashes and places stay in the first cache."""

_ONE, _HALF, _LOW, _NONE = np.uint64(1), np.uint64(32), np.uint64(0xFFFFFFFF), np.uint64(0)
_HIGH = np.uint64(0x8080808080808080)
_LETTERS_A, _TO_HIGH = np.uint64(0x6161616161616161), np.uint64(0x0505050505050505)
"""Eight times `a`; eight times what makes a byte above `z` one of 128 or more."""
_NUMBER_SHIFT, _COUNT_SHIFT = np.uint64(NUMBER_BITS), np.uint64(COUNT_BITS)
MOST: Final = np.uint64((1 << COUNT_BITS) - 1)
"""A count that is full."""
_LAST_PAGE: Final = np.int64((1 << PAGE_BITS) - 1)
_SIZE_MASK: Final = np.int64((1 << SIZE_BITS) - 1)
_PLAIN, _NUMBER, _UNSURE = 0, 1, 2
"""What a byte says of its token: nothing, that it is no word, that its characters must be looked at."""


class Lines(NamedTuple):
    """The tokens of lines: a `witbuild.text.scan.Scan`, and the number of each line's page, ascending."""

    out: Bytes
    ends: Ints
    lasts: Ints
    pages: Ints


class Letters(NamedTuple):
    """Which characters make a token no word: by code point, bool; and what a byte says of its token, uint8 (256,)."""

    numbers: Bools
    bytes: Bytes


class Table(NamedTuple):
    """Counts so far; the number of a word is its place in the arrays of words.

    Shapes: `slots` and `bigrams` are powers of two; `hashes` and `words` have room for half as many words as there
    are slots. Without `bigrams`, none are counted. What is looked at together lies together: a look-up costs a cache
    miss a line of these arrays, and little else.
    """

    slots: Hashes
    """Upper half of the hash and number of the word + 1, 32 bits each; 0 where free."""
    hashes: Hashes
    words: Ints
    """A row a word: PLACE (start in `text`, length), COUNT, PAGES (how many it occurs in, the last of them), HEAD."""
    text: Bytes
    bigrams: Hashes
    """Numbers of the two words and count, NUMBER_BITS, NUMBER_BITS and COUNT_BITS; 0 where free."""
    full: Hashes
    """Bigrams whose count was full, without their count, once for each time it was."""
    used: Ints
    block: Hashes
    """Room to work in, of shape (4, BLOCK): hashes of tokens, keys of bigrams, what was seen there, heads of tokens."""


FULL_COUNTS: Final = 1 << 12
"""Full counts that a table has room for."""


def new_table(word_slots: int, bigram_slots: int, text_bytes: int) -> Table:
    """Return an empty table."""
    words = word_slots // 2
    return Table(
        slots=np.zeros(word_slots, np.uint64),
        hashes=np.zeros(words, np.uint64),
        words=np.zeros((words, 4), np.int64),
        text=np.zeros(text_bytes, np.uint8),
        bigrams=np.zeros(bigram_slots, np.uint64),
        full=np.zeros(FULL_COUNTS if bigram_slots else 0, np.uint64),
        used=np.zeros(5, np.int64),
        block=np.zeros((4, BLOCK), np.uint64),
    )


def letters_of(numbers: Bools) -> Letters:
    """Return what tokens are judged by, from which code points are in no word."""
    kinds = np.full(256, _UNSURE, np.uint8)
    kinds[:128] = np.where(numbers[:128], _NUMBER, _PLAIN)
    kinds[list(b"-'")] = _UNSURE
    return Letters(numbers, kinds)


@kernel
def count_lines(lines: Lines, line: int, after: int, letters: Letters, table: Table) -> None:
    """Count the lines from `line` up to `after`, block by block; the caller has seen to it that there is room.

    Args:
        lines: whose words are counted.
        line: to begin with.
        after: the line to end before.
        letters: which tokens are words.
        table: is added to; at most half of its words and three quarters of its bigrams may be taken in the end.
    """
    token = lines.lasts[line - 1] if line else 0
    last = lines.lasts[after - 1]
    before = _NONE
    while token < last:
        stop = min(token + BLOCK, last)
        _hash_tokens(lines, token, stop, letters, table.block)
        _look(table, stop - token)
        line, before, found = _count_words(lines, token, stop, line, before, table)
        if len(table.bigrams):
            _look_at_bigrams(table, found)
            _count_bigrams(table, found)
        token = stop


@inner
def _hash_tokens(lines: Lines, first: int, stop: int, letters: Letters, block: Hashes) -> None:
    """Write the hash of each token that is a word, 0 for the others, and its head: its first eight bytes."""
    out, ends = lines.out, lines.ends
    start = ends[first - 1] if first else 0
    for token in range(first, stop):
        end = ends[token]
        size = end - start
        head = octets(out, start, size)
        value, lower, done = joined(BASIS, head), _is_lower(head, size), 8
        while done < size:
            eight = octets(out, start + done, size - done)
            value, lower = joined(value, eight), lower and _is_lower(eight, size - done)
            done += 8
        wanted = lower or _may_be_word(out, start, end, letters)
        block[0, token - first] = finish(value, size) if wanted else _NONE
        block[3, token - first] = head
        start = end


@inner
def _is_lower(eight: np.uint64, size: int) -> bool:
    """Say whether bytes are all a to z, at most the first eight: each sum below stays within its byte."""
    low = eight | (_LETTERS_A & ~first_bytes(size))
    return not (low | (low + _TO_HIGH)) & _HIGH and ((low | _HIGH) - _LETTERS_A) & _HIGH == _HIGH


@inner
def _may_be_word(out: Bytes, start: int, end: int, letters: Letters) -> bool:
    kind = 0
    for place in range(start, end):
        kind |= letters.bytes[out[place]]
    return kind == _PLAIN or (kind == _UNSURE and _is_word(out, start, end, letters.numbers))


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
def _look(table: Table, count: int) -> None:
    """Read where words will be looked for: no read waits for another."""
    slots, words, block = table.slots, table.words, table.block
    mask = np.uint64(len(slots) - 1)
    for i in range(count):
        block[2, i] = slots[block[0, i] & mask] & _LOW
    for i in range(count):
        block[2, i] = np.uint64(words[np.int64(block[2, i]) - (block[2, i] != _NONE), HEAD])


@inner
def _count_words(  # noqa: PLR0913, PLR0917 a kernel's state
    lines: Lines, first: int, stop: int, line: int, before: np.uint64, table: Table
) -> tuple[int, np.uint64, int]:
    """Count the words of a block and write the keys of its bigrams; return the line, the last word + 1, the keys."""
    out, ends, lasts, pages = lines
    slots, hashes, words, text, _, _, used, block = table
    start, found = ends[first - 1] if first else 0, 0
    for token in range(first, stop):
        while lasts[line] <= token:
            line += 1
            before = _NONE
        end = ends[token]
        value = block[0, token - first]
        number = _NONE
        if value != _NONE:
            slot = _find(slots, words, text, out, start, end, value, block[3, token - first])
            number = slots[slot] & _LOW
            if number == _NONE:
                number = np.uint64(used[WORDS] + 1)
                slots[slot] = value >> _HALF << _HALF | number
                hashes[used[WORDS]] = value
                words[used[WORDS], PLACE] = used[TEXT] << SIZE_BITS | (end - start)
                words[used[WORDS], HEAD] = np.int64(block[3, token - first])
                used[TEXT] = copied(out, start, end, text, used[TEXT])
                used[WORDS] += 1
            row = np.int64(number) - 1
            page = pages[line] + 1
            words[row, COUNT] += 1
            seen = words[row, PAGES]
            words[row, PAGES] = ((seen >> PAGE_BITS) + (seen & _LAST_PAGE != page)) << PAGE_BITS | page
            used[TOKENS] += 1
            if before != _NONE:
                block[1, found] = (before - _ONE) << _NUMBER_SHIFT | (number - _ONE)
                found += 1
        before = number
        start = end
    return line, before, found


@inner
def _find(  # noqa: PLR0913, PLR0917 taken apart: a tuple of arrays for each token would cost more than to count
    slots: Hashes, words: Ints, text: Bytes, out: Bytes, start: int, end: int, value: np.uint64, head: np.uint64
) -> np.uint64:
    """Return the slot of a word, or the free one where it belongs."""
    mask, size = np.uint64(len(slots) - 1), end - start
    slot = value & mask
    while slots[slot]:
        if slots[slot] >> _HALF == value >> _HALF:
            row = np.int64(slots[slot] & _LOW) - 1
            place = words[row, PLACE]
            if place & _SIZE_MASK == size and np.uint64(words[row, HEAD]) == head:
                if size <= 8:
                    return slot
                first, same = place >> SIZE_BITS, 8
                while same < size and text[first + same] == out[start + same]:
                    same += 1
                if same == size:
                    return slot
        slot = (slot + _ONE) & mask
    return slot


@inner
def _look_at_bigrams(table: Table, count: int) -> None:
    """Read where bigrams will be looked for: no read waits for another."""
    bigrams, block = table.bigrams, table.block
    mask = np.uint64(len(bigrams) - 1)
    for i in range(count):
        block[2, i] = bigrams[mix(block[1, i]) & mask]


@inner
def _count_bigrams(table: Table, count: int) -> None:
    bigrams, full, used, block = table.bigrams, table.full, table.used, table.block
    for i in range(count):
        key = block[1, i]
        slot = _slot_of(bigrams, key)
        value = bigrams[slot]
        if value & MOST == MOST:
            full[used[FULL]] = key
            used[FULL] += 1
            value = _NONE
        used[BIGRAMS] += bigrams[slot] == _NONE
        bigrams[slot] = (key << _COUNT_SHIFT | value & MOST) + _ONE


@inner
def _slot_of(bigrams: Hashes, key: np.uint64) -> np.uint64:
    """Return the slot of a bigram, or the free one where it belongs."""
    mask = np.uint64(len(bigrams) - 1)
    slot = mix(key) & mask
    while bigrams[slot] != _NONE and bigrams[slot] >> _COUNT_SHIFT != key:
        slot = (slot + _ONE) & mask
    return slot


def rehash(old: Table, new: Table) -> None:
    """Put everything that a table holds into a larger, empty one."""
    words, size = old.used[WORDS], old.used[TEXT]
    new.hashes[:words] = old.hashes[:words]
    new.words[:words] = old.words[:words]
    new.text[:size] = old.text[:size]
    new.full[:] = old.full
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
    for place in range(len(old.bigrams)):
        value = old.bigrams[place]
        if value != _NONE:
            new.bigrams[_slot_of(new.bigrams, value >> _COUNT_SHIFT)] = value
