"""The candidates: which nodes share a band, found from hashes alone; only theirs are the texts that travel.

    pairs ─> bands ─> candidates ─> records (of pairs) ─> join
                                └─> members (of pairs) ─> clusters

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
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt

    from witbuild.dedup.nodes import Evidence
    from witbuild.stage import Inputs, Task


BAND_ROWS = 2 * SLICE_ROWS
"""Of a slice: a row has 20 bytes, a third of a member's."""
RECORD_ROWS = SLICE_ROWS // 8
"""Of a slice: a row has a caption, which becomes some hundred bytes of shingles."""
PARTS = 4
"""Parts of pairs whose candidates lie in one slice."""


class Bands(Compared):
    """Pairs to bands: nodes that share one are compared; and to the rows whose node its part has more than once."""

    name: ClassVar[str] = "dedup.bands"
    version: ClassVar[int] = 4
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "bands"
    files: ClassVar[Mapping[str, str]] = {"repeats": ".arrow"}

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        from witbuild.io import tables

        return per_address(inputs, **self.arguments(tables.count_rows((*inputs["pairs"], *inputs.get("against", ())))))

    def arguments(self, rows: int) -> dict[str, int]:
        """Return what a task knows of so many pairs in all: into how many slices it cuts."""
        return {"slices": self.into(rows * self.bands(), BAND_ROWS)}

    def process(self, task: Task) -> Part:
        """Write the bands of each distinct node of a part, and which rows repeat a node."""
        import numpy as np
        import pyarrow as pa

        from witbuild.dedup.repeats import shared

        found = self.evidence(self.read(task, self.columns))
        repeats = Part(pa.table({"row": np.sort(shared(found.node))}))
        return replace(self._bands(found, task), files=beside(task, repeats=repeats))

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
    """Bands to candidates: a pair of each node that shares a band with another node, all pairs of a node in parts."""

    name: ClassVar[str] = "dedup.candidates"
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("bands",)
    output: ClassVar[str] = "candidates"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of bands."""
        return per_slice(inputs, slices_of(inputs["bands"]), slices=self.into(len(inputs["bands"]), PARTS))

    def process(self, task: Task) -> Part:
        """Find the bands of this slice that nodes share, and by its first band each node that parts share."""
        import numpy as np
        import pyarrow as pa

        from witbuild.dedup.repeats import contested
        from witbuild.io import tables

        table, slices = tables.read_slices(task.sources["bands"], task.arguments["slice"]), task.arguments["slices"]
        found = contested(table["band"].to_numpy(), table["node"].to_numpy())
        some = table.take(pa.array(np.concatenate(found)))
        part, row, band = (some[name].to_numpy() for name in ("part", "row", "band"))
        again = np.arange(row.size) >= found.apart.size
        columns = {"part": part, "row": np.maximum(row, -1 - row), "band": pa.array(band, mask=again)}
        wanted = np.flatnonzero(~again | (row < 0))
        return sliced({name: column.take(wanted) for name, column in columns.items()}, part[wanted] % slices, slices)


class Records(Compared):
    """Candidates and their pairs to records: what is compared of each candidate, in the slice of the shared band.

    And to members: all pairs that may be in a cluster with another, which are those of nodes that there are twice or
    that share a band.
    """

    name: ClassVar[str] = "dedup.records"
    version: ClassVar[int] = 2
    reads: ClassVar[tuple[str, ...]] = ("pairs", "candidates", "repeats")
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "records"
    files: ClassVar[Mapping[str, str]] = {"members": ".arrow"}

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part, with what repeats there."""
        from witbuild.io import tables

        rows, repeats = tables.count_rows(inputs["candidates"]), tables.count_rows(inputs["repeats"])
        slices = {"slices": self.into(rows, RECORD_ROWS), "members": self.into(rows + repeats)}
        for task in per_address(inputs, **slices):
            yield replace(task, sources={**task.sources, "repeats": (inputs["repeats"][task.index],)})

    def process(self, task: Task) -> Part:
        """Read of a part again the pairs that are candidates or repeat a node; write them as records and members."""
        import numpy as np
        import pyarrow as pa

        from witbuild.dedup.choose import ATTRIBUTES, members
        from witbuild.io import tables
        from witbuild.sample.order import slice_of

        part, slices = task.arguments["part"], task.arguments["slices"]
        mine = of_part(task.sources["candidates"], part)
        rows = np.union1d(mine["row"].to_numpy(), tables.read(task.sources["repeats"][0])["row"].to_numpy())
        table = self.read(task, (*self.columns, *ATTRIBUTES)).take(pa.array(rows))
        found = self.evidence(table)
        files = beside(task, members=member_part(members(table, found, part, rows), task.arguments["members"]))
        compared = mine.filter(mine["band"].is_valid())
        bands, place = compared["band"].to_numpy(), np.searchsorted(rows, compared["row"].to_numpy())
        records = sliced({"band": bands, **found.take(place).columns()}, slice_of(bands, slices), slices)
        return replace(records, files=files)


def beside(task: Task, **parts: Part) -> dict[str, Path]:
    """Write tables of other kinds than the stage's own into the task's scratch folder and return their files."""
    from witbuild.io import tables
    from witbuild.schema import TABLES

    paths = {kind: task.scratch_file(f"{kind}.arrow") for kind in parts}
    for kind, part in parts.items():
        table = tables.conform(part.table, TABLES[kind])
        tables.write(paths[kind], table, dropped={}, row_groups=part.row_groups)
    return paths
