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

    counted = pc.value_counts(reasons.drop_null()).to_pylist()
    return Part(table.filter(pc.is_null(reasons)), {row["values"]: row["counts"] for row in counted})


class ApplyDrops(MapStage):
    """Removes from pairs the rows that the newest drops name."""

    reads: ClassVar[tuple[str, ...]] = ("pairs", "drops")
    output: ClassVar[str] = "pairs"

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Split one part of the pairs by its drops."""
        import pyarrow as pa
        import pyarrow.compute as pc

        mine = of_part(task.sources["drops"], task.index).combine_chunks()
        place = pc.index_in(pa.array(range(table.num_rows), pa.int32()), value_set=mine["row"].combine_chunks())
        return split(table, pc.take(mine["reason"].combine_chunks(), place))
