"""Balance: at most so many pairs a query, as one number a query that coins are held against.

In every mode a pair is judged alone, by its coins and a table of *cuts*, one a query, bounded by the query list:

    independent  cut(q) = t / n(q) of the coins' range       stays: a coin below the cut of any of its queries
    quota        cut(q) = (t + 1)-th smallest coin charged   stays: its coin below the cut of its charged query
    strict       cut(q) = first coin that did not fit        stays: its coin below the cuts of all its queries

n(q) is the number of pairs that match q, t the limit. A pair is *charged* to the rarest query that it matches. The
first mode is MetaCLIP's (Xu et al. 2023, section 3.3), the others are two readings of CLIP's "up to 20,000 pairs per
query" that hold.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

Mode = Literal["independent", "quota", "strict"]

_NEVER: Final = np.uint64(2**64 - 1)


class Matches(NamedTuple):
    """The matched queries of n pairs: those of pair i are ``ids[offsets[i]:offsets[i + 1]]``."""

    offsets: npt.NDArray[np.int64]
    """int64 of shape (n + 1,)."""
    ids: npt.NDArray[np.int32]
    """int32: query ids, no repeats within a pair."""


class Cuts(NamedTuple):
    """What coins of each query are held against."""

    cut: npt.NDArray[np.uint64]
    """uint64 of shape (queries,): coins below it stay."""
    open: npt.NDArray[np.bool_]
    """bool of shape (queries,): all coins stay, whatever the cut."""

    @staticmethod
    def all_open(queries: int) -> Cuts:
        """Return cuts that let every coin pass."""
        return Cuts(np.full(queries, _NEVER), np.ones(queries, np.bool_))

    def passes(self, ids: npt.NDArray[np.integer], coins: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
        """Say of each (query, coin) whether it is below the query's cut, bool of shape (m,)."""
        return self.open[ids] | (coins < self.cut[ids])


def pair_of(matches: Matches) -> npt.NDArray[np.int64]:
    """Return the pair that each matched query belongs to, int64 of the shape of `ids`.

    Example:
        >>> pair_of(Matches(np.array([0, 2, 2, 3]), np.array([5, 6, 5], np.int32))).tolist()
        [0, 0, 2]
    """
    return np.repeat(np.arange(matches.offsets.size - 1), np.diff(matches.offsets))


def any_of(matches: Matches, flags: npt.NDArray[np.bool_]) -> npt.NDArray[np.bool_]:
    """Say of each pair whether a flag of any of its queries is set; a pair without queries has none.

    Example:
        >>> matches = Matches(np.array([0, 2, 2, 3]), np.array([5, 6, 5], np.int32))
        >>> any_of(matches, np.array([False, True, False])).tolist()
        [True, False, False]
    """
    return np.bincount(pair_of(matches), weights=flags, minlength=matches.offsets.size - 1) > 0


def rank(counts: npt.NDArray[np.int64], hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the place of each query from rare to common, int64 of shape (queries,); ties go by the query's hash.

    Example:
        >>> rank(np.array([9, 1, 9]), np.array([7, 8, 3], np.uint64)).tolist()
        [2, 0, 1]
    """
    out = np.empty(counts.size, np.int64)
    out[np.lexsort((hashes, counts))] = np.arange(counts.size)
    return out


def charged(matches: Matches, ranks: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Return the rarest query of each pair, int64 of shape (n,); -1 for a pair without queries.

    Example:
        >>> charged(Matches(np.array([0, 2, 2]), np.array([0, 1], np.int32)), np.array([1, 0])).tolist()
        [1, -1]
    """
    best = np.full(matches.offsets.size - 1, ranks.size)
    np.minimum.at(best, pair_of(matches), ranks[matches.ids])
    query = np.append(np.argsort(ranks), -1)
    return query[best]


def independent_cuts(counts: npt.NDArray[np.int64], limit: int) -> Cuts:
    """Return cuts that let a coin pass with probability min(1, limit / count), to the 64th bit.

    Example:
        >>> cuts = independent_cuts(np.array([10, 40]), 10)
        >>> cuts.open.tolist(), int(cuts.cut[1]) == 2**62
        ([True, False], True)
    """
    cuts = Cuts.all_open(counts.size)
    for query in np.flatnonzero(counts > limit):
        cuts.cut[query] = (limit << 64) // int(counts[query])
        cuts.open[query] = False
    return cuts


class Quota:
    """Finds the (limit + 1)-th smallest coin of each query, a batch of coins at a time.

    At most limit + 1 coins a query are held, and a batch.

    Example:
        >>> quota = Quota(2, limit=1)
        >>> quota.add(np.array([0, 0, 1]), np.array([7, 5, 9], np.uint64))
        >>> quota.add(np.array([0]), np.array([6], np.uint64))
        >>> cuts = quota.cuts()
        >>> cuts.open.tolist(), int(cuts.cut[0])
        ([False, True], 6)
    """

    def __init__(self, queries: int, limit: int) -> None:
        self._queries, self._limit = queries, limit
        self._ids: npt.NDArray[np.integer] = np.zeros(0, np.int64)
        self._coins: npt.NDArray[np.uint64] = np.zeros(0, np.uint64)

    def add(self, ids: npt.NDArray[np.integer], coins: npt.NDArray[np.uint64]) -> None:
        """Take in some charges: query ids and coins, of one shape."""
        ids, coins = np.concatenate((self._ids, ids)), np.concatenate((self._coins, coins))
        order = np.lexsort((coins, ids))
        ids, coins = ids[order], coins[order]
        starts = np.flatnonzero(np.append(True, ids[1:] != ids[:-1])[: ids.size])
        place = np.arange(ids.size) - np.repeat(starts, np.diff(np.append(starts, ids.size)))
        few = place <= self._limit
        self._ids, self._coins, self._place = ids[few], coins[few], place[few]

    def cuts(self) -> Cuts:
        """Return the cuts; a query that was charged no more than the limit is open."""
        cuts = Cuts.all_open(self._queries)
        if self._ids.size:
            last = self._place == self._limit
            cuts.cut[self._ids[last]] = self._coins[last]
            cuts.open[self._ids[last]] = False
        return cuts


class Strict:
    """Gives queries their pairs one after another, by coin, until each query is full.

    A pair stays if all its queries are open; a query closes at the first pair that would be more than its limit. So
    whether a pair stays follows from its coin and the coins at which its queries closed. Pairs of one coin (the rows
    of one key) stay or go together.

    Example:
        >>> strict = Strict(2, limit=1)
        >>> matches = Matches(np.array([0, 2, 3, 4]), np.array([0, 1, 0, 1], np.int32))
        >>> strict.add(np.array([3, 5, 8], np.uint64), matches)
        >>> strict.cuts().cut.tolist(), strict.cuts().open.tolist()
        ([5, 8], [False, False])
    """

    def __init__(self, queries: int, limit: int) -> None:
        self._limit = limit
        self._kept = np.zeros(queries, np.int64)
        self._cuts = Cuts.all_open(queries)

    def add(self, coins: npt.NDArray[np.uint64], matches: Matches) -> None:
        """Take in some pairs, by coin ascending; all coins of a later call must be larger."""
        from witbuild.sample.greedy import give

        give(coins, matches, self._kept, self._cuts, self._limit)

    def cuts(self) -> Cuts:
        """Return the cuts."""
        return self._cuts
