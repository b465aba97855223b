"""Drops applied: the rows that a global step decided against leave the pairs, each with its reason."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import MapStage, Part, Task
from witbuild.stages.slices import of_part

if TYPE_CHECKING:
    import pyarrow as pa


def split(table: pa.Table, reasons: pa.Array) -> Part:
    """Return the rows whose reason is null, and the number of the others by reason.

    Args:
        table: of n rows.
        reasons: n strings; null keeps the row.

    Example:
        >>> import pyarrow as pa
        >>> part = split(pa.table({"a": [1, 2, 3]}), pa.array(["bad", None, "bad"]))
        >>> part.table["a"].to_pylist(), dict(part.dropped)
        ([2], {'bad': 2})
    """
    import pyarrow.compute as pc

    from witbuild.io import tables

    return Part(tables.filtered(table, pc.is_null(reasons)), _counted(reasons.drop_null()))


def _counted(reasons: pa.Array | pa.ChunkedArray) -> dict[str, int]:
    import pyarrow.compute as pc

    return {row["values"]: row["counts"] for row in pc.value_counts(reasons).to_pylist()}


class ApplyDrops(MapStage):
    """Removes from pairs the rows that the newest drops name."""

    reads: ClassVar[tuple[str, ...]] = ("pairs", "drops")
    output: ClassVar[str] = "pairs"
    keeps_memory: ClassVar[bool] = True

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Split one part of the pairs by its drops."""
        import numpy as np
        import pyarrow as pa

        from witbuild.io import tables

        mine = of_part(task.sources["drops"], task.index)
        stays = np.ones(table.num_rows, np.bool_)
        stays[mine["row"].to_numpy()] = False
        return Part(tables.filtered(table, pa.array(stays)), _counted(mine["reason"]))
