"""Scores of bigrams, by hand."""

from __future__ import annotations

import math

import numpy as np
import pyarrow as pa
import pytest

from witbuild.text.pmi import bigram_texts, counts_of, pmi, rank

TOTAL = 1000
COUNTS = np.array([10, 10, 1])
WORDS = pa.table({"hash": pa.array([1, 2, 3], pa.uint64()), "word": ["ice", "cream", "the"], "count": [10, 20, 500]})


def hashes(*values: int) -> np.ndarray[tuple[int], np.dtype[np.uint64]]:
    return np.array(values, np.uint64)


def test_pmi_is_the_logarithm_of_how_much_likelier_together() -> None:
    found = pmi(np.array([10, 5]), np.array([10, 500]), np.array([20, 10]), TOTAL)
    assert found.tolist() == pytest.approx([math.log2(10 * TOTAL / (10 * 20)), 0.0])


def test_counts_and_texts_come_from_whichever_part_holds_the_word() -> None:
    parts = [WORDS.take([2]), WORDS.slice(0, 0), WORDS.take([1, 0])]
    assert counts_of(hashes(0, 1, 2, 9), parts).tolist() == [0, 10, 20, 0]
    assert bigram_texts(hashes(1, 3, 1), hashes(2, 1, 1), parts).to_pylist() == ["ice cream", "the ice", "ice ice"]


def test_no_words_no_bigrams() -> None:
    assert counts_of(hashes(), []).tolist() == []
    assert bigram_texts(hashes(), hashes(), [WORDS]).to_pylist() == []


def test_pmi_of_hapaxes_is_the_largest_there_is() -> None:
    one = np.array([1])
    assert pmi(one, one, one, 1 << 30).tolist() == [30.0]


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
