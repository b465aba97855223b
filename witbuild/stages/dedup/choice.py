"""The choice: the members of each cluster, and all but the best of them dropped."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from witbuild.stages.dedup.graph import read_edges
from witbuild.stages.dedup.parameters import Keeping, Scope, Seen
from witbuild.stages.drops import ApplyDrops
from witbuild.stages.slices import SLICE_ROWS, Scaled, per_address, per_slice, sliced, slices_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from witbuild.stage import Inputs, Part, Task


DROP_ROWS = SLICE_ROWS // 8
"""Of a slice: each part of the pairs reads one."""


class Members(Seen):
    """Pairs to members: what choosing among duplicates needs to know of each pair."""

    name: ClassVar[str] = "dedup.members"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "members"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        from witbuild.io import tables

        rows = tables.count_rows((*inputs["pairs"], *inputs.get("against", ())))
        return per_address(inputs, slices=self.into(rows))

    def process(self, task: Task) -> Part:
        """Describe each pair of a part, in the slice of its node."""
        import numpy as np

        from witbuild.dedup.choose import ATTRIBUTES, members

        table, part = self.read(task, (*self.columns, *ATTRIBUTES)), task.arguments["part"]
        columns = members(table, self.evidence(table), part, np.arange(table.num_rows))
        return member_part(columns, task.arguments["slices"])


def member_part(columns: Mapping[str, Any], slices: int) -> Part:
    """Return members, each in the slice of its node."""
    from witbuild.sample.order import slice_of

    return sliced(columns, slice_of(columns["node"], slices), slices)


class Clusters(Scaled):
    """Members and settled edges to clusters: all members of clusters of two pairs or more."""

    name: ClassVar[str] = "dedup.clusters"
    reads: ClassVar[tuple[str, ...]] = ("members", "edges")
    output: ClassVar[str] = "clusters"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of nodes."""
        return per_slice(inputs, slices_of(inputs["members"]))

    def process(self, task: Task) -> Part:
        """Name the cluster of each member of this slice."""
        from witbuild.dedup.choose import clusters
        from witbuild.dedup.clusters import star
        from witbuild.io import tables
        from witbuild.sample.order import slice_of

        index, slices = task.arguments["slice"], slices_of(task.sources["members"])
        found = tables.read_slices(task.sources["members"], index)
        table = clusters(found, star(read_edges(task.sources.get("edges", ()), index, slices)))
        columns = dict(zip(table.column_names, table.columns, strict=True))
        return sliced(columns, slice_of(table["root"].to_numpy(), slices), slices)


class ExactClusters(Clusters):
    """Clusters where only pairs of one node are duplicates: there are no edges."""

    reads: ClassVar[tuple[str, ...]] = ("members",)


class Choose(Scope, Keeping):
    """Clusters to drops: all but the best member of each."""

    name: ClassVar[str] = "dedup.choose"
    reads: ClassVar[tuple[str, ...]] = ("clusters",)
    output: ClassVar[str] = "drops"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of clusters."""
        from witbuild.io import tables

        slices = self.into(tables.count_rows(inputs["clusters"]), DROP_ROWS)
        return per_slice(inputs, slices_of(inputs["clusters"]), slices=slices)

    def process(self, task: Task) -> Part:
        """Drop all but the best member of each cluster of this slice."""
        from witbuild.dedup.choose import drops
        from witbuild.io import tables

        found = tables.read_slices(task.sources["clusters"], task.arguments["slice"])
        columns, slices = drops(found, self.scope, self.keep), task.arguments["slices"]
        return sliced(columns, columns["part"] % slices, slices)


class Drop(ApplyDrops):
    """Pairs without the duplicates."""

    name: ClassVar[str] = "dedup.drop"
    may_be_empty: ClassVar[bool] = True  # what it is held against may have everything
