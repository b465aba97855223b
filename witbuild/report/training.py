"""What a run learned: the training curve and the scores."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.report.charts import Axis, Line, line_chart

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

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
        [Line("loss", points, "after")],
        Axis("samples seen", 0, max(points[-1][0], 1)),
        Axis("loss, nats", 0, max(highest, 0.1) * 1.05),
    )


class Shown(NamedTuple):
    """A score as it is shown; `share` is how long its bar is, 0 to 1."""

    task: str
    metric: str
    group: str
    value: str
    chance: str
    share: float
    samples: int


def by_task(scores: pa.Table) -> list[Shown]:
    """Return every score but chance, which stands beside the others of its task, in the table's order.

    Example:
        >>> import pyarrow as pa
        >>> columns = {"task": ["t", "t"], "metric": ["accuracy", "chance"], "value": [0.5, 0.1], "samples": [9, 9]}
        >>> by_task(pa.table(columns))
        [Shown(task='t', metric='accuracy', group='', value='50.0%', chance='10.0%', share=0.5, samples=9)]
    """
    rows = scores.to_pylist()
    chances = {row["task"]: f"{row['value']:.1%}" for row in rows if row["metric"] == "chance"}
    return [
        Shown(row["task"], row["metric"], row.get("group") or "", written(row), chances.get(row["task"], ""),
              0.0 if is_number(row["metric"]) else row["value"], row["samples"])
        for row in rows
        if row["metric"] not in _NOT_SCORES
    ]  # fmt: skip


def is_number(metric: str) -> bool:
    """Say whether a metric is a plain number, no share of anything."""
    return metric.endswith("lambda")


def written(row: Mapping[str, Any]) -> str:
    """Return a score as text: a share in percent, a difference with its sign, a plain number as it is.

    Example:
        >>> written({"metric": "4-shot", "value": 0.512, "deviation": 0.02})
        '51.2% ± 2.0%'
        >>> written({"metric": "effective robustness", "value": -0.034})
        '-3.4%'
        >>> written({"metric": "linear probe lambda", "value": 0.001})
        '0.001'
    """
    value, metric = row["value"], row["metric"]
    if is_number(metric):
        return f"{value:.4g}"
    signed = metric == "effective robustness" or metric.startswith("accuracy minus")
    spread = "" if row.get("deviation") is None else f" ± {row['deviation']:.1%}"
    return (f"{value:+.1%}" if signed else f"{value:.1%}") + spread


def draw_shots(scores: pa.Table) -> list[tuple[str, Markup]]:
    """Return for each labelled set with few-shot probes its name and their accuracy over images a class, as SVG."""
    out = []
    rows = scores.to_pylist()
    for task in dict.fromkeys(row["task"] for row in rows):
        own = {row["metric"]: row["value"] for row in rows if row["task"] == task and not row.get("group")}
        shots = [(float(name.removesuffix("-shot")), value) for name, value in own.items() if name.endswith("-shot")]
        if len(shots) > 1:
            x, y = Axis("images a class", shots[0][0], shots[-1][0], log=True), Axis("accuracy", 0, 1)
            zero = ("zero-shot", own["accuracy"])
            out.append((task, line_chart([Line("few-shot linear probe", shots, "after")], x, y, limit=zero)))
    return out
