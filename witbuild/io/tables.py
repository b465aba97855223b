"""Tables at rest: parts with a fixed schema, plain or sliced, and the drop counts in the footer.

Parts are parquet; those of tables that go only between the steps of a stage (`witbuild.io.run.SHUFFLED`) are Arrow
files (witbuild.io.batches). The suffix of a path says which; functions take both where they do not say otherwise.
"""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from witbuild.errors import CorruptPartError
from witbuild.io import batches, store
from witbuild.io.absent import absent
from witbuild.io.encoding import encoding

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence
    from pathlib import Path

    import numpy.typing as npt

with absent("pandas"):
    pa.array([])  # the first look is the only one

_DROPPED = b"witbuild.dropped"
_AT_ONCE = 16
"""Footers that are read at a time."""


def conform(table: pa.Table, schema: pa.Schema) -> pa.Table:
    """Return the table in a schema: columns in order, cast, absent nullable ones null; others are an error.

    Example:
        >>> schema = pa.schema([pa.field("a", pa.int64(), nullable=False), pa.field("b", pa.string())])
        >>> conform(pa.table({"a": pa.array([1], pa.int32())}), schema).to_pylist()
        [{'a': 1, 'b': None}]
    """
    unknown = set(table.column_names) - set(schema.names)
    if unknown:
        raise ValueError(f"columns {sorted(unknown)} are not in the schema {schema.names}")
    columns = [_column(table, field) for field in schema]
    return pa.Table.from_arrays(columns, schema=schema)


def _column(table: pa.Table, field: pa.Field) -> pa.ChunkedArray:
    if field.name not in table.column_names:
        if not field.nullable:
            raise ValueError(f"column {field.name} is missing")
        return pa.chunked_array([pa.nulls(table.num_rows, field.type)])
    column = table[field.name]
    if not field.nullable and column.null_count:
        raise ValueError(f"column {field.name} holds {column.null_count} nulls and must hold none")
    return column.cast(field.type)


def from_rows(rows: Iterable[Mapping[str, object]], schema: pa.Schema) -> pa.Table:
    """Return a table of mappings; absent columns are null."""
    return conform(pa.Table.from_pylist(list(rows), schema=schema), schema)


def write(path: Path, table: pa.Table, *, dropped: Mapping[str, int], row_groups: Sequence[int] | None = None) -> None:
    """Write a part: zstd, the same bytes for the same rows, drop counts in the footer, slices as row groups."""
    groups: Sequence[int] = [table.num_rows] if row_groups is None else row_groups
    if sum(groups) != table.num_rows:
        raise ValueError(f"row groups hold {sum(groups)} rows, the table {table.num_rows}")
    if path.suffix == batches.SUFFIX:
        batches.write(path, table, dropped=dropped, slices=groups)
        return
    metadata = {**(table.schema.metadata or {}), _DROPPED: json.dumps(dict(sorted(dropped.items()))).encode()}
    schema = table.schema.with_metadata(metadata)
    with pq.ParquetWriter(path, schema, store_schema=True, **encoding(table)) as writer:
        start = 0
        for rows in groups:
            writer.write_table(table.slice(start, rows).cast(schema), row_group_size=max(rows, 1))
            start += rows


def read(path: str, columns: list[str] | None = None, *, coded: Iterable[str] = ()) -> pa.Table:
    """Read a part, or some of its columns; a broken file is a CorruptPartError that names it.

    Args:
        path: of the part.
        columns: to read; None: all.
        coded: columns of texts to give as a dictionary and numbers where they repeat much and lie there so: in a tenth
            of the time.
    """
    if path.endswith(batches.SUFFIX):
        with _naming(path):
            return batches.read(path, columns)
    with store.open_read(path) as stream, _naming(path):
        file = pq.ParquetFile(stream)
        if coded:
            file = pq.ParquetFile(stream, metadata=file.metadata, read_dictionary=_coded_columns(file, coded))
        return _read(file, columns)


def _coded_columns(file: pq.ParquetFile, wanted: Iterable[str]) -> list[str]:
    """Return the texts among some columns that take less than the four bytes a row which a length alone would take."""
    texts = {field.name for field in file.schema_arrow if pa.types.is_string(field.type)} & set(wanted)
    metadata, sizes = file.metadata, dict.fromkeys(texts, 0)
    for group in map(metadata.row_group, range(metadata.num_row_groups)):
        for chunk in map(group.column, range(metadata.num_columns)):
            if chunk.path_in_schema in texts:
                sizes[chunk.path_in_schema] += chunk.total_uncompressed_size
    return [name for name, size in sizes.items() if size < 4 * metadata.num_rows]


def _read(file: pq.ParquetFile, columns: list[str] | None) -> pa.Table:
    """Read a parquet file; columns without a value, of which pairs have many, are made rather than read.

    By one thread, since there is a worker a core.
    """
    names = file.schema_arrow.names
    wanted = names if columns is None else [name for name in columns if name in names]
    null = _null_columns(file.metadata) & set(wanted)
    if not null:
        return file.read(columns=columns, use_threads=False)
    found = file.read([name for name in wanted if name not in null], use_threads=False)
    fields = [file.schema_arrow.field(name) for name in wanted]
    return _with_nulls(found, pa.schema(fields, file.schema_arrow.metadata), file.metadata.num_rows)


def _with_nulls(found: pa.Table, schema: pa.Schema, rows: int) -> pa.Table:
    """Return a table with those columns of a schema that it has not, null; those of one type share their memory."""
    absent = {field.type for field in schema if field.name not in found.column_names}
    null = {kind: pa.nulls(rows, kind) for kind in absent}
    made = [found[field.name] if field.name in found.column_names else null[field.type] for field in schema]
    return pa.Table.from_arrays(made, schema=schema)


def _null_columns(metadata: pq.FileMetaData) -> set[str]:
    """Return the columns without a value, as the statistics tell; none of a file that has to be asked too often."""
    if metadata.num_row_groups != 1:
        return set()
    group = metadata.row_group(0)
    chunks = [group.column(i) for i in range(metadata.num_columns)]
    told = [(chunk.path_in_schema, chunk.statistics) for chunk in chunks if chunk.is_stats_set]
    return {name for name, found in told if found.has_null_count and found.null_count == group.num_rows > 0}


def filtered(table: pa.Table, keep: pa.Array | pa.ChunkedArray) -> pa.Table:
    """Return the rows that a mask is true of; columns without a value are made anew, which takes a third of the time.

    Example:
        >>> filtered(pa.table({"a": [1, 2, 3], "b": pa.nulls(3)}), pa.array([True, False, None])).to_pylist()
        [{'a': 1, 'b': None}]
    """
    null = {name for name in table.column_names if table[name].null_count == table.num_rows}
    return _with_nulls(table.drop_columns([*null]).filter(keep), table.schema, pc.sum(keep).as_py() or 0)


def read_slice(path: str, index: int, columns: list[str] | None = None) -> pa.Table:
    """Read one slice (row group) of a sliced part."""
    if path.endswith(batches.SUFFIX):
        with _naming(path):
            return batches.read_slice(path, index, columns)
    with store.open_read(path) as stream, _naming(path):
        return pq.ParquetFile(stream).read_row_group(index, columns=columns)


def read_slices(paths: Iterable[str], index: int, columns: list[str] | None = None) -> pa.Table:
    """Read one slice of every part of a sliced table, in the parts' order."""
    return pa.concat_tables([read_slice(path, index, columns) for path in paths])


def read_range(paths: Sequence[str], index: int, count: int, columns: list[str] | None = None) -> pa.Table:
    """Read range `index` of `count` equal ranges of the hash that a table is sliced by, and perhaps what is beside it.

    Exactly the range where the table has a multiple of `count` slices; else the slices that it overlaps.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.arrow"
        >>> write(path, pa.table({"a": [0, 1, 2, 3]}), dropped={}, row_groups=[1, 1, 1, 1])
        >>> [read_range([str(path)], 1, count)["a"].to_pylist() for count in (2, 4, 8)]
        [[2, 3], [1], [0]]
    """
    slices = len(Footer(paths[0]).row_groups)
    several = range(index * slices // count, -(-(index + 1) * slices // count))
    return pa.concat_tables([read_slice(path, one, columns) for path in paths for one in several])


def read_rows(path: str, start: int, stop: int, columns: list[str] | None = None) -> pa.Table:
    """Read rows `start` to `stop` of a parquet part; only the row groups that hold them are read."""
    with store.open_read(path) as stream, _naming(path):
        file = pq.ParquetFile(stream)
        sizes = [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)]
        ends = np.cumsum(sizes, dtype=np.int64)
        first, last = int(np.searchsorted(ends, start, "right")), int(np.searchsorted(ends, stop, "left"))
        table = file.read_row_groups(range(first, min(last + 1, len(sizes))), columns=columns)
        return table.slice(start - int(ends[first - 1] if first else 0), stop - start)


def read_all(paths: Iterable[str], columns: list[str] | None = None) -> pa.Table:
    """Read every part into one table: only for tables whose size is bounded by the query list."""
    return pa.concat_tables([read(path, columns) for path in paths])


class Footer:
    """What a part says of itself without reading its rows."""

    rows: int
    row_groups: tuple[int, ...]
    dropped: dict[str, int]

    def __init__(self, path: str) -> None:
        if path.endswith(batches.SUFFIX):
            with _naming(path):
                self.row_groups, self.dropped = batches.sizes(path), batches.dropped(path)
            self.rows = sum(self.row_groups)
            return
        with store.open_read(path) as stream, _naming(path):
            metadata = pq.ParquetFile(stream).metadata
            self.rows = metadata.num_rows
            self.row_groups = tuple(metadata.row_group(i).num_rows for i in range(metadata.num_row_groups))
            self.dropped = json.loads(metadata.metadata.get(_DROPPED, b"{}"))


def count_rows(paths: Iterable[str]) -> int:
    """Return the rows of some parts, from their footers alone; several are read at a time, for an object store's sake.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.parquet"
        >>> write(path, pa.table({"a": [1, 2]}), dropped={})
        >>> count_rows([str(path)] * 3)
        6
    """
    with ThreadPoolExecutor(_AT_ONCE) as pool:
        return sum(footer.rows for footer in pool.map(Footer, paths))


def count_values(path: str, name: str) -> int:
    """Return how many values the lists of a column hold, from the footer of a parquet part alone.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.parquet"
        >>> write(path, pa.table({"a": [[1, 2], [], None, [3]]}), dropped={})
        >>> count_values(str(path), "a")
        3
    """
    with store.open_read(path) as stream, _naming(path):
        metadata = pq.ParquetFile(stream).metadata
        paths = [metadata.schema.column(i).path for i in range(metadata.num_columns)]
        (leaf,) = (i for i, path in enumerate(paths) if path.partition(".")[0] == name)
        groups = (metadata.row_group(i).column(leaf) for i in range(metadata.num_row_groups))
        return sum(group.statistics.num_values if group.is_stats_set else group.num_values for group in groups)


class _naming:  # noqa: N801
    """Turn any failure to read parquet into one that names the file."""

    def __init__(self, path: str) -> None:
        self.path = path

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        if isinstance(error, (pa.ArrowException, OSError, IndexError)) and not isinstance(error, FileNotFoundError):
            raise CorruptPartError(
                f"{self.path}: not a readable part ({error}); delete this file and run again to rebuild it"
            ) from error


def bounds(path: str, name: str) -> set[object]:
    """Return the least and the greatest values of a column in each row group of a parquet part, from its footer alone.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.parquet"
        >>> write(path, pa.table({"a": ["x", "y", "z"]}), dropped={}, row_groups=[2, 1])
        >>> sorted(bounds(str(path), "a"))
        ['x', 'y', 'z']
    """
    with store.open_read(path) as stream, _naming(path):
        metadata = pq.ParquetFile(stream).metadata
        column = metadata.schema.names.index(name)
        groups = (metadata.row_group(i).column(column) for i in range(metadata.num_row_groups))
        found = [group.statistics for group in groups if group.is_stats_set and group.statistics.has_min_max]
        return {value for statistics in found for value in (statistics.min, statistics.max)}


def by_slice(table: pa.Table, slices: npt.NDArray[np.integer], count: int) -> tuple[pa.Table, tuple[int, ...]]:
    """Sort rows by slice, keeping their order within one, and return the sizes of all `count` slices.

    Example:
        >>> table, sizes = by_slice(pa.table({"a": [1, 2, 3]}), np.array([2, 0, 2]), 4)
        >>> table["a"].to_pylist(), sizes
        ([2, 1, 3], (1, 0, 2, 0))
    """
    narrow = slices.astype(np.uint16) if count <= 65_536 else slices  # NumPy sorts 16 bits by radix
    order = np.argsort(narrow, kind="stable")
    sizes: list[int] = np.bincount(slices, minlength=count).tolist()
    return table.take(pa.array(order)), tuple(sizes)


def sort(table: pa.Table, *columns: str) -> pa.Table:
    """Sort rows by columns, ascending."""
    return table.take(pc.sort_indices(table, sort_keys=[(name, "ascending") for name in columns]))
