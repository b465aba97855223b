"""Every pair within the distance shares a table key; near_pairs finds all of a bucket."""

from __future__ import annotations

import time
from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup import hamming
from witbuild.dedup.hamming import MAX_DISTANCE, bits, near_pairs, table_count, table_keys, table_masks

HASH = st.integers(0, 2**64 - 1)


@given(HASH)
def test_bits_are_counted(value: int) -> None:
    assert bits(np.uint64(value)) == value.bit_count()


@given(HASH, st.sets(st.integers(0, 63), max_size=MAX_DISTANCE), st.integers(0, MAX_DISTANCE))
def test_near_hashes_share_a_table(value: int, flips: set[int], distance: int) -> None:
    other = value ^ sum(1 << flip for flip in flips)
    keys = table_keys(np.array([value, other], np.uint64), distance)
    if len(flips) <= distance:
        assert (keys[0] == keys[1]).any()


@pytest.mark.parametrize("distance", range(MAX_DISTANCE + 1))
def test_keys_are_wide_and_no_two_tables_look_at_the_same_bits(distance: int) -> None:
    masks = table_masks(distance)
    assert len(set(masks)) == len(masks) == table_count(distance)
    assert all(mask.bit_count() >= 16 for mask in masks)


@pytest.mark.parametrize("distance", range(MAX_DISTANCE + 1))
def test_a_large_bucket_is_indexed_and_nothing_is_missed(distance: int, monkeypatch: pytest.MonkeyPatch) -> None:
    draw = np.random.default_rng(distance)
    hashes = draw.integers(0, 2**48, 400, np.uint64)  # they share a block, as in a bucket
    flips = np.uint64(1) << draw.integers(0, 64, (400, 5), np.uint64)
    hashes = np.concatenate([hashes, hashes, *(hashes ^ np.bitwise_xor.reduce(flips[:, :n], 1) for n in range(1, 6))])
    each_with_each = near_pairs(hashes, distance)
    monkeypatch.setattr(hamming, "_SORTING", 0)
    assert len(each_with_each) >= 400 * (1 + distance)
    assert np.array_equal(near_pairs(hashes, distance), each_with_each)


def test_a_bucket_of_many_hashes_is_not_compared_pair_by_pair() -> None:
    near_pairs(np.arange(9_000, dtype=np.uint64) << np.uint64(20), 0)
    hashes = np.random.default_rng(1).integers(0, 2**48, 200_000, np.uint64)
    start = time.process_time()
    near_pairs(hashes, 3)
    assert time.process_time() - start < 8, "each with each takes 25 s"


@given(st.lists(st.integers(0, 255), max_size=40), st.integers(0, 3))
def test_near_pairs_are_all_pairs_within_the_distance(values: list[int], distance: int) -> None:
    found = near_pairs(np.array(values, np.uint64), distance)
    expected = [
        (i, j) for i, j in combinations(range(len(values)), 2) if (values[i] ^ values[j]).bit_count() <= distance
    ]
    assert [tuple(pair) for pair in found.tolist()] == expected
