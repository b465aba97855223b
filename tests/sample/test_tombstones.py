"""What a tombstone bars, kind by kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from witbuild.io import tables
from witbuild.sample.tombstones import Tombstones, standing
from witbuild.schema import PAIRS, TOMBSTONES

SHA = "ab" * 32


def pairs() -> pa.Table:
    shared = {"caption": "x", "caption_source": "alt", "source": "site"}
    rows: list[dict[str, Any]] = [
        {"key": "0" * 32, "url": "http://a.test/1.jpg", "original_sha256": SHA, "phash": 0b111},
        {"key": "1" * 32, "url": "HTTP://A.TEST:80/1.jpg#top"},
        {"key": "2" * 32, "url": "http://img.a.test/2.jpg", "phash": 0b110},
        {"key": "3" * 32, "url": "http://ba.test/1.jpg", "original_sha256": SHA, "phash": 2**63},
    ]
    return tables.from_rows([row | shared for row in rows], PAIRS)


def stones(*rows: tuple[str, str, int]) -> pa.Table:
    named = [{"kind": kind, "value": value, "distance": most, "request": "test"} for kind, value, most in rows]
    return tables.from_rows(named, TOMBSTONES)


@pytest.mark.parametrize(
    ("kind", "value", "distance", "expected"),
    [
        ("key", "2" * 32, 0, [2]),
        ("url", "http://a.test/1.jpg", 0, [0, 1]),
        ("host", "a.test", 0, [0, 1, 2]),
        ("host", "img.a.test", 0, [2]),
        ("host", "test", 0, [0, 1, 2, 3]),
        ("sha256", SHA, 0, [0, 3]),
        ("phash", f"{0b110:016x}", 0, [2]),
        ("phash", f"{0b110:016x}", 1, [0, 2]),
        ("phash", f"{0:016x}", 1, [3]),
    ],
)
def test_each_kind_bars_what_it_names_and_nothing_else(
    kind: str, value: str, distance: int, expected: list[int]
) -> None:
    barred = Tombstones(stones((kind, value, distance))).barred(pairs())
    assert [i for i, one in enumerate(barred) if one] == expected


def test_kinds_add_up_and_none_bars_nothing() -> None:
    both = Tombstones(stones(("key", "1" * 32, 0), ("sha256", SHA, 0)))
    assert both.barred(pairs()).tolist() == [True, True, False, True]
    assert not Tombstones(stones()).barred(pairs()).any()
    assert not both.barred(pairs().slice(0, 0)).any()


def test_standing_counts_what_it_takes_away(tmp_path: Path) -> None:
    tables.write(tmp_path / "t.parquet", stones(("host", "a.test", 0)), dropped={})
    left, dropped = standing(pairs(), (str(tmp_path / "t.parquet"),))
    assert (left["key"].to_pylist(), dropped) == (["3" * 32], {"taken_down": 3})
    assert standing(pairs(), None)[1] == {}
