"""Columns: the rows, losses and order of a list of pairs that is gone through one by one."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from witbuild.sources import columns, keeping
from witbuild.sources.candidates import REST
from witbuild.sources.columns import MOST_ROWS, Columns
from witbuild.text.keys import pair_key
from witbuild.web.rows import NO_PIXELS, ROW_SIZE, SOURCES

Pair = tuple[str, str, str, int | None]
Work = list[tuple[bool, list[Pair]]]
pairs = st.tuples(
    st.sampled_from(["http://a.test/", "http://a.test/b", "http://c.test/" + "x" * 200]),
    st.sampled_from(["x", "y", "", "a red square", "\ufffd", "é日😀", "z" * 300]),
    st.sampled_from(SOURCES),
    st.sampled_from([None, 0, 1, 2**31 - 1]),
)
groups = st.lists(st.tuples(st.booleans(), st.lists(pairs, max_size=5)), max_size=6)


def packed(found: list[Pair]) -> tuple[np.ndarray, np.ndarray]:
    """Pairs as a compiled loop gives them."""
    text, rows = b"", []
    for url, caption, source, width in found:
        ends = len(text), len(text) + len(url), len(text) + len(url), len(text) + len(url) + len(caption.encode())
        rows.append([*ends, SOURCES.index(source), NO_PIXELS if width is None else width, 7, 0])
        text += (url + caption).encode()
    return np.frombuffer(text or b" ", np.uint8), np.array(rows, np.int32).reshape(-1, ROW_SIZE)


def by_columns(work: Work, limit: int | None) -> tuple[list[dict[str, object]], Counter[str]]:
    out, lost = Columns(limit), Counter[str]()
    for number, (in_rows, found) in enumerate(work):
        context: list[object] = [number if name == "source_offset" else None for name in REST]
        if in_rows:
            out.extend(*packed(found), context)
        else:
            for url, caption, source, width in found:
                out.add(url, caption, source, context, (width, 7))
        lost.update(out.losses())
    rows = out.table().select(["key", "url", "caption", "caption_source", "width", "height", "source_offset"])
    return rows.to_pylist(), lost


def one_by_one(work: Work, limit: int | None) -> tuple[list[dict[str, object]], Counter[str]]:
    rows: dict[str, dict[str, object]] = {}
    lost = Counter[str]()
    for number, (_, found) in enumerate(work):
        for url, caption, source, width in found:
            key = pair_key(url, caption)
            if "\ufffd" in caption or key in rows or len(rows) == limit:
                lost["bad_encoding" if "\ufffd" in caption else "same_key" if key in rows else "over_limit"] += 1
                continue
            rows[key] = {
                "key": key, "url": url, "caption": caption, "caption_source": source, "width": width, "height": 7,
                "source_offset": number,
            }  # fmt: skip
    return list(rows.values()), lost


@settings(max_examples=300)
@given(groups, st.sampled_from([None, 0, 1, 3, 100]))
def test_pairs_are_kept_as_if_gone_through_one_by_one(work: Work, limit: int | None) -> None:
    assert by_columns(work, limit) == one_by_one(work, limit)


def test_more_pairs_than_fit_in_a_batch_keep_their_order_and_their_contexts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_BATCH", 100)
    work: Work = [
        (n % 3 == 0, [(f"http://a.test/{n % 700}/{i}", "x", "alt", None) for i in range(7)]) for n in range(800)
    ]
    assert by_columns(work, None) == one_by_one(work, None)


def test_pages_without_a_new_pair_cost_no_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(columns, "_BATCH", 100)
    out = Columns()
    for _ in range(1_000):
        out.extend(*packed([("http://a.test/", "x", "alt", None)]), [None] * len(REST))
    assert len(out._contexts) <= 100
    assert out.table().num_rows == 1


def test_the_longest_pairs_fit() -> None:
    longest: list[Pair] = [("http://a.test/" + f"{i:x>4082}", "😀" * 2_000, "alt", None) for i in range(MOST_ROWS)]
    others: list[Pair] = [
        ("http://b.test/" + url[14:], caption, source, width) for url, caption, source, width in longest
    ]
    work: Work = [(True, longest), (False, others)]
    assert by_columns(work, None) == one_by_one(work, None)


def test_keys_whose_slots_are_taken_are_kept_when_the_table_grows() -> None:
    slots = np.zeros((8, 2), np.uint64)
    keys = [(5, 1), (13, 2), (5, 3), (0, 9)]
    for at, key in zip((5, 6, 7, 0), keys, strict=True):
        slots[at] = key
    larger = np.zeros((16, 2), np.uint64)
    keeping.rehash(slots, larger)
    assert {tuple(row) for row in larger.tolist()} - {(0, 0)} == set(keys)
    assert larger[13].tolist() == [13, 2]
