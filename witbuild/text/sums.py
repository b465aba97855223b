"""Sums of pairs of hashes, exact; memory goes with the distinct pairs. The plain reference is `collections.Counter`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.text.hashing import BASIS, mix
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Counts = npt.NDArray[np.int64]

SMALL = 1 << 16
"""Slots that a table begins with."""


class Pairs(NamedTuple):
    """Pairs of hashes and what to add to their counts."""

    first: Hashes
    second: Hashes
    counts: Counts


class Sums(NamedTuple):
    """Sums of pairs: `keys` of shape (slots, 2), free where `sums` is 0; `used` holds how many are not."""

    keys: Hashes
    sums: Counts
    used: Counts


class PairSums:
    """Adds up counts of pairs of hashes.

    Example:
        >>> sums, one = PairSums(), np.ones(3, np.int64)
        >>> sums.add(np.array([1, 1, 2], np.uint64), np.array([7, 7, 7], np.uint64), one)
        >>> [part.tolist() for part in sums.at_least(1)], len(sums)
        ([[1, 2], [7, 7], [2, 1]], 2)
    """

    def __init__(self) -> None:
        self._resize(SMALL)

    def _resize(self, slots: int) -> None:
        self._table = Sums(np.zeros((slots, 2), np.uint64), np.zeros(slots, np.int64), np.zeros(1, np.int64))

    def add(self, first: Hashes, second: Hashes, counts: Counts) -> None:
        """Add `counts[i]` to the pair (first[i], second[i])."""
        pairs = Pairs(first, second, counts)
        row = add_pairs(pairs, 0, self._table)
        while row < len(first):
            held = self._held()
            self._resize(2 * len(self._table.keys))
            add_pairs(held, 0, self._table)
            row = add_pairs(pairs, row, self._table)

    def _held(self) -> Pairs:
        taken = np.flatnonzero(self._table.sums)
        held = Pairs(self._table.keys[taken, 0], self._table.keys[taken, 1], self._table.sums[taken])
        for part in held:
            part.setflags(write=False)  # as arrays of Arrow are: other ones would compile the kernel once more
        return held

    def at_least(self, count: int) -> Pairs:
        """Return the pairs whose sum is large enough, sorted by the hashes."""
        taken = np.flatnonzero(self._table.sums >= max(count, 1))
        first, second = self._table.keys[taken, 0], self._table.keys[taken, 1]
        order = np.lexsort((second, first))
        return Pairs(first[order], second[order], self._table.sums[taken[order]])

    def __len__(self) -> int:
        """Return how many different pairs there are."""
        return int(self._table.used[0])


@kernel
def add_pairs(pairs: Pairs, row: int, table: Sums) -> int:
    """Add pairs from `row` on while the table is less than two thirds full; return the first row that is left."""
    firsts, seconds, counts = pairs
    keys, sums, used = table
    mask = np.uint64(len(keys) - 1)
    while row < len(firsts) and 3 * used[0] < 2 * len(keys):
        first, second = firsts[row], seconds[row]
        slot = mix(first ^ mix(second + BASIS)) & mask
        while sums[slot] and not (keys[slot, 0] == first and keys[slot, 1] == second):
            slot = (slot + np.uint64(1)) & mask
        if sums[slot] == 0:
            keys[slot, 0] = first
            keys[slot, 1] = second
            used[0] += 1
        sums[slot] += counts[row]
        row += 1
    return row
