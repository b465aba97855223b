"""Counts over all pairs: which captions, images and words occur too often, or too seldom; pure.

A *thing* is a caption, an image, or a word or bigram of captions, by its hash. An *occurrence* is a row of
`witbuild.schema.OCCURRENCES`: a thing in a part, together with another one.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.sample.coins import mix

if TYPE_CHECKING:
    import numpy.typing as npt

    Hashes = npt.NDArray[np.uint64]
    Ints = npt.NDArray[np.int64]

CAPTION, IMAGE, NGRAM = range(3)
"""Kinds of things."""
_ODD = np.uint64(0x9E3779B97F4A7C15)


def ngrams(tokens: Hashes, lasts: Ints, size: int) -> tuple[Hashes, Ints]:
    """Return the words and, for a size of 2, the bigrams of texts as hashes, and the text that each stands in.

    Args:
        tokens: hash of each token of n texts, end to end, uint64.
        lasts: end of each text's tokens, int64 of shape (n,).
        size: 1 or 2.

    Example:
        >>> hashes, rows = ngrams(np.array([5, 7, 5], np.uint64), np.array([2, 3]), 2)
        >>> rows.tolist(), len(set(hashes.tolist())), len(set(hashes[[0, 2]].tolist()))
        ([0, 0, 1, 0], 3, 1)
    """
    rows = np.repeat(np.arange(lasts.size), np.diff(lasts, prepend=0))
    if size == 1:
        return mix(tokens), rows
    beside = np.flatnonzero(rows[1:] == rows[:-1])
    bigrams = mix(mix(tokens[beside]) * _ODD ^ tokens[beside + 1])
    return np.concatenate([mix(tokens), bigrams]), np.concatenate([rows, rows[beside]])


def occurrences(kind: int, things: Hashes, others: Hashes, part: int) -> pa.Table:
    """Return each distinct (thing, other) of a part with its count, ascending: columns of OCCURRENCES.

    Example:
        >>> one, two = np.array([9, 9, 3], np.uint64), np.array([1, 1, 2], np.uint64)
        >>> [(row["thing"], row["count"]) for row in occurrences(CAPTION, one, two, 0).to_pylist()]
        [(3, 1), (9, 2)]
    """
    if others.any():
        order = np.lexsort((others, things))
        things, others = things[order], others[order]
    else:
        things = np.sort(things)  # values alone are sorted many times faster than places
    new = np.ones(things.size, np.bool_)
    new[1:] = (things[1:] != things[:-1]) | (others[1:] != others[:-1])
    first = np.flatnonzero(new)
    columns = {"kind": np.full(first.size, kind, np.int8), "thing": things[first], "other": others[first]}
    counts = np.diff(np.append(first, things.size))
    return pa.table({**columns, "part": np.full(first.size, part, np.int32), "count": counts})


@dataclass(frozen=True)
class Totals:
    """Of each distinct thing over all parts: its hash (ascending), its count, and with how many others it occurs."""

    things: Hashes
    counts: Ints
    others: Ints

    @classmethod
    def of(cls, table: pa.Table) -> Totals:
        """Add up the occurrences of things of one kind."""
        together = table.group_by(["thing", "other"], use_threads=False).aggregate([("count", "sum")])
        sums = [("count_sum", "sum"), ("other", "count")]
        found = together.group_by("thing", use_threads=False).aggregate(sums).sort_by("thing")
        columns = (found[name].to_numpy() for name in ("thing", "count_sum_sum", "other_count"))
        return cls(*columns)


def levels(counts: Ints) -> pa.Table:
    """Return how many n-grams have each count, ascending: columns of LEVELS.

    Example:
        >>> levels(np.array([3, 1, 1])).to_pydict()
        {'count': [1, 3], 'ngrams': [2, 1]}
    """
    values, many = np.unique(counts, return_counts=True)
    return pa.table({"count": values, "ngrams": many})


def floor(table: pa.Table, most: int) -> int:
    """Return the least count that an n-gram must have so that at most so many n-grams have it or more.

    N-grams of equal count are all frequent or all rare, so that nothing depends on their order.

    Args:
        table: of LEVELS, in any order; a count may stand in it several times.
        most: n-grams that may be frequent.

    Example:
        >>> table = pa.table({"count": [1, 3, 9], "ngrams": [50, 4, 1]})
        >>> floor(table, 1), floor(table, 4), floor(table, 5), floor(table, 100)
        (4, 4, 2, 1)
    """
    found = table.group_by("count", use_threads=False).aggregate([("ngrams", "sum")]).sort_by("count")
    counts, many = found["count"].to_numpy(), found["ngrams_sum"].to_numpy()
    from_here_up = np.cumsum(many[::-1])[::-1]
    too_many = np.flatnonzero(from_here_up > most)
    return int(counts[too_many[-1]]) + 1 if too_many.size else 1


def flags(table: pa.Table, flagged: Hashes, reason: str) -> pa.Table:
    """Return each (part, thing) of occurrences whose thing is one of some, ascending: columns of FLAGS."""
    rows = table.filter(pc.is_in(table["thing"], pa.array(np.unique(flagged), pa.uint64())))
    distinct = rows.select(["part", "thing"]).group_by(["part", "thing"], use_threads=False).aggregate([])
    distinct = distinct.sort_by([("part", "ascending"), ("thing", "ascending")])
    return distinct.append_column("reason", pa.array([reason] * distinct.num_rows, pa.string()))


def marked(flags: pa.Table, reason: str, things: Hashes) -> npt.NDArray[np.bool_]:
    """Say of each thing whether a part's flags hold it for a reason."""
    mine = flags.filter(pc.equal(flags["reason"], reason))["thing"].combine_chunks()
    return np.asarray(pc.is_in(pa.array(things, pa.uint64()), mine), np.bool_)
