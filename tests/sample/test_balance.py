"""The balance against references of a few lines, for every mode, and what its results promise."""

from __future__ import annotations

from collections import Counter
from itertools import accumulate

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.balanced import reference
from witbuild.sample.balance import (
    Cuts,
    Matches,
    Quota,
    Strict,
    charged,
    independent_cuts,
    rank,
)
from witbuild.sample.coins import about
from witbuild.sample.limits import expected_independent, kept_by_quota, limit_for_pairs, limit_for_tail, tail_share
from witbuild.sample.verdict import Queries, kept, pair_coins
from witbuild.text.keys import pair_key

QUERIES = 8
HASHES = np.arange(QUERIES, dtype=np.uint64) * np.uint64(0x9E3779B97F4A7C15) + np.uint64(5)
LISTS = st.lists(st.frozensets(st.integers(0, QUERIES - 1), max_size=4).map(sorted), max_size=30)
SEED = st.integers(0, 3)
LIMIT = st.integers(1, 8)
Lists = list[list[int]]


def keys_of(lists: Lists) -> pa.ChunkedArray:
    return pa.chunked_array([pa.array([pair_key(f"http://a.test/{i}", "") for i in range(len(lists))], pa.string())])


def matches_of(lists: Lists) -> Matches:
    offsets = np.array([0, *accumulate(map(len, lists))], np.int64)
    return Matches(offsets, np.array([one for ids in lists for one in ids], np.int32))


def counts_of(lists: Lists) -> np.ndarray:
    return np.bincount(matches_of(lists).ids, minlength=QUERIES)


def balanced(mode: str, lists: Lists, limit: int, seed: int) -> list[bool]:
    """The same by cuts."""
    matches, counts, thrown = matches_of(lists), counts_of(lists), pair_coins(keys_of(lists), seed)
    ranks = rank(counts, HASHES)
    cuts = {"independent": independent_cuts, "quota": quota_cuts, "strict": strict_cuts}[mode]
    arguments = (counts, limit) if mode == "independent" else (thrown, matches, ranks, limit)
    found = kept(mode, thrown, matches, Queries(cuts(*arguments), HASHES, ranks))  # type: ignore[arg-type,operator]
    flags: list[bool] = found.tolist()
    return flags


def quota_cuts(thrown: np.ndarray, matches: Matches, ranks: np.ndarray, limit: int) -> Cuts:
    queries = charged(matches, ranks)
    some = np.flatnonzero(queries >= 0)
    quota = Quota(QUERIES, limit)
    for batch in np.array_split(some, 3):
        quota.add(queries[batch], about(thrown[batch], HASHES[queries[batch]]))
    return quota.cuts()


def strict_cuts(thrown: np.ndarray, matches: Matches, ranks: np.ndarray, limit: int) -> Cuts:
    lists = np.split(matches.ids, matches.offsets[1:-1]) if thrown.size else []
    strict = Strict(QUERIES, limit)
    for batch in np.array_split(np.argsort(thrown), 3):
        strict.add(thrown[batch], matches_of([lists[i].tolist() for i in batch]))
    return strict.cuts()


@pytest.mark.parametrize("mode", ["independent", "quota", "strict"])
@given(lists=LISTS, limit=LIMIT, seed=SEED)
def test_every_mode_is_its_reference(mode: str, lists: Lists, limit: int, seed: int) -> None:
    assert balanced(mode, lists, limit, seed) == reference(
        mode, keys_of(lists).to_pylist(), lists, HASHES, limit=limit, seed=seed
    )


@pytest.mark.parametrize("mode", ["independent", "quota"])
@given(lists=LISTS, limit=LIMIT, more=LIMIT, seed=SEED)
def test_a_larger_limit_keeps_a_superset(mode: str, lists: Lists, limit: int, more: int, seed: int) -> None:
    small, large = balanced(mode, lists, limit, seed), balanced(mode, lists, limit + more, seed)
    assert all(big or not little for little, big in zip(small, large, strict=True))


def test_a_larger_limit_may_lose_a_pair_in_strict_mode() -> None:
    """With room for two, the third and fourth pair fill the query that the fifth would have had."""
    lists = [[2], [0], [0, 1], [1, 2], [1]]
    coins = np.arange(1, 6, dtype=np.uint64)
    stay = []
    for limit in (1, 2):
        strict = Strict(QUERIES, limit)
        strict.add(coins, matches_of(lists))
        passes = strict.cuts().passes
        stay.append([bool(passes(np.array(ids), coins[[i] * len(ids)]).all()) for i, ids in enumerate(lists)])
    assert stay == [[True, True, False, False, True], [True, True, True, True, False]]


@given(LISTS, LIMIT, SEED)
def test_quota_keeps_exactly_the_sum_of_the_quotas(lists: Lists, limit: int, seed: int) -> None:
    queries = charged(matches_of(lists), rank(counts_of(lists), HASHES))
    charges = np.bincount(queries[queries >= 0], minlength=QUERIES)
    assert sum(balanced("quota", lists, limit, seed)) == kept_by_quota(charges, limit)


@given(LISTS, LIMIT, SEED)
def test_strict_lets_no_query_occur_more_often_and_leaves_no_room(lists: Lists, limit: int, seed: int) -> None:
    stay = balanced("strict", lists, limit, seed)
    after = Counter(query for ids, kept in zip(lists, stay, strict=True) if kept for query in ids)
    assert max(after.values(), default=0) <= limit
    assert all(any(after[q] == limit for q in ids) for ids, kept in zip(lists, stay, strict=True) if ids and not kept)


@given(LISTS, LIMIT, SEED)
def test_the_tail_is_untouched(lists: Lists, limit: int, seed: int) -> None:
    counts = counts_of(lists)
    for mode in ("independent", "quota"):
        stay = balanced(mode, lists, limit, seed)
        assert all(stay[i] for i, ids in enumerate(lists) if any(counts[q] <= limit for q in ids))
    stay = balanced("strict", lists, limit, seed)
    assert all(stay[i] for i, ids in enumerate(lists) if ids and all(counts[q] <= limit for q in ids))


def test_independent_keeps_as_many_as_its_formula_says() -> None:
    """Over 100 seeds, within three sigma of the mean; the variance of a sum of draws is at most its mean."""
    random = np.random.default_rng(0)
    lists = [sorted(set(random.zipf(1.5, 3).clip(max=QUERIES).tolist())) for _ in range(300)]
    lists = [[query - 1 for query in ids] for ids in lists]
    expected = expected_independent([matches_of(lists)], counts_of(lists), 20)
    found = np.mean([sum(balanced("independent", lists, 20, seed)) for seed in range(100)])
    assert abs(found - expected) < 3 * (expected / 100) ** 0.5


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.integers(1, 200))
def test_the_limit_for_a_target_is_the_largest_that_keeps_no_more(values: list[int], target: int) -> None:
    charges = np.array(values)
    limit = limit_for_pairs(charges, target)
    assert limit == 1 or kept_by_quota(charges, limit) <= target
    assert limit >= charges.max() or kept_by_quota(charges, limit + 1) > target


@given(st.lists(st.integers(0, 30), min_size=1, max_size=12), st.sampled_from([0.06, 0.25, 0.5, 0.9]))
def test_the_limit_for_a_tail_share_is_the_largest_that_holds_no_more(values: list[int], share: float) -> None:
    counts = np.array(values)
    limit = limit_for_tail(counts, share)
    assert limit == 1 or tail_share(counts, limit) <= share + 1e-9
    assert limit >= counts.max() or tail_share(counts, limit + 1) > share - 1e-9


def test_pairs_of_one_coin_stay_or_go_together() -> None:
    same = np.array([4, 4, 9], np.uint64)
    quota = Quota(1, limit=1)
    quota.add(np.zeros(3, np.int64), same)
    assert quota.cuts().passes(np.zeros(3, np.int64), same).tolist() == [False, False, False]
    strict = Strict(1, limit=2)
    strict.add(same, matches_of([[0], [0], [0]]))
    assert strict.cuts().passes(np.zeros(3, np.int64), same).tolist() == [True, True, False]
