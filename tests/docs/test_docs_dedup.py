"""What docs/dedup.md says in numbers is so."""

from __future__ import annotations

import pytest

from witbuild.dedup.hamming import table_count
from witbuild.dedup.lsh import optimum, share_probability
from witbuild.dedup.shingles import shingle_one
from witbuild.dedup.vectors import bits_for, found_share


def similarity(one: list[str], two: list[str]) -> float:
    a, b = (shingle_one(" ".join(words), "words", 2) for words in (one, two))
    return len(a & b) / len(a | b)


@pytest.mark.parametrize("n", [5, 9, 14, 20])
def test_changes_to_a_short_caption_cost_what_the_table_says(n: int) -> None:
    words = [f"w{i}" for i in range(n)]
    assert similarity(words, [*words, "x"]) == (2 * n - 1) / (2 * n + 1)
    assert similarity(words, [*words[:2], "x", *words[2:]]) == (2 * n - 2) / (2 * n + 2)
    assert similarity(words, [*words[:2], "x", *words[3:]]) == (2 * n - 4) / (2 * n + 2)


def test_bands_find_what_the_text_says() -> None:
    assert optimum(0.8, 128) == (9, 13)
    assert [round(float(share_probability(s, 9, 13)), 2) for s in (0.8, 0.87, 0.93)] == [0.40, 0.80, 0.99]
    assert optimum(0.8, 128, 0.95) == (16, 8)
    assert [round(float(share_probability(s, 16, 8)), 3) for s in (0.8, 0.87)] == [0.947, 0.998]


def test_tables_of_planes_find_what_the_text_says() -> None:
    shares = [found_share(cosine, 64, bits) for cosine, bits in [(0.9, 14), (0.8, 14), (0.9, 23)]]
    assert [round(share, 4) for share in shares] == [0.9996, 0.9286, 0.8409]
    assert [bits_for(rows) for rows in (10**6, 4 * 10**8)] == [14, 23]


def test_tables_of_image_hashes() -> None:
    assert [table_count(d) for d in (3, 4, 6)] == [4, 15, 28]
