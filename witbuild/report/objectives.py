"""How soon each objective gets how good: CLIP's figure 2, from the table `curves`."""

from __future__ import annotations

from collections import defaultdict
from importlib.resources import files
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, Any, NamedTuple

from witbuild.report.charts import Axis, Line, line_chart

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import pyarrow as pa

    from witbuild.report.markup import Markup

_STYLES = 8
_DARK = "@media (prefers-color-scheme: dark)"
_STEP = 0.05
"""The accuracy that arms are compared at is a multiple of this."""


class Arm(NamedTuple):
    """What the trainings of one arm, a seed each, came to.

    Attributes:
        name: of the arm.
        curve: (samples seen, accuracy), means over seeds.
        accuracies: at the end, one a seed.
        samples: that each seed needed for the accuracy that arms are compared at; without those that never had it.
        seconds: the same, of CPU.
    """

    name: str
    curve: list[tuple[float, float]]
    accuracies: list[float]
    samples: list[float]
    seconds: list[float]


def common_accuracy(curves: pa.Table) -> float:
    """Return the largest multiple of 5% that the mean curve of every arm reaches."""
    best = [max(accuracy for _, accuracy in points) for points in _means(curves.to_pylist()).values()]
    return round(int(min(best) / _STEP + 1e-9) * _STEP, 2)


def arms(curves: pa.Table, accuracy: float) -> list[Arm]:
    """Return every arm in the table's order, compared at an accuracy."""
    rows = curves.to_pylist()
    means = _means(rows)
    out = []
    for name in dict.fromkeys(row["arm"] for row in rows):
        seeds = [_sorted(group) for group in _by([row for row in rows if row["arm"] == name], "seed").values()]
        found = {axis: [at for seed in seeds if (at := reached(seed, axis, accuracy)) is not None] for axis in _AXES}
        out.append(Arm(name, means[name], [seed[-1]["accuracy"] for seed in seeds], *found.values()))
    return out


_AXES = ("samples_seen", "seconds")


def reached(points: Sequence[Mapping[str, Any]], axis: str, accuracy: float) -> float | None:
    """Return where a training first has an accuracy, between its points by a straight line, from nothing at 0.

    Example:
        >>> points = [{"seconds": 10.0, "accuracy": 0.2}, {"seconds": 20.0, "accuracy": 0.6}]
        >>> reached(points, "seconds", 0.3), reached(points, "seconds", 0.1), reached(points, "seconds", 0.7)
        (12.5, 5.0, None)
    """
    at, before = 0.0, 0.0
    for point in points:
        if point["accuracy"] >= accuracy:
            share = (accuracy - before) / (point["accuracy"] - before)
            return round(at + share * (float(point[axis]) - at), 9)
        at, before = float(point[axis]), point["accuracy"]
    return None


def _by(rows: Iterable[Mapping[str, Any]], column: str) -> dict[Any, list[Mapping[str, Any]]]:
    out: dict[Any, list[Mapping[str, Any]]] = defaultdict(list)
    for row in rows:
        out[row[column]].append(row)
    return out


def _sorted(rows: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return sorted(rows, key=lambda row: int(row["step"]))


def _means(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[tuple[float, float]]]:
    """Return the mean curve of each arm over its seeds."""
    return {
        arm: sorted(
            (float(samples), fmean(row["accuracy"] for row in group))
            for samples, group in _by(own, "samples_seen").items()
        )
        for arm, own in _by(rows, "arm").items()
    }


def draw(found: Sequence[Arm]) -> Markup:
    """Return accuracy over samples seen, a curve an arm, as SVG."""
    lines = [Line(arm.name, arm.curve, f"line-{number % _STYLES}") for number, arm in enumerate(found)]
    last = max(arm.curve[-1][0] for arm in found)
    highest = max(accuracy for arm in found for _, accuracy in arm.curve)
    y = Axis("zero-shot accuracy", 0, min(1.0, highest * 1.1 + 0.01))
    return line_chart(lines, Axis("samples seen", 0, last), y)


def table(found: Sequence[Arm]) -> list[tuple[str, str, str, str]]:
    """Return for each arm its name, samples and CPU seconds to the common accuracy, and accuracy at the end.

    Example:
        >>> table([Arm("a", [], [0.5, 0.7], [900.0, 1100.0], [2.0, 4.0]), Arm("b", [], [0.1], [], [])])
        [('a', '1,000 ± 100', '3.0 ± 1.0', '60.0% ± 10.0%'), ('b', 'never', 'never', '10.0%')]
    """
    return [
        (arm.name, _spread(arm.samples, ",.0f"), _spread(arm.seconds, ".1f"), _spread(arm.accuracies, ".1%"))
        for arm in found
    ]


def _spread(values: Sequence[float], form: str) -> str:
    """Return the mean of values, and their deviation where there are several."""
    if not values:
        return "never"
    mean = format(fmean(values), form)
    return f"{mean} ± {format(pstdev(values), form)}" if len(values) > 1 else mean


def standalone(svg: Markup) -> str:
    """Return a chart as a file of its own, with the colours of the page by daylight."""
    style = files("witbuild.report").joinpath("style.css").read_text("utf-8")
    light = style[: style.index(_DARK)].replace(":root", "svg") + style[style.index(".curve") :]
    ground = "svg { background: #fff; color-scheme: light; font-family: sans-serif; }"
    head = f'<svg xmlns="http://www.w3.org/2000/svg"><style>{light}{ground}</style>'
    return (
        head.replace("><style>", f"{svg[len('<svg') : svg.index('>')]}><style>", 1) + svg[svg.index(">") + 1 :] + "\n"
    )
