"""Tables between the steps of a global stage: Arrow files (IPC, Feather V2) whose record batch i is slice i.

A reduce opens every part for one slice. A parquet footer describes every column of every row group, so parts x slices
opens cost as its square; an Arrow file's footer is a list of places, and a slice is read as it lies there, 20 times as
cheap with 128 slices and 60 times with 1,024.

A column of whole numbers that are all the same, such as the part that all rows of a file are about, is not stored: it
has Arrow's type `null` in the file, and the schema's metadata tell its type and its value.
"""

from __future__ import annotations

import json
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
from pyarrow import ipc

from witbuild.errors import InputError
from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

SUFFIX = ".arrow"
_SLICES, _DROPPED, _SAME = b"witbuild.slices", b"witbuild.dropped", b"witbuild.same"


def write(path: Path, table: pa.Table, *, dropped: Mapping[str, int], slices: Sequence[int]) -> None:
    """Write a table, its first `slices[0]` rows as slice 0 and so on; the same bytes for the same rows.

    Columns of numbers are stored as they are, which for hashes is as small as they get; others compressed (zstd).
    """
    table, same = _without_same(table)
    notes = {_SLICES: json.dumps(list(slices)), _DROPPED: json.dumps(dict(sorted(dropped.items()))), _SAME: same}
    schema = table.schema.with_metadata({**(table.schema.metadata or {}), **notes})
    whole = table.combine_chunks().columns
    columns = [column.chunk(0) if column.num_chunks else column.combine_chunks() for column in whole]
    plain = all(pa.types.is_primitive(field.type) or pa.types.is_null(field.type) for field in schema)
    options = ipc.IpcWriteOptions(compression=None if plain else "zstd")
    with pa.OSFile(str(path), "wb") as sink, ipc.new_file(sink, schema, options=options) as writer:
        start = 0
        for rows in slices:
            arrays = [column.slice(start, rows) for column in columns]
            writer.write_batch(pa.RecordBatch.from_arrays(arrays, schema=schema))
            start += rows


def _without_same(table: pa.Table) -> tuple[pa.Table, str]:
    """Return a table whose columns of one whole number are null, and what they were, as JSON: name -> field, value."""
    same: dict[str, list[object]] = {}
    for place, field in enumerate(table.schema):
        column = table.column(place)
        if pa.types.is_integer(field.type) and (value := _only_value(column)) is not None:
            same[field.name] = [str(field.type), field.nullable, value]
            null = pa.field(field.name, pa.null(), metadata=field.metadata)
            table = table.set_column(place, null, pa.nulls(table.num_rows))
    return table, json.dumps(same, sort_keys=True)


def _only_value(column: pa.ChunkedArray) -> int | None:
    """Return the value that all rows have, if there is one; most columns are told by two rows."""
    if len(column) == 0 or column.null_count or column[0] != column[-1]:
        return None
    bounds = pc.min_max(column).as_py()
    return bounds["min"] if bounds["min"] == bounds["max"] else None


def _with_same(table: pa.Table, same: Mapping[str, tuple[str, bool, int]]) -> pa.Table:
    """Return a table with those columns as they were that `_without_same` left out."""
    for name, (kind, nullable, value) in same.items():
        place = table.schema.get_field_index(name)
        if place >= 0:
            field = pa.field(name, kind, nullable=nullable, metadata=table.schema.field(place).metadata)
            column = pa.repeat(pa.scalar(value, pa.type_for_alias(kind)), table.num_rows)
            table = table.set_column(place, field, column)
    return table


@contextmanager
def opened(path: str) -> Iterator[ipc.RecordBatchFileReader]:
    """Open a file; one on a disk is mapped, so that only what is used of it is read."""
    if store.is_remote(path):
        with store.open_read(path) as stream:
            yield ipc.open_file(pa.PythonFile(stream, mode="r"))
        return
    try:
        mapped = pa.memory_map(path)
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    with mapped:
        yield ipc.open_file(mapped)


def read_slice(path: str, index: int, columns: Sequence[str] | None = None) -> pa.Table:
    """Read one slice.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "a.arrow"
        >>> write(path, pa.table({"a": [1, 2, 3]}), dropped={}, slices=[2, 0, 1])
        >>> [read_slice(str(path), index)["a"].to_pylist() for index in range(3)], sizes(str(path))
        ([[1, 2], [], [3]], (2, 0, 1))
    """
    with opened(path) as file:
        if index >= file.num_record_batches:
            raise IndexError(f"slice {index} of {file.num_record_batches}")
        return _table(file, [file.get_batch(index)], columns)


def read(path: str, columns: Sequence[str] | None = None) -> pa.Table:
    """Read all slices, one behind the other."""
    with opened(path) as file:
        return _table(file, [file.get_batch(index) for index in range(file.num_record_batches)], columns)


def sizes(path: str) -> tuple[int, ...]:
    """Return the rows of each slice."""
    with opened(path) as file:
        return tuple(json.loads(file.schema.metadata[_SLICES]))


def dropped(path: str) -> dict[str, int]:
    """Return the rows that the part's task dropped, by reason."""
    with opened(path) as file:
        found: dict[str, int] = json.loads(file.schema.metadata[_DROPPED])
        return found


def _table(
    file: ipc.RecordBatchFileReader, batches: Sequence[pa.RecordBatch], columns: Sequence[str] | None
) -> pa.Table:
    table = pa.Table.from_batches(batches, file.schema.remove_metadata())
    table.validate()
    wanted = table if columns is None else table.select(columns)
    return _with_same(wanted, json.loads(file.schema.metadata.get(_SAME, b"{}")))
