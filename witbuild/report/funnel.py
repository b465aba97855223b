"""The funnel: what each stage of a run took, gave and dropped, from the manifests alone."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING

from witbuild.errors import InputError, RecipeError
from witbuild.io.manifest import total
from witbuild.runner.replay import replay

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from witbuild.io.manifest import Manifest
    from witbuild.io.run import Run
    from witbuild.runner.replay import Made

_ROWS = ("pairs", "samples")
"""Tables whose rows are pairs on their way."""


@dataclass(frozen=True, kw_only=True)
class Line:
    """What one stage of the recipe did, all its steps and rounds together."""

    stage: str
    rows_in: int | None
    """Pairs that came in; None where a stage reads none."""
    rows_out: int
    unit: str
    """What went out: pairs, samples, or the kind of its table."""
    dropped: Mapping[str, int]
    """Reason -> rows, most first."""
    bytes: int
    """Of all files that the stage wrote."""
    seconds: float
    """Of all tasks, added up over workers."""

    @property
    def unaccounted(self) -> int:
        """Rows that came in and neither went out nor were dropped; anything but 0 is a fault."""
        if self.rows_in is None or self.unit not in _ROWS:
            return 0
        return self.rows_in - self.rows_out - sum(self.dropped.values())

    @property
    def rows_per_second(self) -> float:
        """Rows in, or out where none come in, over the tasks' seconds."""
        return (self.rows_out if self.rows_in is None else self.rows_in) / self.seconds if self.seconds else 0.0


def funnel(manifests: Iterable[Manifest]) -> list[Line]:
    """Return a line for each stage of the recipe, in order."""
    lines: list[Line] = []
    pairs: int | None = None
    for stage, group in groupby(manifests, lambda manifest: manifest.identity.name.partition(".")[0]):
        line = _line(stage, tuple(group), pairs)
        lines.append(line)
        pairs = line.rows_out if line.unit == "pairs" else pairs
    return lines


def _line(stage: str, steps: Sequence[Manifest], pairs: int | None) -> Line:
    moving = [step for step in steps if step.output in _ROWS]
    last = moving[-1] if moving else steps[-1]
    counted = moving or [step for step in steps if step.output == last.output]
    return Line(
        stage=stage,
        rows_in=_rows_in(steps, moving, pairs),
        rows_out=last.rows,
        unit=last.output,
        dropped=total(step.dropped for step in counted),
        bytes=sum(step.bytes for step in steps),
        seconds=sum(step.seconds for step in steps),
    )


def _rows_in(steps: Sequence[Manifest], moving: Sequence[Manifest], pairs: int | None) -> int | None:
    """Return the pairs that a stage took; those from outside the run are known by where they went."""
    if not moving or not any("pairs" in step.identity.upstream for step in steps):
        return None
    return moving[0].rows + sum(moving[0].dropped.values()) if pairs is None else pairs


def reasons(lines: Iterable[Line]) -> Iterator[tuple[str, str, int, float]]:
    """Yield (stage, reason, rows, share of the rows that the stage took), most rows first."""
    found = [(line, reason, rows) for line in lines for reason, rows in line.dropped.items()]
    for line, reason, rows in sorted(found, key=lambda one: (-one[2], one[0].stage, one[1])):
        taken = line.rows_out + sum(line.dropped.values()) if line.rows_in is None else line.rows_in
        yield line.stage, reason, rows, rows / max(taken, 1)


def queries_a_pair(run: Run, manifest: Manifest) -> float | None:
    """Return how many queries a pair that `match` gave matches on average; None for other steps. Footers are read."""
    if manifest.identity.name != "match" or not manifest.rows:
        return None
    from witbuild.io import tables

    return sum(tables.count_values(path, "query_ids") for path in run.paths(manifest, "pairs")) / manifest.rows


def steps(run: Run) -> list[Made]:
    """Return the whole steps of a run with what each read; none where what it was given is not there any more."""
    try:
        return list(replay(run.root))
    except (InputError, RecipeError):
        return []


def pairs_around(run: Run, stage: str) -> tuple[Manifest | None, Manifest | None]:
    """Return the manifests of the pairs that a stage took and of those that it gave, where there are such."""
    before: Manifest | None = None
    after: Manifest | None = None
    for _, manifest in run.manifests():
        mine = manifest.identity.name.partition(".")[0] == stage
        if manifest.output == "pairs" and mine:
            after = manifest
        elif manifest.output == "pairs" and after is None:
            before = manifest
    return before, after
