"""The clusters that dedup found: how many of which size, and some of them with their captions."""

from __future__ import annotations

from collections import Counter, defaultdict
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import tables
from witbuild.report.funnel import steps
from witbuild.sample.coins import mix
from witbuild.sample.order import slice_of
from witbuild.stages.slices import of_part, slices_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from witbuild.io.run import Run
    from witbuild.runner.replay import Made

_LARGEST, _DRAWN = 3, 5
"""Clusters that are shown: of the largest, and of the others by a coin."""
_LOOKED_AT, _SHOWN = 100, 4
"""Pairs of a cluster: among which the one that stays is looked for, and that are shown."""


@dataclass(frozen=True)
class Member:
    """A pair of a cluster; `reason` is why it was dropped, empty where it stays."""

    caption: str
    url: str
    reason: str


@dataclass(frozen=True)
class Cluster:
    """How many pairs of the run a cluster has, and some of them, the one that stays first."""

    pairs: int
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Clusters:
    """What a dedup found."""

    step: str
    sizes: dict[int, int]
    """Pairs of the run -> clusters of so many."""
    examples: tuple[Cluster, ...]

    @property
    def pairs(self) -> int:
        """Of the run, in all clusters."""
        return sum(size * count for size, count in self.sizes.items())


def read(run: Run) -> list[Clusters]:
    """Return what each dedup of a run found, in their order; a slice of the clusters is held at a time."""
    found: list[Clusters] = []
    clustered: Made | None = None
    for made in steps(run):
        if made.stage.name == "dedup.clusters":
            clustered = made
        elif made.stage.name == "dedup.drop" and clustered is not None:
            found.append(_described(clustered.paths(), made))
    return found


def _described(paths: tuple[str, ...], drop: Made) -> Clusters:
    sizes: Counter[int] = Counter()
    largest: list[tuple[int, int]] = []
    drawn: list[tuple[int, int]] = []
    for roots, counts in _counts(paths):
        sizes.update(counts.tolist())
        largest = _best(largest, counts, roots, _LARGEST)
        drawn = _best(drawn, mix(roots), roots, _LARGEST + _DRAWN)
    chosen = dict.fromkeys(root for _, root in (*largest, *drawn))
    examples = tuple(_cluster(paths, drop, root) for root in list(chosen)[: _LARGEST + _DRAWN])
    return Clusters(drop.folder.name, dict(sorted(sizes.items())), examples)


def _counts(paths: tuple[str, ...]) -> Iterator[tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]]:
    """Yield the clusters of each slice and how many pairs of the run they have."""
    for index in range(slices_of(paths)):
        table = tables.read_slices(paths, index, ["root", "part"])
        mine = table.filter(pc.greater_equal(table["part"], 0))  # below 0 are those of what it is held against
        yield np.unique(mine["root"].to_numpy(), return_counts=True)


def _best(
    before: list[tuple[int, int]], ranks: npt.NDArray[np.integer], roots: npt.NDArray[np.uint64], count: int
) -> list[tuple[int, int]]:
    """Return the (rank, root) with the highest ranks, of those before and some more; ties go by the root."""
    first = np.lexsort((roots, ranks))[-count:]
    return sorted([*before, *zip(ranks[first].tolist(), roots[first].tolist(), strict=True)], reverse=True)[:count]


def _cluster(paths: tuple[str, ...], drop: Made, root: int) -> Cluster:
    slices = slices_of(paths)
    (index,) = slice_of(np.array([root], np.uint64), slices).tolist()
    table = tables.read_slices(paths, index, ["root", "part", "row"])
    mine = pc.and_(pc.equal(table["root"], pa.scalar(root, pa.uint64())), pc.greater_equal(table["part"], 0))
    rows = table.filter(mine).sort_by([("part", "ascending"), ("row", "ascending")])
    looked_at = rows.slice(0, _LOOKED_AT).select(["part", "row"])
    reasons = _reasons(drop.inputs["drops"], looked_at)
    fates = [
        (", ".join(reasons[part, row]), part, row) for part, row in zip(*looked_at.to_pydict().values(), strict=True)
    ]
    shown = sorted(fates, key=lambda one: bool(one[0]))[:_SHOWN]
    return Cluster(rows.num_rows, tuple(_member(drop.inputs["pairs"], *one) for one in shown))


def _reasons(paths: Sequence[str], looked_at: pa.Table) -> defaultdict[tuple[int, int], list[str]]:
    """Return (part, row) -> why a pair was dropped, of those that were; the drops of a part are read once."""
    found: defaultdict[tuple[int, int], list[str]] = defaultdict(list)
    for part in looked_at["part"].unique().to_pylist():
        drops = of_part(paths, part)
        for one in drops.filter(pc.is_in(drops["row"], value_set=looked_at["row"].combine_chunks())).to_pylist():
            found[part, one["row"]].append(one["reason"])
    return found


def _member(pairs: Sequence[str], reason: str, part: int, row: int) -> Member:
    (one,) = tables.read_rows(pairs[part], row, row + 1, ["caption", "url"]).to_pylist()
    return Member(one["caption"], one["url"], reason)
