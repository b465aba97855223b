"""Every pair within the distance shares a table key; near_pairs finds all of a bucket."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

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


@given(st.lists(st.integers(0, 255), max_size=40), st.integers(0, 3))
def test_near_pairs_are_all_pairs_within_the_distance(values: list[int], distance: int) -> None:
    found = near_pairs(np.array(values, np.uint64), distance)
    expected = [
        (i, j) for i, j in combinations(range(len(values)), 2) if (values[i] ^ values[j]).bit_count() <= distance
    ]
    assert [tuple(pair) for pair in found.tolist()] == expected
