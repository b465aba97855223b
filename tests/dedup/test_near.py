"""Near hashes, held to comparing each with each."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.near import Near

HASHES = st.lists(st.integers(0, 2**64 - 1), max_size=12)


def flipped(value: int, bits: list[int]) -> int:
    for bit in bits:
        value ^= 1 << bit
    return value


def reference(known: list[int], value: int, distance: int) -> int:
    apart = [(one ^ value).bit_count() for one in known]
    return apart.index(min(apart)) if known and min(apart) <= distance else -1


@given(HASHES, st.lists(st.tuples(st.integers(0, 99), st.lists(st.integers(0, 63), max_size=7))), st.integers(0, 6))
def test_nearest_is_that_of_comparing_all(
    known: list[int], changes: list[tuple[int, list[int]]], distance: int
) -> None:
    wanted = [flipped(known[place % len(known)] if known else place, bits) for place, bits in changes]
    found = Near(np.array(known, np.uint64), distance=distance).nearest(np.array(wanted, np.uint64))
    assert found.tolist() == [reference(known, value, distance) for value in wanted]


@pytest.mark.parametrize("distance", range(7))
def test_the_last_bit_decides(distance: int) -> None:
    near = Near(np.array([0], np.uint64), distance=distance)
    values = np.array([2**distance - 1, 2 ** (distance + 1) - 1], np.uint64)
    assert near.nearest(values).tolist() == [0, -1]
