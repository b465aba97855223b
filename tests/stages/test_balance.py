"""The stage against the reference, over any parts, slices, order, workers and numbering of the queries."""

from __future__ import annotations

import tempfile
from collections import Counter
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.balanced import reference
from tests.global_steps import Row, deal, dropped, kept, pair, play, table
from witbuild.dedup.strings import hash_strings, strings
from witbuild.errors import InputError
from witbuild.sample.balance import Mode
from witbuild.stages.balance import Balance

QUERIES = ["dog", "red dog", "sky", "blue", "a", "of", "tree", "zebra"]
MODES: list[Mode] = ["quota", "independent", "strict"]
LISTS = st.lists(st.frozensets(st.integers(0, 6), max_size=4).map(sorted), min_size=1, max_size=25)


def rows_of(lists: list[list[int]]) -> list[Row]:
    return [pair(f"http://a.test/{i}", "", query_ids=ids) for i, ids in enumerate(lists)]


def expected(rows: list[Row], stage: Balance, queries: list[str] = QUERIES) -> list[str]:
    hashes = hash_strings(strings(pa.array(queries)))
    keys, lists = [row["key"] for row in rows], [row["query_ids"] or [] for row in rows]
    flags = reference(stage.mode, keys, lists, hashes, limit=stage.limit, seed=stage.seed)
    return sorted(key for key, stays in zip(keys, flags, strict=True) if stays)


def run_on(
    rows: list[Row], stage: Balance, parts: int = 1, *, workers: int = 1, queries: list[str] = QUERIES
) -> list[str]:
    with tempfile.TemporaryDirectory() as folder:
        return kept(play(Path(folder), stage, deal(rows, parts), workers=workers, queries=queries))


@pytest.mark.parametrize("mode", MODES)
@settings(max_examples=10)
@given(LISTS, st.integers(1, 6), st.tuples(st.integers(1, 3), st.integers(1, 4)), st.randoms())
def test_the_kept_are_those_of_the_reference(
    mode: Mode, lists: list[list[int]], limit: int, cuts: tuple[int, int], order: Random
) -> None:
    rows = [*rows_of(lists), pair("http://b.test/", "", query_ids=[7])]
    order.shuffle(rows)
    stage = Balance(mode=mode, limit=limit, slices=cuts[1], seed=5)
    assert run_on(rows, stage, min(cuts[0], len(rows))) == expected(rows, stage)


def crowd(count: int) -> list[Row]:
    """Pairs whose queries are as unequal as words are."""
    random = Random(2)
    return rows_of([sorted({min(int(random.paretovariate(0.7)), 8) - 1 for _ in range(3)}) for _ in range(count)])


@pytest.mark.parametrize("mode", MODES)
def test_parts_slices_order_and_workers_change_nothing(mode: Mode) -> None:
    rows = crowd(300)
    one = run_on(rows, Balance(mode=mode, limit=20))
    assert run_on(rows[::-1], Balance(mode=mode, limit=20, slices=3), parts=5) == one
    assert run_on(Random(1).sample(rows, 300), Balance(mode=mode, limit=20, slices=1), parts=2, workers=2) == one


@pytest.mark.parametrize("mode", MODES)
def test_the_numbers_of_queries_change_nothing(mode: Mode) -> None:
    """Coins go by a query's text, so a list that is put in another order keeps the same pairs."""
    rows = crowd(200)
    turned = [{**row, "query_ids": sorted(7 - query for query in row["query_ids"])} for row in rows]
    stage = Balance(mode=mode, limit=15)
    assert run_on(turned, stage, queries=QUERIES[::-1]) == run_on(rows, stage)


def test_one_pair_more_displaces_at_most_one_under_a_quota() -> None:
    lists = [[0]] * 60 + [[1]] * 40
    rows, more = rows_of(lists), rows_of([*lists, [0]])
    before, after = (set(run_on(some, Balance(limit=30))) for some in (rows, more))
    assert len(before) == len(after) == 60
    assert len(before - after) <= 1


def test_seeds_choose_others() -> None:
    rows = crowd(200)
    assert run_on(rows, Balance(limit=10, seed=1)) != run_on(rows, Balance(limit=10, seed=2))


@pytest.mark.parametrize("mode", MODES)
def test_the_curve_says_what_became_of_each_query(mode: Mode, tmp_path: Path) -> None:
    rows = crowd(300)
    run = play(tmp_path, Balance(mode=mode, limit=20, slices=4), deal(rows, 3), queries=QUERIES)
    stayed = set(kept(run))
    before = Counter(query for row in rows for query in row["query_ids"])
    after = Counter(query for row in rows if row["key"] in stayed for query in row["query_ids"])
    curve = {row["query_id"]: row for row in table(run, "curve").to_pylist()}
    assert {query: row["before"] for query, row in curve.items()} == dict(before)
    assert {query: row["after"] for query, row in curve.items() if row["after"]} == dict(after)
    assert sum(row["charged"] for row in curve.values()) == 300
    assert all(row["quota"] == min(row["charged"], 20) for row in curve.values())
    if mode == "quota":
        assert len(stayed) == sum(row["quota"] for row in curve.values())
    if mode == "strict":
        assert max(after.values()) == 20


def test_a_target_chooses_the_limit() -> None:
    rows = crowd(300)
    assert 92 <= len(run_on(rows, Balance(target_pairs=100))) <= 100
    assert run_on(rows, Balance(target_pairs=10_000)) == sorted(row["key"] for row in rows)
    counts = Counter(query for row in rows for query in row["query_ids"])
    limit = max(n for n in counts.values() if sum(m for m in counts.values() if m <= n) <= 0.3 * counts.total())
    assert len(run_on(rows, Balance(tail_share=0.3))) >= len(run_on(rows, Balance(limit=limit)))


def test_pairs_without_a_query_are_dropped_as_such(tmp_path: Path) -> None:
    rows = [*rows_of([[0], []]), pair("http://b.test/", "", query_ids=None)]
    run = play(tmp_path, Balance(limit=1), [rows], queries=QUERIES)
    assert dict(dropped(run)) == {"no_query": 2}


def test_unmatched_pairs_and_another_query_list_are_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="put the stage match before balance"):
        play(tmp_path / "a", Balance(), [[pair("http://a.test/", "a dog")]], queries=QUERIES)
    with pytest.raises(InputError, match="matches query 9, the list has 8"):
        play(tmp_path / "b", Balance(), [rows_of([[9]])], queries=QUERIES)


WRONG: list[dict[str, Any]] = [
    {"limit": 0},
    {"mode": "hard"},
    {"target_pairs": 5, "tail_share": 0.1},
    {"target_pairs": 5, "mode": "strict"},
    {"tail_share": 1.0},
]


@pytest.mark.parametrize("wrong", WRONG)
def test_senseless_parameters_are_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValidationError):
        Balance(**wrong)
