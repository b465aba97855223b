"""Pairs cut by registered domain, so that one process minds a host (law 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import MapStage, Part, Task
from witbuild.stages.fetch.parameters import Cut

if TYPE_CHECKING:
    import pyarrow as pa


class Route(Cut, MapStage):
    """Sort pairs into slices by the registered domain of their image."""

    name: ClassVar = "fetch.route"
    reads: ClassVar = ("pairs",)
    optional: ClassVar = ("tombstones",)
    output: ClassVar = "pairs"

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Return the same rows, a row group a slice; what was taken down is not asked for again."""
        import numpy as np

        from witbuild.io import tables
        from witbuild.sample.tombstones import standing
        from witbuild.web.urls import domain_slice

        table, taken_down = standing(table, task.sources.get("tombstones"))
        slices = [domain_slice(url, self.slices) for url in table["url"].to_pylist()]
        routed, sizes = tables.by_slice(table, np.array(slices, np.int64), self.slices)
        return Part(routed, taken_down, row_groups=sizes)
