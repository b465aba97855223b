"""Sliced files written in several rounds: row group ``round * slices + slice`` holds a slice's rows of a round.

A task that counts more than fits in memory writes what it has whenever its table is full, and starts anew; whoever
reads a slice reads it of every round. So nobody holds more than one table, and nothing is merged twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow.parquet as pq

from witbuild.io import tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from types import TracebackType
    from typing import Self

    import numpy.typing as npt
    import pyarrow as pa


class RunWriter:
    """Writes a sliced file round by round; a file without rows has one empty round.

    Example:
        >>> import pathlib, tempfile, numpy as np, pyarrow as pa
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "runs.parquet"
        >>> with RunWriter(path, pa.schema([("a", pa.int64())]), slices=2) as writer:
        ...     writer.add(pa.table({"a": [1, 2, 3]}), np.array([1, 0, 1]))
        ...     writer.add(pa.table({"a": [4]}), np.array([1]))
        >>> [run["a"].to_pylist() for run in read_runs([str(path)], 1, slices=2)]
        [[1, 3], [4]]
    """

    def __init__(self, path: Path, schema: pa.Schema, *, slices: int) -> None:
        self._path, self._schema, self._slices = path, schema, slices
        self._rounds = 0

    def __enter__(self) -> Self:
        self._writer = pq.ParquetWriter(self._path, self._schema, compression="zstd", store_schema=True)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if kind is None and not self._rounds:
            self.add_slices([self._schema.empty_table()] * self._slices)
        self._writer.close()

    def add(self, table: pa.Table, slices: npt.NDArray[np.integer]) -> None:
        """Write a round: `slices` says for each row which slice it belongs to."""
        ordered, sizes = tables.by_slice(tables.conform(table, self._schema), slices, self._slices)
        ends = np.cumsum(sizes, dtype=np.int64)
        self.add_slices(ordered.slice(int(end) - size, size) for end, size in zip(ends, sizes, strict=True))

    def add_slices(self, parts: Iterable[pa.Table]) -> None:
        """Write a round slice by slice: one table for each."""
        count = 0
        for part in parts:
            self._writer.write_table(tables.conform(part, self._schema), row_group_size=max(part.num_rows, 1))
            count += 1
        if count != self._slices:
            raise ValueError(f"a round of {count} slices, expected {self._slices}")
        self._rounds += 1


def read_runs(paths: Iterable[str], index: int, *, slices: int) -> Iterator[pa.Table]:
    """Yield one slice of every round of every file, in order; empty ones are left out."""
    for path in paths:
        sizes = tables.Footer(path).row_groups
        for group in range(index, len(sizes), slices):
            if sizes[group]:
                yield tables.read_slice(path, group)
