"""The candidates: which nodes share a band, found from hashes alone; only theirs are the texts that travel.

    pairs ─> bands ─> candidates ─> records (of pairs) ─> join

A caption has nine bands or more and few captions share one, so to carry each text with each band would be most of the
work.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Part
from witbuild.stages.dedup.choice import member_part
from witbuild.stages.dedup.parameters import Compared
from witbuild.stages.slices import SLICE_ROWS, Scaled, of_part, per_address, per_slice, sliced, slices_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import numpy.typing as npt

    from witbuild.dedup.nodes import Evidence
    from witbuild.stage import Inputs, Task


BAND_ROWS = 2 * SLICE_ROWS
"""Of a slice: a row has 24 bytes, half of a member's."""
RECORD_ROWS = SLICE_ROWS // 8
"""Of a slice: a row has a caption, which becomes some hundred bytes of shingles."""
PARTS = 4
"""Parts of pairs whose candidates lie in one slice."""


class Bands(Compared):
    """Pairs to bands: nodes that share one are compared; and to members, which need the same evidence."""

    name: ClassVar[str] = "dedup.bands"
    version: ClassVar[int] = 3
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "bands"
    files: ClassVar[Mapping[str, str]] = {"members": ".arrow"}

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        from witbuild.io import tables

        return per_address(inputs, **self.arguments(tables.count_rows((*inputs["pairs"], *inputs.get("against", ())))))

    def arguments(self, rows: int) -> dict[str, int]:
        """Return what a task knows of so many pairs in all: into how many slices it cuts."""
        return {"slices": self.into(rows * self.bands(), BAND_ROWS), "members": self.into(rows)}

    def process(self, task: Task) -> Part:
        """Write the bands of each distinct node of a part, and its pairs as members."""
        from witbuild.dedup.choose import ATTRIBUTES
        from witbuild.io import tables
        from witbuild.schema import MEMBERS

        table = self.read(task, (*self.columns, *ATTRIBUTES))
        found, path = self.evidence(table), task.scratch_file("members.arrow")
        members = member_part(table, found, task.arguments["part"], task.arguments["members"])
        tables.write(path, tables.conform(members.table, MEMBERS), dropped={}, row_groups=members.row_groups)
        return replace(self._bands(found, task), files={"members": path})

    def _bands(self, found: Evidence, task: Task) -> Part:
        """Return the bands of each node, as the first pair that has it tells them, in the slice of the band."""
        import numpy as np
        import pyarrow as pa

        from witbuild.dedup.repeats import first_of_each
        from witbuild.dedup.spread import spread

        first = first_of_each(found.node)
        distinct = found.take(first)
        cells = spread(*self.bands_of(distinct, task), task.arguments["slices"], distinct.node, first)
        columns = {"band": cells.band, "node": cells.node, "row": cells.row}
        columns["part"] = np.full(cells.row.size, task.arguments["part"], np.int32)
        return Part(pa.table(columns), row_groups=cells.sizes)

    def bands_of(self, found: Evidence, task: Task) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return the bands of some nodes: keys, and the row each belongs to."""
        from witbuild.dedup.nodes import caption_bands, place_bands

        if self.looks_at == {"caption"}:
            return caption_bands(found, self.shingle, self.size, self.cut())
        return place_bands(found, self.distance())


class Candidates(Scaled):
    """Bands to candidates: a pair of each node that shares a band with another node."""

    name: ClassVar[str] = "dedup.candidates"
    reads: ClassVar[tuple[str, ...]] = ("bands",)
    output: ClassVar[str] = "candidates"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of bands."""
        return per_slice(inputs, slices_of(inputs["bands"]), slices=self.into(len(inputs["bands"]), PARTS))

    def process(self, task: Task) -> Part:
        """Find the bands of this slice that nodes share."""
        from witbuild.dedup.repeats import contested
        from witbuild.io import tables

        table, slices = tables.read_slices(task.sources["bands"], task.arguments["slice"]), task.arguments["slices"]
        rows = contested(table["band"].to_numpy(), table["node"].to_numpy())
        columns = {name: table[name].to_numpy()[rows] for name in ("part", "row", "band")}
        return sliced(columns, columns["part"] % slices, slices)


class Records(Compared):
    """Candidates and their pairs to records: what is compared of each candidate, in the slice of the shared band."""

    name: ClassVar[str] = "dedup.records"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "candidates")
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "records"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        from witbuild.io import tables

        return per_address(inputs, slices=self.into(tables.count_rows(inputs["candidates"]), RECORD_ROWS))

    def process(self, task: Task) -> Part:
        """Read the candidates of a part again and write what the scope looks at in them."""
        import numpy as np
        import pyarrow as pa

        from witbuild.sample.order import slice_of

        slices = task.arguments["slices"]
        mine = of_part(task.sources["candidates"], task.arguments["part"])
        rows, place = np.unique(mine["row"].to_numpy(), return_inverse=True)
        found = self.evidence(self.read(task, self.columns).take(pa.array(rows)))
        bands = mine["band"].to_numpy()
        return sliced({"band": bands, **found.take(place).columns()}, slice_of(bands, slices), slices)
