"""What a run learned: the training curve and the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.report.charts import Axis, Line, line_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from witbuild.io.run import Run
    from witbuild.report.markup import Markup

_POINTS = 300
_NOT_SCORES = ("chance",)


def read(run: Run, kind: str) -> pa.Table | None:
    """Return a run's newest small table of a kind (metrics, scores), or None when it has none."""
    try:
        _, manifest = run.newest(kind)
    except InputError:
        return None
    table = tables.read_all(run.paths(manifest, kind))
    return table if len(table) else None


def means(points: Sequence[tuple[float, float]], most: int = _POINTS) -> list[tuple[float, float]]:
    """Return at most so many points, each the mean of equally many neighbours.

    Example:
        >>> means([(1, 4.0), (2, 2.0), (3, 1.0)], most=2)
        [(1.5, 3.0), (3.0, 1.0)]
    """
    size = -(-len(points) // most)
    groups = [points[i : i + size] for i in range(0, len(points), size)]
    return [(sum(a for a, _ in group) / len(group), sum(b for _, b in group) / len(group)) for group in groups]


def draw_loss(metrics: pa.Table) -> Markup:
    """Return the loss over the samples seen, as SVG."""
    rows = sorted(zip(metrics["samples_seen"].to_pylist(), metrics["loss"].to_pylist(), strict=True))
    points = means([(float(seen), float(loss)) for seen, loss in rows])
    highest = max(loss for _, loss in points)
    return line_chart(
        [Line("contrastive loss", points, "after")],
        Axis("samples seen", 0, max(points[-1][0], 1)),
        Axis("loss, nats", 0, max(highest, 0.1) * 1.05),
    )


def by_task(scores: pa.Table) -> list[tuple[str, str, float, float | None, int]]:
    """Return (task, metric, value, chance or None, samples) of every score, in the table's order.

    Example:
        >>> import pyarrow as pa
        >>> columns = {"task": ["t", "t"], "metric": ["accuracy", "chance"], "value": [0.5, 0.1], "samples": [9, 9]}
        >>> by_task(pa.table(columns))
        [('t', 'accuracy', 0.5, 0.1, 9)]
    """
    rows = scores.to_pylist()
    chances = _chances(rows)
    shown = (row for row in rows if row["metric"] not in _NOT_SCORES)
    return [(row["task"], row["metric"], row["value"], chances.get(row["task"]), row["samples"]) for row in shown]


def _chances(rows: Iterable[Mapping[str, object]]) -> dict[object, float]:
    return {row["task"]: float(str(row["value"])) for row in rows if row["metric"] == "chance"}
