"""Buffers and hashes against xxhash."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import xxhash
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.minhash import _piecewise
from witbuild.dedup.strings import arrow, hash_strings, piecewise, strings

TEXTS = st.lists(st.text(max_size=80) | st.none(), max_size=20)


@given(st.lists(st.binary(max_size=100), max_size=20))
def test_hashes_are_those_of_xxhash(values: list[bytes]) -> None:
    hashes = hash_strings(strings(pa.array(values, pa.binary())))
    assert hashes.tolist() == [xxhash.xxh64_intdigest(value) for value in values]


def test_hashes_of_every_length_of_tail_and_stripe() -> None:
    values = [bytes(range(n)) for n in range(200)]
    assert hash_strings(strings(pa.array(values))).tolist() == [xxhash.xxh64_intdigest(value) for value in values]


@given(st.binary(max_size=30), st.binary(max_size=9))
def test_hashes_by_pieces_are_those_of_plain_python_and_read_nothing_behind(text: bytes, behind: bytes) -> None:
    data = np.frombuffer(text + behind, np.uint8)
    assert int(piecewise(data, 0, len(text))) == _piecewise(text)


@given(st.sets(st.binary(max_size=7), max_size=50))
def test_short_texts_never_have_the_same_hash(texts: set[bytes]) -> None:
    assert len({_piecewise(text) for text in texts | {b"a", b"a\0", b"a\1", b""}}) == len(
        texts | {b"a", b"a\0", b"a\1", b""}
    )


@given(TEXTS, st.integers(0, 10), st.integers(0, 10))
def test_buffers_hold_what_the_column_holds_sliced_and_chunked_too(
    texts: list[str | None], skip: int, split: int
) -> None:
    column = pa.chunked_array([pa.array(texts[:split], pa.string()), pa.array(texts[split:], pa.string())])[skip:]
    assert arrow(strings(column)).to_pylist() == [text or "" for text in texts[skip:]]
    assert strings(column).offsets.dtype == np.int64
