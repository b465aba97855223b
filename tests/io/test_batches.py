"""Arrow parts: what is written is read, slice by slice; the same bytes for the same rows; broken files are named."""

from __future__ import annotations

import tempfile
from itertools import pairwise
from pathlib import Path

import fsspec
import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import CorruptPartError, InputError
from witbuild.io import tables
from witbuild.sample.order import slice_of

ROW = st.tuples(st.integers(0, 2**64 - 1), st.none() | st.text(max_size=9), st.none() | st.integers(0, 255))
Row = tuple[int, str | None, int | None]
SCHEMA = pa.schema([("hash", pa.uint64()), ("text", pa.string()), ("small", pa.uint8())])


def made(rows: list[Row]) -> pa.Table:
    columns = list(zip(*rows, strict=True)) or [(), (), ()]
    return pa.Table.from_arrays([pa.array(*one) for one in zip(columns, SCHEMA.types, strict=True)], schema=SCHEMA)


def save(folder: Path, name: str, table: pa.Table, count: int) -> str:
    ordered, sizes = tables.by_slice(table, slice_of(table["hash"].to_numpy(), count), count)
    tables.write(folder / name, ordered, dropped={"bad": 2}, row_groups=sizes)
    return str(folder / name)


@given(rows=st.lists(ROW, max_size=30), count=st.integers(1, 9), split=st.integers(0, 30))
def test_a_slice_of_all_parts_holds_its_rows_in_either_format(rows: list[Row], count: int, split: int) -> None:
    parts = [made(rows[:split]), made(rows[split:])]
    with tempfile.TemporaryDirectory() as folder:
        arrow, parquet = (
            [save(Path(folder), f"{number}.{suffix}", part, count) for number, part in enumerate(parts)]
            for suffix in ("arrow", "parquet")
        )
        for index in range(count):
            found = tables.read_slices(arrow, index)
            assert found.to_pylist() == tables.read_slices(parquet, index).to_pylist()
            assert all(slice_of(found["hash"].to_numpy(), count) == index)
        assert [tables.read(path).num_rows for path in arrow] == [part.num_rows for part in parts]
        for one, other in zip(arrow, parquet, strict=True):
            assert vars(tables.Footer(one)) == vars(tables.Footer(other))


@given(rows=st.lists(ROW, min_size=1, max_size=30), slices=st.integers(1, 8), count=st.integers(1, 12))
def test_ranges_hold_all_of_theirs_however_the_table_is_sliced(rows: list[Row], slices: int, count: int) -> None:
    table = made(rows)
    with tempfile.TemporaryDirectory() as folder:
        path = save(Path(folder), "0.arrow", table, slices)
        for index in range(count):
            found = tables.read_range([path], index, count, ["hash"])["hash"].to_pylist()
            mine = table["hash"].to_numpy()[slice_of(table["hash"].to_numpy(), count) == index].tolist()
            assert set(mine) <= set(found)
            assert slices % count or sorted(mine) == sorted(found)


def test_the_bytes_depend_on_the_rows_alone(tmp_path: Path) -> None:
    rows: list[Row] = [(number * 2**57, None if number % 3 else f"text {number}", number) for number in range(100)]
    whole = made(rows)
    pieces = pa.concat_tables([made(rows[a:b]) for a, b in pairwise([0, 1, 40, 100])])
    inner = made([(0, "other", 1), *rows]).slice(1)
    written = [Path(save(tmp_path, f"{i}.arrow", table, 4)) for i, table in enumerate((whole, pieces, inner))]
    assert len({path.read_bytes() for path in written}) == 1


def test_numbers_lie_as_they_are_and_texts_compressed(tmp_path: Path) -> None:
    numbers = pa.table({"hash": np.arange(10_000, dtype=np.uint64)})
    texts = numbers.append_column("text", pa.array(["the same text"] * 10_000))
    sizes = [Path(save(tmp_path, f"{i}.arrow", table, 1)).stat().st_size for i, table in enumerate((numbers, texts))]
    assert 80_000 < sizes[0] < 82_000
    assert sizes[1] < sizes[0]


def test_a_number_that_all_rows_have_is_not_stored(tmp_path: Path) -> None:
    schema = pa.schema([pa.field("part", pa.int32(), nullable=False, metadata={"comment": "of the pair"}), *SCHEMA])
    rows = pa.table({"part": pa.array([-7] * 1_000, pa.int32()), "hash": range(1_000), "text": ["a"] * 1_000})
    table = tables.conform(rows, schema)
    paths = [save(tmp_path, "same.arrow", table, 4), save(tmp_path, "one.arrow", table.slice(0, 1), 4)]
    for path, expected in zip(paths, (table, table.slice(0, 1)), strict=True):
        assert tables.read(path).equals(expected)
        assert tables.read(path).schema.equals(schema, check_metadata=True)
        assert tables.read_slice(path, 3, ["hash"]).column_names == ["hash"]
        assert tables.read_slice(path, 0, ["part"])["part"].to_pylist() == [-7] * tables.read_slice(path, 0).num_rows
    other = table.set_column(0, schema.field(0), pa.array([-7] * 500 + [-8] + [-7] * 499, pa.int32()))
    stored = Path(save(tmp_path, "other.arrow", other, 4))
    assert tables.read(str(stored))["part"].to_pylist() == other["part"].to_pylist()
    numbers = table.drop_columns("text"), other.drop_columns("text")
    sizes = [Path(save(tmp_path, f"{i}.arrow", one, 4)).stat().st_size for i, one in enumerate(numbers)]
    assert sizes[1] - sizes[0] > 3_500


def test_parts_of_an_object_store_are_read_too(tmp_path: Path) -> None:
    table = made([(2**63, "a", 1), (1, "b", None)])
    fsspec.filesystem("memory").pipe("/batches/0.arrow", Path(save(tmp_path, "0.arrow", table, 2)).read_bytes())
    assert tables.read_slice("memory://batches/0.arrow", 1).to_pylist() == [{"hash": 2**63, "text": "a", "small": 1}]
    assert tables.count_rows(["memory://batches/0.arrow"] * 5) == 10


def test_a_broken_part_is_named_and_an_absent_one_too(tmp_path: Path) -> None:
    path = Path(save(tmp_path, "0.arrow", made([(1, "a", 1)]), 1))
    content = path.read_bytes()
    for broken in (b"", content[:100], content[:-10], bytes(len(content))):
        path.write_bytes(broken)
        for reading in (tables.read, lambda name: tables.read_slice(name, 0), tables.Footer):
            with pytest.raises(CorruptPartError, match=r"0\.arrow"):
                reading(str(path))
    with pytest.raises(InputError, match="no such file"):
        tables.read(str(tmp_path / "1.arrow"))
    with pytest.raises(CorruptPartError):
        tables.read_slice(save(tmp_path, "2.arrow", made([(1, "a", 1)]), 1), 7)


def test_sizes_that_do_not_add_up_are_refused(tmp_path: Path) -> None:
    for suffix in ("arrow", "parquet"):
        with pytest.raises(ValueError, match="row groups hold 3 rows, the table 2"):
            tables.write(tmp_path / f"0.{suffix}", made([(1, "a", 1)] * 2), dropped={}, row_groups=[1, 2])
