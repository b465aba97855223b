"""The balance curve: how many pairs each query has, before the head was flattened and after."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow.compute as pc

from witbuild.io import tables
from witbuild.report.charts import Axis, Line, line_chart
from witbuild.report.funnel import pairs_around

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from witbuild.io.run import Run
    from witbuild.report.markup import Markup

_POINTS = 240


@dataclass(frozen=True)
class Balance:
    """Pairs of each query, most first, int64, without the queries that have none."""

    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64] | None
    """None: the run has no balance stage."""
    limit: int | None
    listed: int | None
    """Queries in the list, those without pairs too; None: the run did not make the list."""


def read_balance(run: Run) -> Balance | None:
    """Count the pairs of each query in a run; None when it has no matched pairs.

    Only the column of matched queries is read, a part at a time: memory is bounded by the query list.
    """
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
