"""Small stages for the frame's tests; a third party's stage looks like these."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import tables
from witbuild.schema import QUERIES
from witbuild.stage import Inputs, MapStage, Part, Stage, Task, digested, runtime

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping


def numbers(start: int, stop: int) -> pa.Table:
    rows = [{"query_id": i, "query": f"q{i}", "source": "list", "rank": i} for i in range(start, stop)]
    return tables.from_rows(rows, QUERIES)


class Count(Stage):
    """Yields numbers."""

    name: ClassVar[str] = "count"
    output: ClassVar[str] = "queries"
    files: ClassVar[Mapping[str, str]] = {"notes": ".txt"}
    homes: ClassVar[Mapping[str, str]] = {"notes": "out/notes"}
    once: ClassVar[bool] = True

    parts: int = 4
    """How many parts."""
    rows: int = 10
    """Rows a part."""
    seed_file: str = digested("")
    """A file."""
    patience: int = runtime(1)
    """Changes nothing."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        return (Task(index, {}) for index in range(self.parts))

    def process(self, task: Task) -> Part:
        note = task.scratch_file("note")
        note.write_text(f"part {task.index}\n")
        start = task.index * self.rows
        return Part(numbers(start, start + self.rows), files={"notes": note})


class Odd(MapStage):
    """Drops even numbers."""

    name: ClassVar[str] = "odd"
    reads: ClassVar[tuple[str, ...]] = ("queries",)
    output: ClassVar[str] = "queries"

    lose: int = 0
    """Rows to lose without a reason, to see whether anyone notices."""

    def apply(self, table: pa.Table, task: Task) -> Part:
        odd = table.filter(pc.equal(pc.bit_wise_and(table["query_id"], 1), 1))
        return Part(odd.slice(self.lose), {"even": table.num_rows - odd.num_rows})


class Halve(MapStage):
    """Drops the upper half of each part, again and again until one row a part is left."""

    name: ClassVar[str] = "halve"
    reads: ClassVar[tuple[str, ...]] = ("queries",)
    output: ClassVar[str] = "queries"
    rounds: ClassVar[int] = 9

    def apply(self, table: pa.Table, task: Task) -> Part:
        kept = table.slice(0, max(table.num_rows // 2, 1))
        return Part(kept, {"upper": table.num_rows - kept.num_rows})

    def settled(self, rows: int, dropped: Mapping[str, int]) -> bool:
        return not sum(dropped.values())


class Fail(MapStage):
    """Fails on one part."""

    name: ClassVar[str] = "fail"
    reads: ClassVar[tuple[str, ...]] = ("queries",)
    output: ClassVar[str] = "queries"

    index: int = runtime(-1)
    """Of the part to fail on."""

    def apply(self, table: pa.Table, task: Task) -> Part:
        if task.index == self.index:
            raise ValueError("planted")
        return Part(table)
