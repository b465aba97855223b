"""Repeated numbers against plain Python, with the filter and without it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup import repeats
from witbuild.dedup.repeats import contested, distinct, first_of_each, ranking, shared


@pytest.fixture(params=[0, 10**9], ids=["filtered", "sorted"], autouse=True, scope="module")
def filtered(request: pytest.FixtureRequest) -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(repeats, "_SMALL", request.param)
        yield


@given(st.lists(st.integers(0, 9), max_size=40))
def test_shared_rows_are_those_whose_band_is_not_alone(bands: list[int]) -> None:
    found = shared(np.array(bands, np.uint64))
    assert sorted(found.tolist()) == [i for i, band in enumerate(bands) if bands.count(band) > 1]


@given(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 4)), max_size=40))
def test_contested_rows_are_the_first_of_each_node_in_a_band_of_several_and_all_that_come_again(
    rows: list[tuple[int, int]],
) -> None:
    bands, nodes = (np.array([row[i] for row in rows], np.uint64) for i in (0, 1))
    of_several = {band for band, _ in rows if len({row for row in rows if row[0] == band}) > 1}
    expected = [rows.index(row) for row in sorted(set(rows)) if row[0] in of_several]
    found = contested(bands, nodes)
    assert found.apart.tolist() == expected
    again = [place for row in sorted(set(rows)) for place, other in enumerate(rows) if other == row]
    assert found.again.tolist() == [place for place in again if rows.count(rows[place]) > 1]


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9), max_size=60))
def test_the_first_of_each_is_pythons(values: list[int]) -> None:
    expected = sorted({value: row for row, value in reversed(list(enumerate(values)))}.values())
    assert first_of_each(np.array(values, np.uint64)).tolist() == expected


@given(st.lists(st.integers(0, 2**64 - 1) | st.integers(0, 9) | st.integers(2**63, 2**63 + 9), max_size=60))
def test_ranks_are_those_of_a_stable_sort_and_distinct_numbers_numpys(values: list[int]) -> None:
    numbers = np.array(values, np.uint64)
    assert ranking(numbers).tolist() == np.argsort(numbers, kind="stable").tolist()
    expected = np.unique(numbers, return_index=True, return_inverse=True)
    assert all((ours == theirs).all() for ours, theirs in zip(distinct(numbers), expected, strict=True))


def test_few_that_are_alone_pass_the_filter_and_all_that_are_not() -> None:
    random = np.random.default_rng(1)
    alone = random.integers(0, 2**64, 100_000, dtype=np.uint64)
    values = np.concatenate((alone, alone[:500]))
    perhaps = repeats._perhaps_shared(values, repeats._bits(repeats._PLACES * values.size))
    assert perhaps[:500].all()
    assert perhaps[100_000:].all()
    assert perhaps.mean() < 0.22
    assert Counter(values[shared(values)].tolist()) == dict.fromkeys(alone[:500].tolist(), 2)
