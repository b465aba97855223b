"""The hash of a text's numbers against plain Python."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.digits import number_hash_one, number_hashes
from witbuild.dedup.strings import strings

TEXTS = st.lists(st.text("01278 ax٣", max_size=12) | st.text(max_size=12), max_size=8)


@given(TEXTS)
def test_numbers_are_those_of_plain_python(texts: list[str]) -> None:
    found = number_hashes(strings(pa.array(texts, pa.string()))).tolist()
    assert found == [number_hash_one(text) for text in texts]


def test_what_differs_in_a_number_differs_and_what_does_not_does_not() -> None:
    texts = ["ctp2517", "ctp2518", "18x27", "27 by 18", "1 1", "1", "11", "", "1 1 1"]
    hashes = [number_hash_one(text) for text in texts]
    assert hashes[2] == hashes[3]
    assert hashes[7] == 0
    assert len(set(hashes)) == len(texts) - 1
