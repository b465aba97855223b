"""Which pairs stay: each is judged alone, by its coins against the cuts of its queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.sample.balance import any_of, charged, pair_of
from witbuild.sample.coins import about, coins

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.sample.balance import Cuts, Matches, Mode

    Flags = npt.NDArray[np.bool_]
    Coins = npt.NDArray[np.uint64]


class Queries(NamedTuple):
    """What judging needs to know of each query of the list."""

    cuts: Cuts
    """What its coins are held against."""
    hashes: npt.NDArray[np.uint64]
    """uint64: hash of its text; the coin of a pair and a query is `about` the pair's coin and this."""
    ranks: npt.NDArray[np.int64]
    """int64: its place from rare to common."""


def pair_coins(keys: pa.ChunkedArray, seed: int) -> Coins:
    """Return the coin of each pair, uint64 of shape (n,)."""
    return coins(keys, seed=seed, what="balance")


def kept(mode: Mode, thrown: Coins, matches: Matches, queries: Queries) -> Flags:
    """Say of each of n pairs whether it stays, bool of shape (n,); a pair without queries does not.

    Args:
        mode: which of its queries' cuts a pair is held against.
        thrown: uint64 of shape (n,), the pairs' coins.
        matches: the pairs' queries.
        queries: of the whole list.
    """
    judge = {"quota": _kept_by_quota, "independent": _kept_by_any, "strict": _kept_by_all}[mode]
    return judge(thrown, matches, queries)


def _kept_by_quota(thrown: Coins, matches: Matches, queries: Queries) -> Flags:
    ids = charged(matches, queries.ranks)
    some = np.flatnonzero(ids >= 0)
    out = np.zeros(ids.size, np.bool_)
    out[some] = queries.cuts.passes(ids[some], about(thrown[some], queries.hashes[ids[some]]))
    return out


def _kept_by_any(thrown: Coins, matches: Matches, queries: Queries) -> Flags:
    """A pair with an open query stays without a coin; of the others, every query's coin is thrown."""
    passed = queries.cuts.open[matches.ids]
    pairs = pair_of(matches)
    tried = np.flatnonzero(~any_of(matches, passed)[pairs])
    ids = matches.ids[tried]
    passed[tried] = about(thrown[pairs[tried]], queries.hashes[ids]) < queries.cuts.cut[ids]
    return any_of(matches, passed)


def _kept_by_all(thrown: Coins, matches: Matches, queries: Queries) -> Flags:
    failed = ~queries.cuts.passes(matches.ids, thrown[pair_of(matches)])
    return (np.diff(matches.offsets) > 0) & ~any_of(matches, failed)
