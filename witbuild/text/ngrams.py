"""Counts of words and bigrams of any amount of text in bounded memory: count, hand over when full, begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from witbuild.text import counting
from witbuild.text.counting import TEXT, TOKENS, WORDS, Lines, Pairs, Sums, Table
from witbuild.text.words import line_starts, number_table, scan_lines

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from witbuild.text.tokens import Semantics
    from witbuild.text.wikitext import Pages

    Hashes = npt.NDArray[np.uint64]

SMALL = 1 << 16
"""Slots that a counter begins with."""
LARGE = 1 << 24
"""Slots of bigrams that it grows to: 200 MB; those of words are half as many: 240 MB with their text."""


class Round(NamedTuple):
    """What was counted until the table was full, or until the end.

    `words` has columns hash uint64, word, count, pages; `bigrams` first, second (hashes of words, uint64), count.
    """

    words: pa.Table
    bigrams: pa.Table


class NgramCounter:
    r"""Counts the words and bigrams of texts; hands a Round over whenever its table is full.

    A page whose tokens do not fit into an empty table of `slots` (4 million at least) is left out; `too_large` says
    how many were.

    Example:
        >>> from witbuild.text.wikitext import pack
        >>> rounds = []
        >>> counter = NgramCounter("witbuild", rounds.append)
        >>> counter.add(pack([b"A red dog.\nRed dog 7\n", b"red\n"]))
        >>> counter.close()
        >>> sorted((row["word"], row["count"], row["pages"]) for row in rounds[0].words.to_pylist())
        [('a', 1, 1), ('dog', 2, 1), ('red', 3, 2)]
        >>> sorted(rounds[0].bigrams["count"].to_pylist()), counter.tokens
        ([1, 2], 6)
    """

    def __init__(
        self, semantics: Semantics, full: Callable[[Round], object], *, bigrams: bool = True, slots: int = LARGE
    ) -> None:
        self.semantics, self.bigrams = semantics, bigrams
        self.pages = self.tokens = self.too_large = 0
        self._full, self._slots = full, slots
        self._numbers = number_table(semantics)
        self._table = self._new_table(min(SMALL, slots))

    def add(self, pages: Pages) -> None:
        """Count plain texts, each of which ends in a line break."""
        starts = line_starts(pages)
        page = self.pages + np.searchsorted(pages.offsets, starts[:-1], "right").astype(np.int64)
        lines = Lines(*scan_lines(pages, starts, self.semantics), page)
        line = 0
        while (after := counting.count_lines(lines, line, self._numbers, self._table)) < len(page):
            if after == line and not self._make_room():
                self.too_large += 1
                after = int(np.searchsorted(page, page[line], "right"))
            line = after
        self.pages += len(pages.offsets) - 1

    def close(self) -> None:
        """Hand over what has not been."""
        if self._table.used[WORDS]:
            self._hand_over()

    def _make_room(self) -> bool:
        """Grow the table, or empty it; say whether either helped."""
        slots = 2 * len(self._table.slots)
        if slots < self._slots:
            larger = self._new_table(min(slots * 4, self._slots))
            counting.rehash(self._table, larger)
            self._table = larger
            return True
        if not self._table.used[WORDS]:
            return False
        self._hand_over()
        return True

    def _hand_over(self) -> None:
        self.tokens += int(self._table.used[TOKENS])
        self._full(Round(_words(self._table), _bigrams(self._table)))
        self._table = self._new_table(2 * len(self._table.slots))

    def _new_table(self, slots: int) -> Table:
        return counting.new_table(slots // 2, slots if self.bigrams else 0, 4 * slots)


def _words(table: Table) -> pa.Table:
    rows = table.words[: table.used[WORDS]]
    offsets = np.concatenate([np.zeros(1, np.int64), rows[:, counting.END]]).astype(np.int32)
    text = table.text[: table.used[TEXT]].copy()
    return pa.table(
        {
            "hash": table.hashes[: len(rows)].copy(),
            "word": pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(text)),
            "count": rows[:, counting.COUNT].copy(),
            "pages": rows[:, counting.PAGES].copy(),
        }
    )


def _bigrams(table: Table) -> pa.Table:
    taken = np.flatnonzero(table.keys)
    keys = table.keys[taken]
    first = table.hashes[(keys >> np.uint64(32)).astype(np.int64) - 1]
    second = table.hashes[(keys & np.uint64(0xFFFFFFFF)).astype(np.int64) - 1]
    return pa.table({"first": first, "second": second, "count": table.key_counts[taken].astype(np.int64)})


def hash_texts(texts: pa.Array | pa.ChunkedArray) -> Hashes:
    """Return the hash of each text, which for a word is that of the counts: uint64 of shape (n,).

    Example:
        >>> len(set(hash_texts(pa.array(["dog", "cat", "dog"])).tolist()))
        2
    """
    flat = texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts
    column = flat.cast(pa.large_string())
    _, offsets, data = column.buffers()
    places = np.frombuffer(offsets or bytes(8), np.int64)[column.offset : column.offset + len(column) + 1]
    return counting.hash_all(np.frombuffer(data or b"\0", np.uint8), places)


def slices_of(hashes: Hashes, count: int) -> npt.NDArray[np.int64]:
    """Return the slice of each word, by its hash: int64 of shape (n,).

    Example:
        >>> slices_of(np.array([5, 1 << 40], np.uint64), 4).tolist()
        [1, 0]
    """
    return (hashes % np.uint64(count)).astype(np.int64)


def bigram_slices_of(first: Hashes, second: Hashes, count: int) -> npt.NDArray[np.int64]:
    """Return the slice of each bigram, by the hashes of its words."""
    return slices_of(first * np.uint64(0x9E3779B97F4A7C15) ^ second, count)


class PairSums:
    """Adds up counts of pairs of hashes; memory goes with the distinct pairs.

    Example:
        >>> sums, one = PairSums(), np.ones(3, np.int64)
        >>> sums.add(np.array([1, 1, 2], np.uint64), np.array([7, 7, 7], np.uint64), one)
        >>> [part.tolist() for part in sums.result()]
        [[1, 2], [7, 7], [2, 1]]
    """

    def __init__(self) -> None:
        self._resize(SMALL)

    def _resize(self, slots: int) -> None:
        self._table = Sums(np.zeros((slots, 2), np.uint64), np.zeros(slots, np.int64), np.zeros(1, np.int64))

    def add(self, first: Hashes, second: Hashes, counts: npt.NDArray[np.int64]) -> None:
        """Add `counts[i]` to the pair (first[i], second[i])."""
        pairs = Pairs(first, second, counts)
        row = counting.add_pairs(pairs, 0, self._table)
        while row < len(first):
            held = self._held()
            self._resize(4 * len(self._table.keys))
            counting.add_pairs(held, 0, self._table)
            row = counting.add_pairs(pairs, row, self._table)

    def _held(self) -> Pairs:
        taken = np.flatnonzero(self._table.sums)
        return Pairs(self._table.keys[taken, 0], self._table.keys[taken, 1], self._table.sums[taken])

    def result(self) -> Pairs:
        """Return every pair and its sum, sorted by the hashes."""
        held = self._held()
        order = np.lexsort((held.second, held.first))
        return Pairs(held.first[order], held.second[order], held.counts[order])
