"""The record of a sample: JSON as Python writes it, never null, and the same when it is read back."""

from __future__ import annotations

import json
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.sample import record
from witbuild.schema import PAIRS

TEXTS = st.text(st.characters(codec="utf-8"), max_size=30)


def pair(**known: Any) -> dict[str, Any]:
    needed = {"url": "http://a.test/1", "caption": "a dog", "caption_source": "alt", "source": "wat"}
    return {"key": "0" * 32, **needed, **known}


ROWS = st.lists(
    st.builds(
        pair,
        url=TEXTS,
        caption=TEXTS,
        licence=st.none() | TEXTS,
        carried=st.none() | TEXTS,
        source_offset=st.none() | st.integers(0, 2**62),
        query_ids=st.none() | st.lists(st.integers(0, 2), max_size=3),
        phash=st.none() | st.integers(0, 2**64 - 1),
    ),
    max_size=6,
)


def reference(row: dict[str, Any], queries: list[str]) -> dict[str, Any]:
    """Plain Python: one pair's record."""
    out: dict[str, Any] = {}
    for field in record.RECORD:
        empty: Any = "" if pa.types.is_string(field.type) else -1
        value = row.get({"sha256": "original_sha256"}.get(field.name, field.name))
        out[field.name] = empty if value is None else value
    phash = row.get("phash")
    out["phash"] = "" if phash is None else f"{phash:016x}"
    out["queries"] = [queries[i] for i in row.get("query_ids") or []]
    return out


@given(ROWS, st.lists(TEXTS, min_size=3, max_size=3))
def test_records_are_those_of_plain_python(rows: list[dict[str, Any]], queries: list[str]) -> None:
    table = record.records(tables.from_rows(rows, PAIRS), pa.array(queries, pa.string()))
    expected = [reference(row, queries) for row in rows]
    assert table.to_pylist() == expected
    lines = record.render(table)
    assert lines.to_pylist() == [json.dumps(row, ensure_ascii=False, separators=(",", ":")) for row in expected]
    assert record.parse(lines).equals(table)


@given(ROWS)
def test_without_a_query_list_the_lists_are_empty(rows: list[dict[str, Any]]) -> None:
    table = record.records(tables.from_rows(rows, PAIRS), None)
    assert table["queries"].to_pylist() == [[] for _ in rows]


def test_pieces_of_a_larger_table_give_the_same_records() -> None:
    rows = [pair(query_ids=[i % 3], caption=f"{i}") for i in range(10)]
    table, queries = tables.from_rows(rows, PAIRS), pa.chunked_array([["a"], ["b", "c"]])
    whole = record.render(record.records(table, queries)).to_pylist()
    pieces = [record.render(record.records(table.slice(i, 5), queries)).to_pylist() for i in (0, 5)]
    assert pieces[0] + pieces[1] == whole
    assert record.render(record.records(table, queries).slice(4, 3)).to_pylist() == whole[4:7]


def test_a_data_set_of_before_carried_has_the_record_that_it_had() -> None:
    table = record.records(tables.from_rows([pair(carried="{}")], PAIRS), None)
    assert record.told(table.append_column("more", pa.array([1]))).equals(table)
    before = table.drop_columns("carried")
    assert json.loads(record.render(record.told(before))[0].as_py()) == before.to_pylist()[0]
    with pytest.raises(KeyError):
        record.told(table.drop_columns("licence"))


def test_another_query_list_is_refused() -> None:
    table = tables.from_rows([pair(query_ids=[7])], PAIRS)
    with pytest.raises(InputError, match="matches query 7 and the query list has 3"):
        record.records(table, pa.array(["a", "b", "c"]))


def test_a_sidecar_names_img2datasets_columns() -> None:
    line = record.render(record.records(tables.from_rows([pair(width=3, height=4)], PAIRS), None))
    numbers = {"image_bytes": pa.array([9], pa.int32())}
    samples = pa.table({"key": ["0" * 32], "record": line, "image_format": ["jpg"], **numbers})
    (row,) = record.sidecar(samples, [record.Place(3072, "ab" * 32)]).to_pylist()
    names = {
        "url",
        "caption",
        "key",
        "status",
        "width",
        "height",
        "original_width",
        "original_height",
        "sha256",
    }
    assert names < set(row)
    assert (row["uid"], row["status"], row["width"], row["image_bytes"]) == ("0" * 32, "success", 3, 9)
    assert (row["tar_bytes"], row["sample_sha256"]) == (3072, "ab" * 32)
