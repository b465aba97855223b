"""The candidates: which nodes share a band, found from hashes alone; only theirs are the texts that travel.

    pairs ─> bands ─> candidates ─> records (of pairs) ─> join

A caption has nine bands or more and few captions share one, so to carry each text with each band would be most of the
work.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Part
from witbuild.stages.dedup.choice import member_part
from witbuild.stages.dedup.parameters import Compared
from witbuild.stages.slices import Sliced, per_address, per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import numpy.typing as npt

    from witbuild.dedup.nodes import Evidence
    from witbuild.stage import Inputs, Task


class Bands(Compared):
    """Pairs to bands: nodes that share one are compared; and to members, which need the same evidence."""

    name: ClassVar[str] = "dedup.bands"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "bands"
    files: ClassVar[Mapping[str, str]] = {"members": ".parquet"}

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_address(inputs)

    def process(self, task: Task) -> Part:
        """Write the bands of each distinct node of a part, and its pairs as members."""
        import numpy as np

        from witbuild.dedup.choose import ATTRIBUTES
        from witbuild.dedup.nodes import COLUMNS
        from witbuild.io import tables
        from witbuild.sample.order import slice_of
        from witbuild.schema import MEMBERS

        table = tables.read(task.sources["pairs"][0], [*dict.fromkeys((*COLUMNS, *ATTRIBUTES))])
        found, part = self.evidence(table), task.arguments["part"]
        members, path = member_part(table, found, part, self.slices), task.scratch_file("members.parquet")
        tables.write(path, tables.conform(members.table, MEMBERS), dropped={}, row_groups=members.row_groups)
        first = np.unique(found.node, return_index=True)[1]
        bands, row = self._bands(found.take(first))
        columns = {"band": bands, "node": found.node[first[row]], "row": first[row].astype(np.int32)}
        columns["part"] = np.full(row.size, part, np.int32)
        made = sliced(columns, slice_of(bands, self.slices), self.slices)
        return Part(made.table, row_groups=made.row_groups, files={"members": path})

    def _bands(self, found: Evidence) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        from witbuild.dedup.nodes import caption_bands, place_bands

        if self.looks_at == {"caption"}:
            return caption_bands(found, self.shingle, self.shingle_size, self.cut())
        return place_bands(found, self.distance())


class Candidates(Sliced):
    """Bands to candidates: a pair of each node that shares a band with another node."""

    name: ClassVar[str] = "dedup.candidates"
    reads: ClassVar[tuple[str, ...]] = ("bands",)
    output: ClassVar[str] = "candidates"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of bands."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Find the bands of this slice that nodes share."""
        from witbuild.dedup.join import contested
        from witbuild.io import tables

        table = tables.read_slices(task.sources["bands"], task.arguments["slice"])
        rows = contested(table["band"].to_numpy(), table["node"].to_numpy())
        columns = {name: table[name].to_numpy()[rows] for name in ("part", "row", "band")}
        return sliced(columns, columns["part"] % self.slices, self.slices)


class Records(Compared):
    """Candidates and their pairs to records: what is compared of each candidate, in the slice of the shared band."""

    name: ClassVar[str] = "dedup.records"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "candidates")
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "records"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_address(inputs)

    def process(self, task: Task) -> Part:
        """Read the candidates of a part again and write what the scope looks at in them."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from witbuild.dedup.nodes import COLUMNS
        from witbuild.io import tables
        from witbuild.sample.order import slice_of

        part = task.arguments["part"]
        every = tables.read_slices(task.sources["candidates"], part % self.slices)
        mine = every.filter(pc.equal(every["part"], part))
        rows, place = np.unique(mine["row"].to_numpy(), return_inverse=True)
        found = self.evidence(tables.read(task.sources["pairs"][0], COLUMNS).take(pa.array(rows)))
        bands = mine["band"].to_numpy()
        columns = {"band": bands, **found.take(place).columns()}
        return sliced(columns, slice_of(bands, self.slices), self.slices)
