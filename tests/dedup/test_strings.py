"""Buffers and hashes against xxhash."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.strings import arrow, hash_strings, strings

TEXTS = st.lists(st.text(max_size=80) | st.none(), max_size=20)


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_hashes_are_those_of_xxhash(values: list[bytes]) -> None:
    hashes = hash_strings(strings(pa.array(values, pa.binary())))
    assert hashes.tolist() == [xxhash.xxh64_intdigest(value) for value in values]


def test_hashes_of_every_length_of_tail_and_stripe() -> None:
    values = [bytes(range(n)) for n in range(200)]
    assert hash_strings(strings(pa.array(values))).tolist() == [xxhash.xxh64_intdigest(value) for value in values]


@given(TEXTS, st.integers(0, 10), st.integers(0, 10))
def test_buffers_hold_what_the_column_holds_sliced_and_chunked_too(
    texts: list[str | None], skip: int, split: int
) -> None:
    column = pa.chunked_array([pa.array(texts[:split], pa.string()), pa.array(texts[split:], pa.string())])[skip:]
    assert arrow(strings(column)).to_pylist() == [text or "" for text in texts[skip:]]
    assert strings(column).offsets.dtype == np.int64
