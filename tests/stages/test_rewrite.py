"""The stage `rewrite`: RedCaps' captions against their definition, and what follows from another caption."""

from __future__ import annotations

import re
import unicodedata

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.global_steps import pair
from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.stage import Part, Task
from witbuild.stages.rewrite import Rewrite
from witbuild.text.keys import pair_key

REDCAPS = Rewrite(brackets=True, resolutions=True, handles="<usr>", lower_case=True, ascii=True)
PIECES = [
    "[OC]",
    "(",
    ")",
    "[",
    "]",
    " ",
    "Dog",
    "é",
    "@some.one",
    "800x600",
    "12 × 4",
    "3",
    "x",
    "日本",
    "😀",
    "@",
    "px",
]
TEXTS = st.lists(st.sampled_from(PIECES), max_size=8).map("".join)


def rewrite(stage: Rewrite, *captions: str) -> list[str]:
    found = stage.rewritten(pa.chunked_array([captions], pa.string()))
    return list(found.to_pylist())


def redcaps(text: str) -> str:
    """The five changes, one after the other, in Python's own words."""
    text = " ".join(re.sub(r"[(\[][^)\]]*[)\]]", " ", text).split())
    text = " ".join(re.sub(r"(?i)[0-9]+\s*[x×*]\s*[0-9]+(\s*(px|pixels))?", " ", text).split())
    text = re.sub(r"@[\w.]+", "<usr>", text).lower()
    return " ".join("".join(char for char in unicodedata.normalize("NFKD", text) if char.isascii()).split())


@given(st.lists(TEXTS, min_size=1, max_size=5))
def test_captions_become_those_of_redcaps(texts: list[str]) -> None:
    assert rewrite(REDCAPS, *texts) == [redcaps(text) for text in texts]


@given(st.text(alphabet=st.characters(exclude_categories=["Cs"]), max_size=30))
def test_any_text_can_be_rewritten(text: str) -> None:
    (found,) = rewrite(REDCAPS, text)
    assert found.isascii() and found == " ".join(found.split(" ")).strip()


def test_phrases_go_as_whole_words() -> None:
    stage = Rewrite(phrases=("thumbnail for", "Image for", "a.b"))
    texts = ["Thumbnail for a dog", "image for image formats", "a.b axb", "nothumbnail for it"]
    assert rewrite(stage, *texts) == ["a dog", "image formats", "axb", "nothumbnail for it"]


def test_a_stand_in_is_no_pattern() -> None:
    assert rewrite(Rewrite(handles=r"\0"), "by @me") == [r"by \0"]


def apply(*rows: dict[str, object]) -> Part:
    return REDCAPS.apply(tables.from_rows(rows, PAIRS), Task(0, {}))


def test_another_caption_has_another_key_and_no_matches_or_score() -> None:
    known = {"query_ids": [1], "clip_score": 0.5, "language": "en"}
    part = apply(pair("http://a.test/1", "A dog [OC]", **known), pair("http://a.test/2", "a dog", **known))
    changed, same = part.table.to_pylist()
    assert (changed["caption"], changed["key"]) == ("a dog", pair_key("http://a.test/1", "a dog"))
    assert (changed["query_ids"], changed["clip_score"], changed["language"]) == (None, None, "en")
    assert (same["key"], same["query_ids"], same["clip_score"]) == (pair_key("http://a.test/2", "a dog"), [1], 0.5)
    assert part.table.schema == PAIRS


def test_a_caption_that_is_nothing_but_brackets_costs_its_pair() -> None:
    part = apply(pair("http://a.test/1", "(OC)"), pair("http://a.test/2", "dog"), pair("http://a.test/3", "日本"))
    assert part.table["caption"].to_pylist() == ["dog"]
    assert part.dropped == {"no_caption": 2}
    assert apply().table.num_rows == 0


def test_nothing_to_do_is_refused() -> None:
    with pytest.raises(ValidationError, match="nothing to do; give at least one of brackets"):
        Rewrite()
