"""Captions made comparable: the compiled loop against tokens joined by spaces."""

from __future__ import annotations

import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.folding import fold, fold_one
from witbuild.dedup.strings import arrow
from witbuild.text.tokens import tokens

ASCII = st.text(st.characters(max_codepoint=127), max_size=40)


@given(st.lists(ASCII | st.text(max_size=40), max_size=20))
def test_folding_a_column_is_folding_each(captions: list[str]) -> None:
    assert arrow(fold(pa.array(captions, pa.string()))).to_pylist() == [fold_one(caption) for caption in captions]


@given(ASCII)
def test_captions_of_the_same_tokens_are_one_text(caption: str) -> None:
    if tokens(caption):
        assert fold_one(caption) == fold_one(f"  {caption.upper()}... ") == " ".join(tokens(caption))


def test_captions_without_a_token_stay_apart() -> None:
    folded = arrow(fold(pa.array(["", "?", "?!", "🌅", "🌅  🌊"]))).to_pylist()
    assert folded == ["", "?", "?!", "🌅", "🌅 🌊"]


def test_very_long_and_no_captions() -> None:
    assert arrow(fold(pa.array([], pa.string()))).to_pylist() == []
    assert arrow(fold(pa.array(["A-" * 1000]))).to_pylist() == [" ".join("a" * 1000)]
