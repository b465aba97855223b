"""How columns are stored: each is read back as it was, keys take less, and what repeats has a dictionary."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from witbuild.io import tables

ROWS = 3_000


def column(kind: str) -> pa.Array:
    random = np.random.default_rng(1)
    halves = random.integers(0, 2**64, (ROWS, 2), dtype=np.uint64)
    made = {
        "key": lambda: pa.array(np.frombuffer(halves.tobytes().hex().encode(), "S32").astype("U32")),
        "text": lambda: pa.array([f"caption {i * 7919 % ROWS}" for i in range(ROWS)]),
        "word": lambda: pa.array(["alt", "title", None] * (ROWS // 3)),
        "hash": lambda: pa.array(halves[:, 0]),
        "ids": lambda: pa.array([[i, i + 1] if i % 3 else None for i in range(ROWS)], pa.list_(pa.int32())),
        "width": lambda: pa.array([None if i % 7 == 0 else i * 7919 % 2_000 for i in range(ROWS)], pa.int32()),
        "few": lambda: pa.array(["only"] + [None] * (ROWS - 1), pa.string()),
    }
    return made[kind]()


KINDS = {
    "key": ("ZSTD", {"DELTA_LENGTH_BYTE_ARRAY"}),
    "text": ("ZSTD", {"PLAIN"}),
    "word": ("ZSTD", {"RLE_DICTIONARY"}),
    "hash": ("UNCOMPRESSED", {"PLAIN"}),
    "ids": ("ZSTD", {"PLAIN"}),
    "width": ("ZSTD", {"DELTA_BINARY_PACKED"}),
    "few": ("ZSTD", {"RLE_DICTIONARY"}),
}


def saved(path: Path, columns: dict[str, pa.Array]) -> pq.ParquetFile:
    tables.write(path, pa.table(columns), dropped={}, row_groups=[ROWS // 2, 0, ROWS - ROWS // 2])
    return pq.ParquetFile(path)


def test_each_column_as_suits_it_and_read_as_it_was(tmp_path: Path) -> None:
    columns = {kind: column(kind) for kind in KINDS}
    file = saved(tmp_path / "a.parquet", columns)
    group = file.metadata.row_group(0)
    for place, (kind, (compression, encodings)) in enumerate(KINDS.items()):
        found = group.column(place)
        assert (kind, found.compression) == (kind, compression)
        assert encodings <= set(found.encodings)
        assert found.has_dictionary_page == ("RLE_DICTIONARY" in encodings)
    assert tables.read(str(tmp_path / "a.parquet")).equals(pa.table(columns))


@pytest.mark.parametrize("kind", ["key", "text", "ids", "width"])
def test_no_larger_than_with_a_dictionary(kind: str, tmp_path: Path) -> None:
    saved(tmp_path / "a.parquet", {kind: column(kind)})
    pq.write_table(pa.table({kind: column(kind)}), tmp_path / "b.parquet", compression="zstd")
    assert (tmp_path / "a.parquet").stat().st_size < (tmp_path / "b.parquet").stat().st_size


def test_structs_are_stored_as_arrow_stores_them(tmp_path: Path) -> None:
    table = pa.table({"a": pa.array([{"b": 1}, None]), "c": ["x", "y"]})
    tables.write(tmp_path / "a.parquet", table, dropped={})
    assert tables.read(str(tmp_path / "a.parquet")).equals(table)


def test_texts_that_repeat_can_be_read_as_they_lie(tmp_path: Path) -> None:
    columns = {kind: column(kind) for kind in KINDS}
    saved(tmp_path / "a.parquet", columns)
    found = tables.read(str(tmp_path / "a.parquet"), coded=["text", "word", "few"])
    assert [name for name in found.column_names if pa.types.is_dictionary(found[name].type)] == ["word", "few"]
    table = pa.table(columns)
    assert all(found[name].cast(table[name].type).equals(table[name]) for name in table.column_names)
    some = tables.read(str(tmp_path / "a.parquet"), ["word"], coded=["few"])
    assert some.schema == table.select(["word"]).schema
