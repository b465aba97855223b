"""Task, Part, Stage, MapStage: what a capability is, told to the runner.

A stage is a frozen pydantic model: its fields *are* the recipe's parameters, the command's options, the JSON schema
and the docs. Wiring (class variables) says what it reads and writes:

    class Match(MapStage):
        name = "match"; version = 1
        reads = ("pairs", "queries"); output = "pairs"
        case: Literal["fold", "exact"] = "fold"
        '''How letters are compared.'''
        def apply(self, table, task): ...

A stage that needs a global step says so by returning several stages from `steps`; each has its own folder in the run.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field

if TYPE_CHECKING:
    import pyarrow as pa

Inputs = Mapping[str, tuple[str, ...]]
"""Kind of table or file -> the paths of its parts, in order."""


@dataclass(frozen=True, slots=True)
class Task:
    """One unit of work; its result becomes part number `index`.

    `arguments` are small numbers that tell tasks over the same sources apart (a slice, a range of rows). `scratch` is
    a local folder of the task's own, set by the runner: what a killed attempt left there may be used again.
    """

    index: int
    sources: Inputs
    arguments: Mapping[str, int] = field(default_factory=dict)
    scratch: str = ""

    def scratch_file(self, name: str) -> Path:
        """Return the path of a file in the scratch folder, which is made when it is not there."""
        folder = Path(self.scratch)
        folder.mkdir(parents=True, exist_ok=True)
        return folder / name


@dataclass(frozen=True, slots=True)
class Part:
    """What a task yields: rows, the number of rows dropped by reason, and side files.

    `row_groups` are the sizes of the row groups of a sliced table, in slice order. `files` maps a kind of side file,
    declared in `Stage.files`, to a local file in the task's scratch folder, which the runner publishes before the
    table. `digests` holds the sha256, hex, of those files that were hashed while they were written; the runner hashes
    the others.
    """

    table: pa.Table
    dropped: Mapping[str, int] = field(default_factory=dict)
    row_groups: tuple[int, ...] | None = None
    files: Mapping[str, Path] = field(default_factory=dict)
    digests: Mapping[str, str] = field(default_factory=dict)


def runtime(default: Any, **options: Any) -> Any:
    """Declare a parameter that cannot change the result (workers, rates, resolvers): it is not part of the identity."""
    return Field(default, json_schema_extra={"runtime": True}, **options)


def digested(default: Any, **options: Any) -> Any:
    """Declare a parameter that names files: their content is part of the identity, not their names."""
    return Field(default, json_schema_extra={"digested": True}, **options)


class Stage(BaseModel):
    """A step from tables to a table; fields are its parameters."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    name: ClassVar[str]
    version: ClassVar[int] = 1
    reads: ClassVar[tuple[str, ...]] = ()
    optional: ClassVar[tuple[str, ...]] = ()
    """Kinds that are read when the run has them."""
    output: ClassVar[str]
    """Name of the table it writes: a key of schema.TABLES."""
    files: ClassVar[Mapping[str, str]] = {}
    """Kinds of side file that every task writes -> their extension."""
    homes: ClassVar[Mapping[str, str]] = {}
    """Kinds of side file that lie elsewhere than in the stage's folder -> a folder below the run directory."""
    once: ClassVar[bool] = False
    """Whether a run can have one such stage only: what it writes is addressed by number, or lies in a home."""
    rounds: ClassVar[int] = 1
    """At most so many times is it run again on its own output, until `settled`."""
    may_be_empty: ClassVar[bool] = False
    """Whether queries, pairs or shards may come out empty without an error."""
    told_by_tasks: ClassVar[tuple[str, ...]] = ()
    """Parameters that change nothing of a task but what its sources and arguments say already."""
    preload: ClassVar[tuple[str, ...]] = ()
    """Modules that the process imports of which workers are forked, when this stage is what they are started for."""
    keeps_memory: ClassVar[bool] = False
    """Whether a worker keeps what memory its tasks free for the next of them (witbuild.io.memory)."""
    reproducible: ClassVar[bool] = True
    """Whether the same input gives the same bytes on any machine; others do not count in the run's root."""

    def steps(self) -> tuple[Stage, ...]:
        """Return the stages that do the work, in order; a thin stage is its own single step."""
        return (self,)

    def check(self) -> None:
        """Raise, before any work of a run, when something that the stage needs is not there, such as a model."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield the tasks; on the driver, cheap, depending on the arguments alone."""
        raise NotImplementedError

    def process(self, task: Task) -> Part:
        """Do a task; anywhere, perhaps twice; leaves nothing but its result."""
        raise NotImplementedError

    def recall(self, task: Task, earlier: Inputs) -> None:
        """Put into a task's scratch folder what the same step of an earlier run found out; by default nothing.

        Args:
            task: about to be done.
            earlier: kind -> paths of all parts that the step wrote then, with the same parameters.
        """

    def table_schema(self) -> pa.Schema:
        """Return the schema of the output; a third party's stage with a table of its own overrides this."""
        from witbuild.schema import TABLES

        return TABLES[self.output]

    def file_name(self, kind: str, task: Task) -> str:
        """Return the name under which a task's side file is published."""
        return f"{task.index:05d}{self.files[kind]}"

    def settled(self, rows: int, dropped: Mapping[str, int]) -> bool:
        """Say from a round's totals whether no further round is needed."""
        return True


class MapStage(Stage):
    """A stage whose task is one part of its first table; rows in = rows out + dropped."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part of the first table read; the other kinds go to every task."""
        first, *others = (kind for kind in (*self.reads, *self.optional) if kind in inputs)
        shared = {kind: inputs[kind] for kind in others}
        for index, path in enumerate(inputs[first]):
            yield Task(index, {first: (path,), **shared})

    def process(self, task: Task) -> Part:
        """Read the task's part and apply the stage to it."""
        from witbuild.io import tables

        (path,) = task.sources[self.reads[0]]
        return self.apply(tables.read(path), task)

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Turn one part into another."""
        raise NotImplementedError
