"""Languages of captions: real sentences, short ones, and text that no detector expects."""

from __future__ import annotations

from pathlib import Path

import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.text.langid import UNDETERMINED, is_one_of, language, languages

SENTENCES = {
    "en": "two children are playing with a red ball on the beach",
    "de": "zwei Kinder spielen am Strand mit einem roten Ball",
    "fr": "deux enfants jouent avec un ballon rouge sur la plage",
    "es": "dos niños juegan con una pelota roja en la playa",
    "it": "due bambini giocano con una palla rossa sulla spiaggia",
    "nl": "twee kinderen spelen met een rode bal op het strand",
    "ru": "двое детей играют с красным мячом на пляже",
    "el": "δύο παιδιά παίζουν με μια κόκκινη μπάλα στην παραλία",
    "ja": "二人の子供が海辺で赤いボールで遊んでいます",
    "ko": "두 아이가 해변에서 빨간 공을 가지고 놀고 있다",
    "zh": "两个孩子在海滩上玩红球",
    "he": "שני ילדים משחקים בכדור אדום על החוף",
    "th": "เด็กสองคนกำลังเล่นบอลสีแดงบนชายหาด",
}


@pytest.mark.parametrize(("tag", "text"), SENTENCES.items())
def test_a_sentence_is_known(tag: str, text: str) -> None:
    assert language(text) == tag


@pytest.mark.parametrize("text", ["", " ", "1234 - 56", "!!!", "\x00", "\ufffe", "IMG_0001"])
def test_what_is_no_language_is_undetermined_or_a_guess_and_never_an_error(text: str) -> None:
    assert language(text) == UNDETERMINED or language(text).isascii()


@given(st.text(alphabet=st.characters(codec=None), max_size=60))
def test_no_text_breaks_it(text: str) -> None:
    assert language(text)
    assert language(text) == language(text)


def test_controls_do_not_hide_a_language() -> None:
    assert language("\x01".join(SENTENCES["de"].split(" "))) == "de"


@pytest.mark.parametrize(
    ("tag", "wanted", "is_it"),
    [("zh-Hant", ["zh"], True), ("ZH", ["zh"], True), ("zh", ["zh-Hant"], False), ("de", ["en", "fr"], False)],
)
def test_dialects_belong_to_their_language(tag: str, wanted: list[str], is_it: bool) -> None:  # noqa: FBT001
    assert is_one_of(tag, wanted) is is_it


def test_real_alt_text_of_an_english_set_is_english(shared: Path) -> None:
    texts = pq.read_table(shared / "lists" / "laion_10000.parquet")["TEXT"].to_pylist()
    found = languages(text or "" for text in texts)
    assert found.count("en") > 0.99 * len(found)
