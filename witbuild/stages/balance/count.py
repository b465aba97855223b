"""Counts: how many pairs match each query, and how many are charged to it."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Inputs, Part, Task
from witbuild.stages.slices import Sliced, per_part, per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from witbuild.sample.balance import Matches
    from witbuild.stages.balance.read import Numbers


class Count(Sliced):
    """Pairs to counts: matches of each query, in the slice query modulo slices."""

    name: ClassVar[str] = "balance.count"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "queries")
    output: ClassVar[str] = "counts"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_part(inputs, "pairs")

    def process(self, task: Task) -> Part:
        """Count the queries of a part."""
        import numpy as np

        from witbuild.io import tables
        from witbuild.stages.balance.read import matches_of, numbers

        (path,) = task.sources["pairs"]
        known = numbers(task)
        matches = matches_of(tables.read(path, ["query_ids"]), known.hashes.size, path)
        ids, counts = np.unique(self.queries(matches, known), return_counts=True)
        return sliced({"query_id": ids, "count": counts}, ids % self.slices, self.slices)

    def queries(self, matches: Matches, known: Numbers) -> npt.NDArray[np.integer]:
        """Return what is to be counted."""
        return matches.ids


class Recount(Count):
    """Pairs to counts, once more after the balance."""

    name: ClassVar[str] = "balance.recount"


class Charge(Count):
    """Pairs to charges: each pair counts once, for the rarest query that it matches."""

    name: ClassVar[str] = "balance.charge"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "counts", "queries")
    output: ClassVar[str] = "charges"

    def queries(self, matches: Matches, known: Numbers) -> npt.NDArray[np.integer]:
        """Return the charged query of each pair that has any."""
        from witbuild.sample.balance import charged

        charges = charged(matches, known.ranks)
        return charges[charges >= 0]


class Sum(Sliced):
    """Counts of parts to counts of all."""

    name: ClassVar[str] = "balance.sum"
    reads: ClassVar[tuple[str, ...]] = ("counts",)
    output: ClassVar[str] = "counts"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of queries."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Add up the counts of this slice."""
        from witbuild.io import tables

        (kind,) = self.reads
        table = tables.read_slices(task.sources[kind], task.arguments["slice"])
        total = table.group_by("query_id").aggregate([("count", "sum")]).sort_by("query_id")
        return Part(total.rename_columns(["query_id", "count"]))


class SumCharges(Sum):
    """Charges of parts to charges of all."""

    name: ClassVar[str] = "balance.sum_charges"
    reads: ClassVar[tuple[str, ...]] = ("charges",)
    output: ClassVar[str] = "charges"
