"""Coins and cuts: of each query over the limit, the coin from which pairs are too many."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Inputs, Part, Task
from witbuild.stages.balance.parameters import Limited, Thrown
from witbuild.stages.slices import per_part, per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt

    from witbuild.sample.balance import Cuts, Matches
    from witbuild.stages.balance.read import Numbers


class QuotaCoins(Thrown):
    """Pairs to coins: of each pair whose charged query is over the limit, in the slice query modulo slices."""

    name: ClassVar[str] = "balance.coin"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "counts", "charges", "queries")
    output: ClassVar[str] = "coins"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_part(inputs, "pairs")

    def process(self, task: Task) -> Part:
        """Throw the coins of a part."""
        from witbuild.io import tables
        from witbuild.sample.verdict import pair_coins
        from witbuild.stages.balance.read import matches_of, numbers

        (path,) = task.sources["pairs"]
        table, known = tables.read(path, ["key", "query_ids"]), numbers(task)
        matches = matches_of(table, known.hashes.size, path)
        thrown = pair_coins(table["key"], self.seed)
        return self.sort_out(thrown, matches, known, self.limit_from(known.counts, known.charges))

    def sort_out(self, thrown: npt.NDArray[np.uint64], matches: Matches, known: Numbers, limit: int) -> Part:
        """Return those coins of pairs that matter, each for what it is thrown for."""
        import numpy as np
        import pyarrow as pa

        from witbuild.sample.balance import charged
        from witbuild.sample.coins import about

        queries = charged(matches, known.ranks)
        over = np.flatnonzero((queries >= 0) & (known.charges[queries] > limit))
        queries = queries[over]
        thrown = about(thrown[over], known.hashes[queries])
        lists = pa.ListArray.from_arrays(np.arange(queries.size + 1, dtype=np.int32), queries.astype(np.int32))
        return sliced({"coin": thrown, "query_ids": lists}, queries % self.slices, self.slices)


class StrictCoins(QuotaCoins):
    """Pairs to coins: of each pair with a query over the limit, in the slice of the coin's range."""

    def sort_out(self, thrown: npt.NDArray[np.uint64], matches: Matches, known: Numbers, limit: int) -> Part:
        """Return the coins of pairs with queries over the limit, each with those queries."""
        import numpy as np
        import pyarrow as pa

        from witbuild.sample.balance import pair_of
        from witbuild.sample.order import slice_of

        heads = known.counts[matches.ids] > limit
        sizes = np.bincount(pair_of(matches)[heads], minlength=thrown.size)
        over = np.flatnonzero(sizes)
        thrown = thrown[over]
        lists = pa.ListArray.from_arrays(np.append(0, np.cumsum(sizes[over])).astype(np.int32), matches.ids[heads])
        return sliced({"coin": thrown, "query_ids": lists}, slice_of(thrown, self.slices), self.slices)


class IndependentCut(Limited):
    """Counts to cuts, in one task: the table is bounded by the query list."""

    name: ClassVar[str] = "balance.cut"
    reads: ClassVar[tuple[str, ...]] = ("counts", "charges", "queries")
    output: ClassVar[str] = "cuts"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield the task."""
        yield Task(0, dict(inputs))

    def process(self, task: Task) -> Part:
        """Cut the queries of the task."""
        import numpy as np
        import pyarrow as pa

        from witbuild.stages.balance.read import numbers

        known = numbers(task)
        cuts = self.cuts(task, known.counts, self.limit_from(known.counts, known.charges))
        ids = self.mine(task, np.flatnonzero(known.counts))
        columns = {"query_id": ids, "count": known.counts[ids], "charged": known.charges[ids]}
        return Part(pa.table({**columns, "cut": pa.array(cuts.cut[ids], mask=cuts.open[ids])}))

    def mine(self, task: Task, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return which of the matched queries the task cuts: all."""
        return ids

    def cuts(self, task: Task, counts: npt.NDArray[np.int64], limit: int) -> Cuts:
        """Return the cuts of the task's queries."""
        from witbuild.sample.balance import independent_cuts

        return independent_cuts(counts, limit)


class QuotaCut(IndependentCut):
    """Coins to cuts, slice by slice of the queries."""

    reads: ClassVar[tuple[str, ...]] = ("coins", "counts", "charges", "queries")

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of queries."""
        return per_slice(inputs, self.slices)

    def mine(self, task: Task, ids: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return which of the matched queries are in the slice."""
        return ids[ids % self.slices == task.arguments["slice"]]

    def cuts(self, task: Task, counts: npt.NDArray[np.int64], limit: int) -> Cuts:
        """Return the cuts; one part's coins are held at a time, and the smallest of each query."""
        from witbuild.io import tables
        from witbuild.sample.balance import Quota

        quota = Quota(counts.size, limit)
        for path in task.sources["coins"]:
            table = tables.read_slice(path, task.arguments["slice"])
            quota.add(table["query_ids"].combine_chunks().flatten().to_numpy(), table["coin"].to_numpy())
        return quota.cuts()


class StrictCut(IndependentCut):
    """Coins to cuts, in one task that reads the slices in the order of their coins; greedy is sequential."""

    reads: ClassVar[tuple[str, ...]] = ("coins", "counts", "charges", "queries")

    def cuts(self, task: Task, counts: npt.NDArray[np.int64], limit: int) -> Cuts:
        """Return the cuts; one slice of coins is held at a time."""
        from witbuild.io import tables
        from witbuild.sample.balance import Strict
        from witbuild.stages.balance.read import matches_of

        strict = Strict(counts.size, limit)
        for index in range(self.slices):
            table = tables.sort(tables.read_slices(task.sources["coins"], index), "coin")
            strict.add(table["coin"].to_numpy(), matches_of(table, counts.size, task.sources["coins"][0]))
        return strict.cuts()
