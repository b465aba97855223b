"""Files of rows, whatever their format: parquet, CSV, TSV, JSON lines, JSON; plain or packed by gzip.

A row is a mapping of column names, in lower case, to values; None stands for a row that could not be read, so that one
bad row costs one row.
"""

from __future__ import annotations

import codecs
import csv
import gzip
import json
import zlib
from typing import IO, TYPE_CHECKING, Any, cast

from witbuild.errors import InputError
from witbuild.web import remote

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

BLOCK_ROWS = 1_024
"""Rows of a text file that go to the same piece."""
MAX_LINE_BYTES = 1 << 20
MAX_JSON_BYTES = 2_000_000_000
_BATCH_ROWS = 16_384
Row = tuple[int, dict[str, Any] | None]


def read(path: str, columns: frozenset[str], header: tuple[str, ...], piece: int, pieces: int) -> Iterator[Row]:
    """Yield (number, row) of a piece of a file, in order.

    Args:
        path: of the file; its name tells the format.
        columns: names in lower case that are wanted, where the format lets others be left unread.
        header: names of the columns when the file has none.
        piece: of the file, from 0.
        pieces: of it in all.

    Raises:
        InputError: the file as a whole cannot be read.
    """
    name = path.lower().removesuffix(".gz")
    if name.endswith(".parquet"):
        yield from _parquet(path, columns, piece, pieces)
        return
    reader = next((reader for ending, reader in _READERS.items() if name.endswith(ending)), None)
    if reader is None:
        raise InputError(
            f"{path}: not a kind of list that is known; expected .parquet or {', '.join(_READERS)}, or such with .gz"
        )
    with remote.open_read(path) as raw, _unpacked(path, raw) as stream:
        try:
            for number, row in enumerate(reader(stream, header)):
                if number // BLOCK_ROWS % pieces == piece:
                    yield number, row
        except (csv.Error, gzip.BadGzipFile, EOFError, zlib.error) as error:
            raise InputError(f"{path}: not whole, or not such a list ({error}); fetch it again") from error


def _unpacked(path: str, raw: IO[bytes]) -> IO[bytes]:
    return cast("IO[bytes]", gzip.open(raw)) if path.lower().endswith(".gz") else raw


def _parquet(path: str, columns: frozenset[str], piece: int, pieces: int) -> Iterator[Row]:
    """Read a range of rows of about equal size for every piece, and only the row groups that hold it."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    try:
        with remote.open_read(path) as stream:
            file = pq.ParquetFile(stream)
            total = file.metadata.num_rows
            start, stop = total * piece // pieces, total * (piece + 1) // pieces
            wanted = [name for name in file.schema_arrow.names if name.lower() in columns]
            groups, first = _groups(file, start, stop)
            for batch in file.iter_batches(_BATCH_ROWS, row_groups=groups, columns=wanted) if groups else ():
                rows = batch.rename_columns([name.lower() for name in batch.schema.names]).to_pylist()
                yield from ((number, row) for number, row in enumerate(rows, first) if start <= number < stop)
                first += len(rows)
    except (pa.ArrowException, OSError) as error:
        raise InputError(f"{path}: not a readable parquet file ({error})") from error


def _groups(file: Any, start: int, stop: int) -> tuple[list[int], int]:
    """Return the row groups that hold a range of rows, and the number of their first row."""
    found: list[int] = []
    position = first = 0
    for index in range(file.metadata.num_row_groups):
        rows = file.metadata.row_group(index).num_rows
        if position < stop and position + rows > start:
            first = first if found else position
            found.append(index)
        position += rows
    return found, first


def _lines(stream: IO[bytes]) -> Iterator[str]:
    mark = codecs.BOM_UTF8
    while line := stream.readline(MAX_LINE_BYTES):
        yield line.removeprefix(mark).decode("utf-8", "replace")
        mark = b""


def _separated(**dialect: Any) -> Callable[[IO[bytes], tuple[str, ...]], Iterator[dict[str, Any] | None]]:
    def rows(stream: IO[bytes], header: tuple[str, ...]) -> Iterator[dict[str, Any] | None]:
        reader = csv.reader(_lines(stream), **dialect)
        names = list(header) or [name.strip().lower() for name in next(reader, [])]
        while True:
            try:
                fields = next(reader)
            except StopIteration:
                return
            except csv.Error:  # a field without end: the line is lost, the next one is read
                yield None
                continue
            if fields:
                yield dict(zip(names, fields, strict=True)) if len(fields) == len(names) else None

    return rows


def _json_lines(stream: IO[bytes], header: tuple[str, ...]) -> Iterator[dict[str, Any] | None]:  # noqa: ARG001
    while line := stream.readline(MAX_LINE_BYTES):
        if line.isspace():
            continue
        try:
            row = json.loads(line)
        except (ValueError, RecursionError):
            row = None
        yield {str(name).lower(): value for name, value in row.items()} if isinstance(row, dict) else None


def _json(stream: IO[bytes], header: tuple[str, ...]) -> Iterator[dict[str, Any] | None]:  # noqa: ARG001
    """Read a list of objects, an object with `annotations`, or an object of lists of one length."""
    try:
        content = json.loads(stream.read(MAX_JSON_BYTES))
    except (ValueError, RecursionError) as error:
        raise InputError(f"{getattr(stream, 'name', 'list')}: not valid JSON ({error})") from error
    if isinstance(content, dict) and isinstance(content.get("annotations"), list):
        content = content["annotations"]
    elif isinstance(content, dict):
        lists = {name: value for name, value in content.items() if isinstance(value, list)}
        content = [dict(zip(lists, values, strict=False)) for values in zip(*lists.values(), strict=False)]
    for row in content if isinstance(content, list) else []:
        yield {str(name).lower(): value for name, value in row.items()} if isinstance(row, dict) else None


_READERS: dict[str, Callable[[IO[bytes], tuple[str, ...]], Iterator[dict[str, Any] | None]]] = {
    ".csv": _separated(),
    ".tsv": _separated(delimiter="\t", quoting=csv.QUOTE_NONE),
    ".jsonl": _json_lines,
    ".ndjson": _json_lines,
    ".json": _json,
}
"""Ending of a file's name -> what reads its rows."""


def lists(paths: list[str]) -> list[str]:
    """Return the lists among the files of a folder: those of the first kind that there is, as others only describe it.

    Example:
        >>> lists(["README.md", "data/0.parquet", "data/1.parquet", "infos.json"])
        ['data/0.parquet', 'data/1.parquet']
    """
    for ending in (".parquet", *_READERS):
        found = [path for path in paths if path.lower().removesuffix(".gz").endswith(ending)]
        if found:
            return found
    return []
