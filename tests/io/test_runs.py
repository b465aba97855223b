"""Sliced files in rounds: what goes in comes out, slice by slice."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import CorruptPartError
from witbuild.io import tables
from witbuild.io.runs import RunWriter, read_runs

if TYPE_CHECKING:
    from pathlib import Path

SCHEMA = pa.schema([pa.field("a", pa.int64(), nullable=False)])


@given(rounds=st.lists(st.lists(st.integers(0, 99), max_size=9), max_size=4), slices=st.integers(1, 5))
def test_each_slice_holds_its_rows_of_all_rounds(
    tmp_path_factory: pytest.TempPathFactory, rounds: list[list[int]], slices: int
) -> None:
    path = tmp_path_factory.mktemp("runs") / "a.parquet"
    with RunWriter(path, SCHEMA, slices=slices) as writer:
        for rows in rounds:
            writer.add(pa.table({"a": pa.array(rows, pa.int64())}), np.array(rows, np.int64) % slices)
    for index in range(slices):
        found = [row for run in read_runs([str(path)], index, slices=slices) for row in run["a"].to_pylist()]
        assert found == [row for rows in rounds for row in rows if row % slices == index]


def test_a_file_without_rounds_is_a_file_all_the_same(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    with RunWriter(path, SCHEMA, slices=3):
        pass
    assert tables.Footer(str(path)).row_groups == (0, 0, 0)
    assert list(read_runs([str(path)], 2, slices=3)) == []


def test_a_broken_file_is_named(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    path.write_bytes(b"PAR1 and no more")
    with pytest.raises(CorruptPartError, match=r"a\.parquet"):
        list(read_runs([str(path)], 0, slices=1))


def test_a_round_without_all_its_slices_is_refused(tmp_path: Path) -> None:
    with RunWriter(tmp_path / "a.parquet", SCHEMA, slices=2) as writer, pytest.raises(ValueError, match="1 slices"):
        writer.add_slices([pa.table({"a": [1]})])
