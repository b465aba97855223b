"""Columns without a value: read and filtered as if they were like the others."""

from __future__ import annotations

import tempfile
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.io import tables
from witbuild.schema import PAIRS

TYPES = [pa.string(), pa.int32(), pa.uint64(), pa.bool_(), pa.list_(pa.int32()), pa.timestamp("us", "UTC")]
FULL = {"a": ["x", None, "z"], "b": [1, 2, 3], "c": [2**63, None, 0], "d": [True, None, None], "e": [[1], None, []]}


def made(null: frozenset[str], rows: int) -> pa.Table:
    columns = {name: [None] * 3 if name in null else values for name, values in {**FULL, "f": [None] * 3}.items()}
    arrays = [pa.array(values, kind) for values, kind in zip(columns.values(), TYPES, strict=True)]
    schema = pa.schema(
        [pa.field(name, kind, metadata={"about": name}) for name, kind in zip(columns, TYPES, strict=True)]
    )
    return pa.Table.from_arrays(arrays, schema=schema).slice(0, rows)


@given(
    st.frozensets(st.sampled_from("abcde")),
    st.integers(0, 3),
    st.none() | st.lists(st.sampled_from("abcdefx"), unique=True),
)
def test_reading_is_what_arrow_reads(null: frozenset[str], rows: int, columns: list[str] | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "a.parquet"
        tables.write(path, made(null, rows), dropped={})
        found, expected = tables.read(str(path), columns), pq.ParquetFile(path).read(columns=columns)
        assert found.equals(expected, check_metadata=True)
        found.validate(full=True)
        assert (found.num_rows == rows) or found.num_columns == 0


@given(st.frozensets(st.sampled_from("abcde")), st.lists(st.booleans() | st.none(), min_size=3, max_size=3))
def test_filtering_is_what_arrow_filters(null: frozenset[str], keep: list[bool | None]) -> None:
    table, mask = made(null, 3), pa.array(keep, pa.bool_())
    assert tables.filtered(table, mask).equals(table.filter(mask), check_metadata=True)
    assert tables.filtered(table, pa.chunked_array([mask[:1], mask[1:]])).equals(table.filter(mask))


@pytest.mark.parametrize("rows", [0, 1, 5])
def test_pairs_with_hardly_a_value_keep_their_schema(rows: int, tmp_path: Path) -> None:
    named = {"key": ["0" * 32] * rows, "url": ["u"] * rows, "caption": ["c"] * rows}
    given = {**named, "caption_source": ["alt"] * rows, "source": ["site"] * rows}
    table = tables.conform(pa.table({name: pa.array(values, pa.string()) for name, values in given.items()}), PAIRS)
    tables.write(tmp_path / "a.parquet", table, dropped={})
    found = tables.read(str(tmp_path / "a.parquet")).replace_schema_metadata(None)
    assert found.equals(table)
    few = tables.filtered(table, pa.array([False] * rows, pa.bool_()))
    assert few.schema.equals(PAIRS, check_metadata=True)
    assert few.num_rows == 0


def test_row_groups_of_which_one_has_a_value(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([None, None, "x"], pa.string())})
    tables.write(tmp_path / "a.parquet", table, dropped={}, row_groups=[2, 1])
    assert tables.read(str(tmp_path / "a.parquet"))["a"].to_pylist() == [None, None, "x"]
