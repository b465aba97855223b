"""Keep and curve: the pairs that stay, and what became of each query."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Inputs, MapStage, Part, Task
from witbuild.stages.balance.parameters import Limited, Thrown
from witbuild.stages.drops import split
from witbuild.stages.slices import per_slice

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa


class Keep(Thrown, MapStage):
    """Pairs without those over the limit."""

    name: ClassVar[str] = "balance.keep"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "cuts", "queries")
    output: ClassVar[str] = "pairs"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return MapStage.plan(self, inputs)

    def process(self, task: Task) -> Part:
        """Read the task's part and judge it."""
        return MapStage.process(self, task)

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Judge each pair of a part by its coins."""
        import numpy as np
        import pyarrow as pa

        from witbuild.sample.verdict import Queries, kept, pair_coins
        from witbuild.stages.balance.read import matches_of, query_hashes, read_cuts

        cuts, known = read_cuts(task.sources["cuts"], query_hashes(task.sources["queries"]))
        matches = matches_of(table, known.hashes.size, task.sources["pairs"][0])
        queries = Queries(cuts, known.hashes, known.ranks)
        stay = kept(self.mode, pair_coins(table["key"], self.seed), matches, queries)
        reasons = np.where(np.diff(matches.offsets) > 0, "over_limit", "no_query")
        return split(table, pa.array(reasons, pa.string(), mask=stay))


class Curve(Limited):
    """Counts after and cuts to the curve: each query's matches before, its charges and quota, its matches after."""

    name: ClassVar[str] = "balance.curve"
    reads: ClassVar[tuple[str, ...]] = ("counts", "cuts", "queries")
    output: ClassVar[str] = "curve"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of queries."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Set the counts of this slice before and after side by side."""
        import numpy as np
        import pyarrow as pa

        from witbuild.io import tables
        from witbuild.stages.balance.read import query_hashes, read_cuts

        index = task.arguments["slice"]
        _, known = read_cuts(task.sources["cuts"], query_hashes(task.sources["queries"]))
        counts = tables.read_slices(task.sources["counts"], index)
        after = np.zeros(known.counts.size, np.int64)
        np.add.at(after, counts["query_id"].to_numpy(), counts["count"].to_numpy())
        ids = np.flatnonzero(known.counts)
        ids = ids[ids % self.slices == index]
        quota = np.minimum(known.charges, self.limit_from(known.counts, known.charges))
        columns = {"before": known.counts, "charged": known.charges, "quota": quota, "after": after}
        return Part(pa.table({"query_id": ids, **{name: column[ids] for name, column in columns.items()}}))
