"""The graph: which nodes are alike, and so which clusters there are."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stages.dedup.parameters import Compared
from witbuild.stages.slices import Scaled, per_slice, sliced, slices_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np

    from witbuild.dedup.clusters import Edges
    from witbuild.stage import Inputs, Part, Task


class Join(Compared):
    """Records to edges: nodes that share a band and are alike are linked."""

    name: ClassVar[str] = "dedup.join"
    version: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("records",)
    output: ClassVar[str] = "edges"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of bands."""
        return per_slice(inputs, slices_of(inputs["records"]))

    def process(self, task: Task) -> Part:
        """Compare what shares a band of this slice."""
        from witbuild.dedup.clusters import LARGE, both_ways
        from witbuild.dedup.nodes import linked
        from witbuild.io import tables

        records = task.sources["records"]
        table = tables.read_slices(records, task.arguments["slice"])
        edges = linked(table, self.shingle, self.size, self.rule(), self.cut())
        return edges_part(both_ways(edges), LARGE, slices_of(records))


def edges_part(edges: tuple[np.ndarray, np.ndarray], turn: int, slices: int, unsettled: int = 0) -> Part:
    """Return edges as a part, each in the slice of its node."""
    import numpy as np

    from witbuild.sample.order import slice_of

    node, other = edges
    columns = {"node": node, "other": other, "turn": np.full(node.size, turn, np.int8)}
    dropped = {"unsettled": unsettled} if unsettled else {}
    return sliced(columns, slice_of(node, slices), slices, dropped)


def read_edges(paths: tuple[str, ...], index: int, count: int) -> Edges:
    """Return the edges of all nodes of a slice of `count`, perhaps others, without what the next round does.

    There are none when there are no paths.
    """
    import numpy as np

    from witbuild.dedup.clusters import Edges
    from witbuild.io import tables

    if not paths:
        return Edges(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
    table = tables.read_range(paths, index, count, ["node", "other"])
    return Edges(table["node"].to_numpy(), table["other"].to_numpy())


class Components(Scaled):
    """Edges to edges, in rounds, until every cluster is a star around its smallest node."""

    name: ClassVar[str] = "dedup.components"
    reads: ClassVar[tuple[str, ...]] = ("edges",)
    output: ClassVar[str] = "edges"
    rounds: ClassVar[int] = 96

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of edges."""
        return per_slice(inputs, slices_of(inputs["edges"]))

    def process(self, task: Task) -> Part:
        """Do a large-star or a small-star, whichever is next."""
        from witbuild.dedup.clusters import LARGE, SMALL, Edges, both_ways, large_star, small_star
        from witbuild.io import tables

        paths = task.sources["edges"]
        table, slices = tables.read_slices(paths, task.arguments["slice"]), slices_of(paths)
        edges = Edges(table["node"].to_numpy(), table["other"].to_numpy())
        if table.num_rows and table["turn"][0].as_py() == SMALL:
            return edges_part(both_ways(small_star(edges)), LARGE, slices, unsettled=table.num_rows)
        rows, unsettled = large_star(edges)
        return edges_part(rows, SMALL, slices, unsettled)

    def settled(self, rows: int, dropped: Mapping[str, int]) -> bool:
        """Say whether every node is the centre or a leaf of a star; only a large-star can find that."""
        return not dropped.get("unsettled")
