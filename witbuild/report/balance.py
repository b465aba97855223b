"""The balance curve: how many pairs each query has, before the head was flattened and after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.compute as pc

from witbuild.io import tables
from witbuild.report.charts import Axis, Line, line_chart
from witbuild.report.funnel import pairs_around, steps
from witbuild.sample.limits import tail_share
from witbuild.stages.balance.parameters import Limited

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from witbuild.io.manifest import Manifest
    from witbuild.io.run import Run
    from witbuild.report.markup import Markup

_POINTS = 240
_MOST = 10
"""Queries that are told of by name."""


@dataclass(frozen=True)
class Balance:
    """Pairs of each query, most first, int64, without the queries that have none."""

    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64] | None
    """None: the run has no balance stage."""
    limit: int | None
    listed: int | None
    """Queries in the list, those without pairs too; None: the list is not at hand."""
    most: tuple[Counted, ...] = ()
    """The queries with most pairs before; none where the run has no curve."""


class Counted(NamedTuple):
    """A query and its pairs: matches before, those charged to it, those that its quota lets it keep, matches after."""

    query: str
    before: int
    charged: int
    quota: int
    after: int


def read_balance(run: Run) -> Balance | None:
    """Count the pairs of each query in a run; None when it has no matched pairs.

    They stand in the table that `balance` leaves. Where there is none, only the column of matched queries is read, a
    part at a time: memory is bounded by the query list.
    """
    curved = next((one for _, one in reversed(run.manifests()) if one.identity.name == "balance.curve"), None)
    return _counted(run) if curved is None else _told(run, curved)


def _told(run: Run, curved: Manifest) -> Balance:
    """Return what a table of counts tells."""
    table = tables.read_all(run.paths(curved, "curve")).sort_by([("before", "descending"), ("query_id", "ascending")])
    before, charged, after = (table[name].to_numpy() for name in ("before", "charged", "after"))
    known = {name: value for name, value in curved.identity.parameters.items() if name in Limited.model_fields}
    texts, listed = _queries(run)
    rows = table.slice(0, _MOST).to_pylist()
    most = (Counted(texts.get(row.pop("query_id"), ""), **row) for row in rows)
    kept = np.sort(after[after > 0])[::-1]
    return Balance(before, kept, Limited(**known).limit_from(before, charged), listed, tuple(most))


def _queries(run: Run) -> tuple[dict[int, str], int | None]:
    """Return number -> text of the queries that were matched, and how many there are; nothing where they are gone."""
    paths = next((made.inputs["queries"] for made in steps(run) if made.stage.name == "balance.curve"), None)
    if paths is None:
        return {}, None
    table = tables.read_all(paths, ["query_id", "query"])
    return dict(zip(table["query_id"].to_pylist(), table["query"].to_pylist(), strict=True)), table.num_rows


def _counted(run: Run) -> Balance | None:
    """Return what the pairs tell."""
    before, after = pairs_around(run, "balance")
    source = before or after
    if source is None:
        return None
    counts = count_queries(run.paths(source, "pairs"))
    if not len(counts):
        return None
    listed = next((one.rows for _, one in run.manifests() if one.output == "queries"), None)
    if after is None:
        return Balance(counts, None, None, listed)
    limit = after.identity.parameters.get("limit")
    kept = count_queries(run.paths(after, "pairs"))
    return Balance(counts, kept, limit if isinstance(limit, int) else None, listed)


def count_queries(paths: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the pairs of each query that has any, most first, int64."""
    counts = np.zeros(0, np.int64)
    for path in paths:
        ids = pc.list_flatten(tables.read(path, ["query_ids"])["query_ids"]).to_numpy()
        found = np.bincount(ids, minlength=len(counts))
        found[: len(counts)] += counts
        counts = found.astype(np.int64)
    return np.sort(counts[counts > 0])[::-1]


def shares(balance: Balance) -> list[tuple[str, str, str]]:
    """Return what is told of head and tail, before and after.

    Example:
        >>> shares(Balance(np.array([6, 2]), np.array([3, 1]), 3, 4))[:3]
        [('queries without a pair', '2', '2'), ('queries over the limit of 3', '1', '0'), ('tail: share of the matches \
on queries of at most 3', '25.0%', '100.0%')]
    """
    sides = [balance.before] if balance.after is None else [balance.before, balance.after]
    limit, listed = balance.limit, balance.listed
    found: list[tuple[str, list[str]]] = []
    if listed is not None:
        found.append(("queries without a pair", [f"{listed - len(one):,}" for one in sides]))
    if limit is not None:
        found.append((f"queries over the limit of {limit:,}", [f"{np.count_nonzero(one > limit):,}" for one in sides]))
        tail = [tail_share(one, limit) for one in sides]
        found.append(
            (f"tail: share of the matches on queries of at most {limit:,}", [f"{share:.1%}" for share in tail])
        )
        found.append(("head: share on the others", [f"{1 - share:.1%}" for share in tail]))
    found.append(("share on the 1% of queries with most pairs", [f"{head_share(one):.1%}" for one in sides]))
    found.append(("matches", [f"{int(one.sum()):,}" for one in sides]))
    found.append(("of the most frequent query", [f"{int(one.max(initial=0)):,}" for one in sides]))
    return [(name, values[0], values[-1] if len(values) > 1 else "") for name, values in found]


def curve(counts: npt.NDArray[np.int64]) -> list[tuple[float, float]]:
    """Return points (rank, pairs) at ranks that lie evenly on a logarithmic axis, the first and the last among them.

    Example:
        >>> curve(np.array([50, 7, 1]))
        [(1.0, 50.0), (2.0, 7.0), (3.0, 1.0)]
    """
    ranks = np.unique(np.geomspace(1, max(len(counts), 1), _POINTS).round().astype(np.int64))
    return [(float(rank), float(counts[rank - 1])) for rank in ranks if rank <= len(counts)]


def head_share(counts: npt.NDArray[np.int64], share: float = 0.01) -> float:
    """Return what part of all matches belongs to the first share of the queries.

    Example:
        >>> head_share(np.array([90, *[1] * 10]), 0.1)
        0.91
    """
    head = counts[: math.ceil(len(counts) * share)]
    return float(head.sum() / counts.sum()) if len(counts) else 0.0


def draw(balance: Balance) -> Markup:
    """Return the curve as SVG, both axes logarithmic."""
    lines = [Line("before balance" if balance.after is not None else "matched", curve(balance.before), "before")]
    if balance.after is not None and len(balance.after):
        lines.append(Line("after balance", curve(balance.after), "after"))
    first, limit = int(balance.before[0]), balance.limit
    shown = limit is not None and limit <= 10 * first
    return line_chart(
        lines,
        Axis("queries, most pairs first", 1, max(len(balance.before), 10), log=True),
        Axis("pairs", 1, 1.3 * max(first, limit if shown and limit else 0, 10), log=True),
        limit=(f"limit {limit:,}", float(limit)) if shown and limit else None,
    )
