"""Counts of words and bigrams of any amount of text in bounded memory: count, hand over when full, begin anew."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from witbuild.text import counting
from witbuild.text.counting import (
    BIGRAMS,
    COUNT,
    COUNT_BITS,
    FULL,
    NUMBER_BITS,
    PAGE_BITS,
    PAGES,
    PLACE,
    SIZE_BITS,
    TEXT,
    TOKENS,
    WORDS,
    Lines,
    Table,
)  # fmt: skip
from witbuild.text.hashing import bigram_slices_of, slices_of
from witbuild.text.words import line_starts, number_table, scan_lines

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    import numpy.typing as npt

    from witbuild.text.tokens import Semantics
    from witbuild.text.wikitext import Pages

    Hashes = npt.NDArray[np.uint64]

SMALL = 1 << 16
"""Slots that a counter begins with."""
LARGE = 1 << 24
"""Slots of bigrams that it grows to: 134 MB; those of words are half as many: 300 MB with their text."""


PIECE = 1 << 20
"""Bigrams that are looked at together when they are handed over."""


class Round:
    """What was counted until the table was full, or until the end, slice by slice: nobody holds all of it twice."""

    def __init__(self, table: Table) -> None:
        self._table = table

    def words(self, slices: int) -> Iterator[pa.Table]:
        """Yield the words of each slice: columns hash uint64, word, count, pages."""
        rows, hashes = self._table.words[: self._table.used[WORDS]], self._table.hashes[: self._table.used[WORDS]]
        offsets = np.append(rows[:, PLACE] >> SIZE_BITS, self._table.used[TEXT]).astype(np.int32)
        text = pa.StringArray.from_buffers(len(rows), pa.py_buffer(offsets), pa.py_buffer(self._table.text))
        for mine in _by_slice(slices_of(hashes, slices), slices):
            counts = {"count": rows[mine, COUNT], "pages": rows[mine, PAGES] >> PAGE_BITS}
            yield pa.table({"hash": hashes[mine], "word": text.take(pa.array(mine)), **counts})

    def bigrams(self, slices: int) -> Iterator[pa.Table]:
        """Yield the bigrams of each slice: columns first, second (hashes of words), count; nothing if uncounted."""
        table = self._table
        full = table.full[: table.used[FULL]] << np.uint64(COUNT_BITS) | counting.MOST
        found = np.concatenate([table.bigrams[table.bigrams != 0], full])
        pieces = (found[start : start + PIECE] for start in range(0, len(found), PIECE))
        homes = [bigram_slices_of(*self._hashes(piece), slices).astype(np.uint16) for piece in pieces]
        if len(table.bigrams):
            for mine in _by_slice(np.concatenate([np.zeros(0, np.uint16), *homes]), slices):
                first, second = self._hashes(found[mine])
                counts = (found[mine] & counting.MOST).astype(np.int64)
                yield pa.table({"first": first, "second": second, "count": counts})

    def _hashes(self, bigrams: Hashes) -> tuple[Hashes, Hashes]:
        """Return the hashes of the first and of the second words."""
        second = (bigrams >> np.uint64(COUNT_BITS)).astype(np.int64)
        return self._table.hashes[second >> NUMBER_BITS], self._table.hashes[second & ((1 << NUMBER_BITS) - 1)]


def _by_slice(homes: npt.NDArray[np.integer], slices: int) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the places of each slice's rows, ascending."""
    order = np.argsort(homes.astype(np.uint16), kind="stable")
    yield from np.split(order, np.cumsum(np.bincount(homes, minlength=slices))[:-1])


class _Extent(NamedTuple):
    """Tokens, and bytes of tokens, before each page of some, and before their end: int64 of shape (pages + 1,)."""

    tokens: npt.NDArray[np.int64]
    octets: npt.NDArray[np.int64]

    def fitting(self, page: int, table: Table) -> int:
        """Return the page after those, from one on, that fit into a table even if all that they hold is new."""
        words, text = len(table.hashes) - table.used[WORDS], len(table.text) - table.used[TEXT]
        if len(table.bigrams):
            words = min(words, len(table.bigrams) // 4 * 3 - table.used[BIGRAMS])
            words = min(words, len(table.full) * int(counting.MOST) - table.used[TOKENS])
        limits = (self.tokens, words), (self.octets, text)
        return min(int(np.searchsorted(sums, sums[page] + room, "right")) for sums, room in limits) - 1


def _extent(lines: Lines, bounds: npt.NDArray[np.int64]) -> _Extent:
    """Return the extent of pages from their lines' bounds."""
    tokens = np.concatenate([np.zeros(1, np.int64), lines.lasts])[bounds]
    return _Extent(tokens, np.concatenate([np.zeros(1, np.int64), lines.ends])[tokens])


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
        >>> (words,), (bigrams,) = rounds[0].words(slices=1), rounds[0].bigrams(slices=1)
        >>> sorted((row["word"], row["count"], row["pages"]) for row in words.to_pylist())
        [('a', 1, 1), ('dog', 2, 1), ('red', 3, 2)]
        >>> sorted(bigrams["count"].to_pylist()), counter.tokens
        ([1, 2], 6)
    """

    def __init__(
        self, semantics: Semantics, full: Callable[[Round], object], *, bigrams: bool = True, slots: int = LARGE
    ) -> None:
        self.semantics, self.bigrams = semantics, bigrams
        self.pages = self.tokens = self.too_large = 0
        self._full, self._slots = full, slots
        self._letters = counting.letters_of(number_table(semantics))
        self._table = self._new_table(min(SMALL, slots))

    def add(self, pages: Pages) -> None:
        """Count plain texts, each of which ends in a line break."""
        starts = line_starts(pages)
        bounds = np.searchsorted(starts, pages.offsets)
        numbers = self.pages + np.repeat(np.arange(1, len(bounds)), np.diff(bounds))
        lines = Lines(*scan_lines(pages, starts, self.semantics), numbers)
        extent, page, count = _extent(lines, bounds), 0, len(bounds) - 1
        while page < count:
            after = extent.fitting(page, self._table)
            if after > page:
                counting.count_lines(lines, bounds[page], bounds[after], self._letters, self._table)
            elif not self._make_room():
                self.too_large += 1
                after = page + 1
            page = after
        self.pages += count

    def close(self) -> None:
        """Hand over what has not been."""
        if self._table.used[WORDS]:
            self._hand_over()

    def _make_room(self) -> bool:
        """Grow the table, or empty it; say whether either helped."""
        slots = 2 * len(self._table.slots)
        if slots < self._slots:
            larger = self._new_table(min(4 * slots, self._slots))
            counting.rehash(self._table, larger)
            self._table = larger
            return True
        if not self._table.used[WORDS]:
            return False
        self._hand_over()
        return True

    def _hand_over(self) -> None:
        self.tokens += int(self._table.used[TOKENS])
        self._full(Round(self._table))
        self._table = self._new_table(2 * len(self._table.slots))

    def _new_table(self, slots: int) -> Table:
        return counting.new_table(slots // 2, slots if self.bigrams else 0, 4 * slots)
