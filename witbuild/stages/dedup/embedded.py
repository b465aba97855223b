"""Dedup by embeddings: images are the same when a model sees much the same in them.

    embeddings ─> centres ─┐
    pairs ─────────────────┴─> bands ─> candidates ─> records ─> join ─> ...

The stage `embed` made the embeddings, a row for each pair in the same place; nothing here needs its model.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Part, Stage, Task
from witbuild.stages.dedup.candidates import Bands, Records
from witbuild.stages.slices import per_part

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.dedup.nodes import Evidence
    from witbuild.stage import Inputs


class Centres(Stage):
    """Embeddings to the sum of those of each part."""

    name: ClassVar[str] = "dedup.centres"
    reads: ClassVar[tuple[str, ...]] = ("embeddings",)
    output: ClassVar[str] = "centres"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_part(inputs, "embeddings")

    def process(self, task: Task) -> Part:
        """Add up a part."""
        import pyarrow as pa

        from witbuild.dedup.vectors import from_column, sum_of_directions
        from witbuild.io import tables

        vectors, seen = from_column(tables.read(task.sources["embeddings"][0], ["vector"])["vector"])
        rows, total = int(seen.sum()), sum_of_directions(vectors[seen])
        return Part(pa.table({"rows": [rows], "sum": pa.array([total.tolist()], pa.list_(pa.int64()))}))


def centre(paths: Iterable[str]) -> npt.NDArray[np.int64]:
    """Return the mean of all embeddings made 1,024 long, rounded, int64 of shape (D,); empty when there is none."""
    import numpy as np

    from witbuild.io import tables

    found = [row for path in paths for row in tables.read(path).to_pylist() if row["rows"]]
    if not found:
        return np.zeros(0, np.int64)
    total = np.sum([row["sum"] for row in found], axis=0, dtype=np.int64)
    return np.asarray(total // sum(row["rows"] for row in found))


class EmbeddedBands(Bands):
    """Pairs and embeddings to bands."""

    reads: ClassVar[tuple[str, ...]] = ("pairs", "embeddings", "centres")

    def arguments(self, rows: int) -> dict[str, int]:
        """Return also how many planes a table has."""
        from witbuild.dedup.vectors import bits_for

        return {**super().arguments(rows), "bits": bits_for(rows)}

    def read(self, task: Task, columns: Iterable[str]) -> pa.Table:
        """Return the task's pairs with their vectors."""
        return with_vectors(super().read(task, [*columns, "key"]), task)

    def bands_of(self, found: Evidence, task: Task) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        """Return the bands of some nodes: of their URLs and of their vectors."""
        from witbuild.dedup.nodes import vector_bands
        from witbuild.dedup.vectors import Planes

        middle = centre(task.sources["centres"])
        return vector_bands(found, Planes(self.tables, task.arguments["bits"], self.seed, middle))


class EmbeddedRecords(Records):
    """Candidates, pairs and embeddings to records."""

    reads: ClassVar[tuple[str, ...]] = ("pairs", "candidates", "repeats", "embeddings")

    def read(self, task: Task, columns: Iterable[str]) -> pa.Table:
        """Return the task's pairs with their vectors."""
        return with_vectors(super().read(task, [*columns, "key"]), task)


def with_vectors(pairs: pa.Table, task: Task) -> pa.Table:
    """Return a part of the pairs with the column `vector`; all null of pairs that others are held against.

    Raises:
        InputError: the embeddings are of other pairs.
    """
    import pyarrow as pa

    from witbuild.errors import InputError
    from witbuild.io import tables

    part, paths = task.arguments["part"], task.sources["embeddings"]
    if part < 0:
        return pairs.append_column("vector", pa.nulls(pairs.num_rows, pa.binary()))
    found = tables.read(paths[part]) if part < len(paths) else pairs.slice(0, 0)
    if not found["key"].equals(pairs["key"]):
        raise InputError(
            f"{task.sources['pairs'][0]}: the newest embeddings are of other pairs; put `embed` directly before `dedup`"
        )
    return pairs.append_column("vector", found["vector"])
