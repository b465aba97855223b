"""Samples, slice by slice, into the global order; one of each key stays."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import RecipeError
from witbuild.stage import Part, Stage, Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.stage import Inputs

_GROUP = 8192
"""Rows of a row group in the sorted parts: a shard reads no more than it needs."""

_LARGEST = 2**31 - 1
"""Bytes of text that a column of 32-bit offsets can hold when it is sorted."""


class Sort(Stage):
    """Sort each slice by (coin, key) and keep the first of rows with one key."""

    name: ClassVar = "shard.sort"
    reads: ClassVar = ("samples",)
    output: ClassVar = "samples"

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each slice."""
        from witbuild.io import tables

        for index in range(len(tables.Footer(inputs["samples"][0]).row_groups)):
            yield Task(index, {"samples": inputs["samples"]}, {"slice": index})

    def process(self, task: Task) -> Part:
        """Sort a slice; the record decides between rows of one key, so that the parts' order cannot."""
        import numpy as np

        from witbuild.io import tables

        table = tables.read_slices(task.sources["samples"], task.arguments["slice"])
        _check_size(table["record"].nbytes, task.arguments["slice"])
        table = tables.sort(table, "coin", "key", "record")
        keys = table["key"].to_numpy()
        first = np.append(np.ones(min(1, len(keys)), bool), keys[1:] != keys[:-1])
        kept = table.filter(first)
        repeated = len(table) - len(kept)
        full, rest = divmod(len(kept), _GROUP)
        groups = (_GROUP,) * full + (rest,) * (rest > 0)
        return Part(kept, dropped={"same_key": repeated} if repeated else {}, row_groups=groups or (0,))


def _check_size(size: int, index: int) -> None:
    if size > _LARGEST:
        raise RecipeError(
            f"stage shard: slice {index} holds {size:,} bytes of records and can be sorted up to {_LARGEST:,}; "
            f"use more slices, {-(-size // (_LARGEST // 2))} times as many (`shard: {{slices: ...}}`)"
        )
