"""Which pairs stay: each is judged alone, by the coins of its key against the cuts of its queries."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from witbuild.sample.balance import any_of, charged, pair_of
from witbuild.sample.coins import coins

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.sample.balance import Cuts, Matches, Mode

    Flags = npt.NDArray[np.bool_]
    Hashes = npt.NDArray[np.uint64]

WHAT = "balance"
"""What the coins decide."""


def query_coins(keys: pa.ChunkedArray, hashes: Hashes, seed: int) -> npt.NDArray[np.uint64]:
    """Return the coin of each (pair, query), uint64 of shape (m,), given m keys and m hashes of queries' texts."""
    return coins(keys, seed=seed, what=WHAT, objects=hashes)


def pair_coins(keys: pa.ChunkedArray, seed: int) -> npt.NDArray[np.uint64]:
    """Return the coin of each pair, uint64 of shape (n,)."""
    return coins(keys, seed=seed, what=WHAT)


class Queries(NamedTuple):
    """What judging needs to know of each query of the list."""

    cuts: Cuts
    """What its coins are held against."""
    hashes: Hashes
    """uint64: hash of its text."""
    ranks: npt.NDArray[np.int64]
    """int64: its place from rare to common."""


def kept(mode: Mode, keys: pa.ChunkedArray, matches: Matches, queries: Queries, seed: int) -> Flags:
    """Say of each of n pairs whether it stays, bool of shape (n,); a pair without queries does not."""
    if mode == "strict":
        return _kept_by_all(keys, matches, queries.cuts, seed)
    judge = _kept_by_quota if mode == "quota" else _kept_by_any
    return judge(keys, matches, queries, seed)


def _kept_by_quota(keys: pa.ChunkedArray, matches: Matches, queries: Queries, seed: int) -> Flags:
    cuts, ids = queries.cuts, charged(matches, queries.ranks)
    out = ids >= 0
    tried = np.flatnonzero(out & ~cuts.open[ids])
    thrown = query_coins(keys.take(pa.array(tried)), queries.hashes[ids[tried]], seed)
    out[tried] = thrown < cuts.cut[ids[tried]]
    return out


def _kept_by_any(keys: pa.ChunkedArray, matches: Matches, queries: Queries, seed: int) -> Flags:
    """A pair with an open query stays without a coin; of the others, every query's coin is thrown."""
    passed = queries.cuts.open[matches.ids]
    pairs = pair_of(matches)
    tried = np.flatnonzero(~any_of(matches, passed)[pairs])
    ids = matches.ids[tried]
    thrown = query_coins(keys.take(pa.array(pairs[tried])), queries.hashes[ids], seed)
    passed[tried] = thrown < queries.cuts.cut[ids]
    return any_of(matches, passed)


def _kept_by_all(keys: pa.ChunkedArray, matches: Matches, cuts: Cuts, seed: int) -> Flags:
    out = np.diff(matches.offsets) > 0
    tried = np.flatnonzero(any_of(matches, ~cuts.open[matches.ids]))
    thrown = np.zeros(out.size, np.uint64)
    thrown[tried] = pair_coins(keys.take(pa.array(tried)), seed)
    failed = ~cuts.open[matches.ids] & (thrown[pair_of(matches)] >= cuts.cut[matches.ids])
    return out & ~any_of(matches, failed)
