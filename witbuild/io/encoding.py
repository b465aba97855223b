"""How the columns of a parquet part are stored, which follows from their types and first values alone."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

_SAMPLE = 1_000
"""Rows of a column that tell how it is stored."""
_LENGTHS_APART, _DIFFERENCES, _PLAIN = "DELTA_LENGTH_BYTE_ARRAY", "DELTA_BINARY_PACKED", "PLAIN"


def encoding(table: pa.Table) -> dict[str, Any]:
    """Return the options of a `pyarrow.parquet.ParquetWriter` for a table.

    Hashes are stored as they are, since no dictionary and no compression makes them smaller; whole numbers as packed
    differences, lists of them plain: quicker than with a dictionary, and every reader knows it; text that hardly
    repeats without a dictionary, which would be given up when it is full; where all of it is of one length, as keys
    are, with the lengths apart, which is smaller and quicker; all else with zstd and a dictionary.

    Example:
        >>> table = pa.table({"hash": pa.array([1], pa.uint64()), "key": ["k"], "width": [640]})
        >>> encoding(table)["compression"], encoding(table)["use_dictionary"], encoding(table)["column_encoding"]
        ({'hash': 'none', 'key': 'zstd', 'width': 'zstd'}, ['key'], {'width': 'DELTA_BINARY_PACKED'})
    """
    kinds = dict(zip(table.column_names, table.schema.types, strict=True))
    if any(pa.types.is_nested(kind) and not pa.types.is_list(kind) for kind in kinds.values()):
        return {"compression": "zstd"}
    hashes = {name for name, kind in kinds.items() if pa.types.is_uint64(kind)}
    samples = {name: table[name].slice(0, _SAMPLE) for name, kind in kinds.items() if pa.types.is_string(kind)}
    rare = {name: sample for name, sample in samples.items() if _hardly_repeats(sample)}
    even = [name for name, sample in rare.items() if pc.count_distinct(pc.binary_length(sample)).as_py() == 1]
    numbers = {name: found for name, kind in kinds.items() if (found := _of_numbers(kind))}
    dictionary = kinds.keys() - hashes - rare.keys() - numbers.keys()
    special = dict.fromkeys(even, _LENGTHS_APART) | numbers
    return {
        "compression": {_values(name, kind): "none" if name in hashes else "zstd" for name, kind in kinds.items()},
        "use_dictionary": [_values(name, kind) for name, kind in kinds.items() if name in dictionary],
        "column_encoding": {_values(name, kinds[name]): found for name, found in special.items()},
    }


def _of_numbers(kind: pa.DataType) -> str:
    """Return how whole numbers of 32 or 64 bits, or lists of them, are stored; empty for all else."""
    if kind in {pa.int32(), pa.int64()}:
        return _DIFFERENCES
    return _PLAIN if pa.types.is_list(kind) and kind.value_type in {pa.int32(), pa.int64()} else ""


def _hardly_repeats(sample: pa.ChunkedArray) -> bool:
    """Say whether more than half of a sample's values are distinct, when there are enough of them to tell."""
    known = len(sample) - sample.null_count
    return bool(known > _SAMPLE // 10 and 2 * pc.count_distinct(sample).as_py() > known)


def _values(name: str, kind: pa.DataType) -> str:
    """Return how parquet names the values of a column."""
    return f"{name}.list.element" if pa.types.is_list(kind) else name
