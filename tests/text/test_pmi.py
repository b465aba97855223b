"""Scores of bigrams, by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from witbuild.text.pmi import rank, scored

TOTAL = 1000
COUNTS = np.array([10, 10, 1])
WORDS = pa.table({"hash": pa.array([1, 2, 3], pa.uint64()), "word": ["ice", "cream", "the"], "count": [10, 20, 500]})


def hashes(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(values, np.uint64)


def test_pmi_is_the_logarithm_of_how_much_likelier_together() -> None:
    found = scored(WORDS, hashes(1, 3), hashes(2, 1), np.array([10, 5]), TOTAL)
    assert found.to_pylist() == [
        {"bigram": "ice cream", "count": 10, "pmi": pytest.approx(math.log2(10 * TOTAL / (10 * 20)))},
        {"bigram": "the ice", "count": 5, "pmi": pytest.approx(0.0)},
    ]


def test_a_bigram_of_a_word_that_is_not_known_is_left_out() -> None:
    found = scored(WORDS, hashes(1, 0, 9, 1), hashes(9, 1, 1, 2), np.array([1, 1, 1, 1]), TOTAL)
    assert found["bigram"].to_pylist() == ["ice cream"]


def test_no_words_no_bigrams() -> None:
    assert scored(WORDS.slice(0, 0), hashes(1), hashes(2), np.array([1]), TOTAL).num_rows == 0


def test_pmi_of_hapaxes_is_the_largest_there_is() -> None:
    words = pa.table({"hash": pa.array([1, 2], pa.uint64()), "word": ["a", "b"], "count": [1, 1]})
    found = scored(words, hashes(1), hashes(2), np.array([1]), 1 << 30)
    assert found["pmi"].to_pylist() == [30.0]


def test_each_way_to_rank() -> None:
    pmis = np.array([8.0, 4.0, 9.0])
    assert rank(pmis, COUNTS, TOTAL, "pmi").tolist() == [8.0, 4.0, 9.0]
    expected = [value / math.log2(TOTAL / count) for value, count in zip(pmis, COUNTS, strict=True)]
    assert rank(pmis, COUNTS, TOTAL, "npmi").tolist() == pytest.approx(expected)
    floor = 4.0 + 0.6 * (8.0 - 4.0)  # the 30th percentile of 4, 8, 9, between the first two
    weighed = [(count + 1) ** 0.7 * (value - floor) for value, count in zip(pmis, COUNTS, strict=True)]
    assert rank(pmis, COUNTS, TOTAL, "metaclip2").tolist() == pytest.approx(weighed)


def test_nothing_to_rank() -> None:
    assert rank(np.array([]), np.array([], np.int64), TOTAL, "metaclip2").tolist() == []
