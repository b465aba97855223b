"""The rules of witbuild.text.tokens, one by one, and the laws of normal forms."""

from __future__ import annotations

import re
import sys
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.text.normalise import can_match, normalise
from witbuild.text.tokens import SEMANTICS, Semantics, query_tokens, tokens

EVERY_CHARACTER = [
    char for char in map(chr, range(sys.maxunicode + 1)) if unicodedata.category(char) not in {"Cn", "Co", "Cs"}
]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", ""),
        ("  a \t\n b  ", "a b"),
        ("snake_case-and/or (x) [y] {z}", "snake case and or x y z"),
        ("Don't don’t DON`T don´t donʼt", "don t don t don t don t don t"),
        ("O'Neill’s", "o neill s"),
        ("l'arbre", "l arbre"),
        ("U.S.A. 1,000.5 3D", "u s a 1 000 5 3d"),
        ("Straße STRASSE", "strasse strasse"),
        ("ΣΊΣΥΦΟΣ σίσυφος", "σίσυφοσ σίσυφοσ"),
        ("cafe\u0301 café", "café café"),
        ("soft\u00adhyphen zero\u200bwidth join\u200dner", "softhyphen zero width joinner"),
        ("I ❤️ NY 👩‍👩‍👧 1️⃣", "i ny 1"),
        ("हिन्दी में", "हिन्दी में"),
        ("می‌خواهم", "میخواهم"),
        ("كـتـاب", "كتاب"),
        ("東京タワー", "東 京 タ ワ ー"),
        ("iPhone手机", "iphone 手 机"),
        ("ภาษาไทย", "ภ า ษ า ไ ท ย"),
        ("ที่นี่", "ที่ นี่"),
        ("한국어 문장", "한국어 문장"),
        ("\u0301a", "a"),
        ("a\x00b\ufeffc", "a bc"),
    ],
)
def test_the_default_rules(text: str, expected: str) -> None:
    assert normalise(text) == expected


def test_canonical_equivalence_does_not_show() -> None:
    text = "Ångström ḍ̇ 가 が"
    assert tokens(unicodedata.normalize("NFD", text)) == tokens(unicodedata.normalize("NFC", text))


def test_exact_case_keeps_letters_and_agrees_when_folded() -> None:
    assert tokens("Turkey in TURKEY", "exact-case") == ["Turkey", "in", "TURKEY"]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", [""]),
        ("a,b", ["a", ",", "b"]),
        ("a, b", ["a", ",", "", "b"]),
        ("(a)-'b'", ["(a)-'b'"]),
        ("a\tb\nc\rd", ["a", "b", "c\rd"]),
        ("a  b", ["a", "", "b"]),
    ],
)
def test_the_metaclip_rules(text: str, expected: list[str]) -> None:
    assert tokens(text, "metaclip") == expected


@given(st.text(), st.sampled_from(SEMANTICS))
def test_a_normal_form_is_its_own_normal_form(text: str, semantics: Semantics) -> None:
    once = normalise(text, semantics)
    assert normalise(once, semantics) == once
    assert once.split(" ") == (query_tokens(text, semantics) or [""])


def test_every_character_has_a_stable_normal_form() -> None:
    unstable = [c for c in EVERY_CHARACTER for form in [normalise(f"x{c}y")] if normalise(form) != form]
    assert unstable == []


def test_case_pairs_agree() -> None:
    differing = [c for c in EVERY_CHARACTER if normalise(c.casefold()) != normalise(c)]
    assert differing == []


@given(st.text(alphabet="ab ,.`\t", max_size=6), st.lists(st.text(alphabet="ab ,.`\t", max_size=8), max_size=20))
def test_a_query_that_cannot_match_does_not(query: str, texts: list[str]) -> None:
    run = f" {query} "
    padded = [" " + " ".join(tokens(text, "metaclip")) + " " for text in texts]
    if query.strip() and any(run in text for text in padded):
        assert can_match(query, "metaclip")


@given(st.text(alphabet="ab ,.`", min_size=1, max_size=6))
def test_a_query_that_can_match_does_so_somewhere(query: str) -> None:
    if can_match(query, "metaclip"):
        text = query.replace(" ,", ",").replace(", ", ",")
        for mark in ".`":
            text = text.replace(f" {mark}", mark).replace(f"{mark} ", mark)
        assert f" {query} " in " " + " ".join(tokens(text, "metaclip")) + " "


def documented() -> list[tuple[str, str]]:
    """The rows of the table in docs/match.md that show tokens: (text, tokens)."""
    text = (Path(__file__).parents[2] / "docs" / "match.md").read_text(encoding="utf-8")
    table = text.partition("| text | tokens |")[2].partition("\n\n")[0]
    rows = [line.split(" | ") for line in table.splitlines()[2:]]
    return [(shown, cut) for texts, cuts, _ in rows for shown, cut in paired(texts.removeprefix("| "), cuts)]


def paired(texts: str, cuts: str) -> list[tuple[str, str]]:
    shown, cut = re.findall("`([^`]+)`", texts), cuts.split(" / ")
    return list(zip(shown, cut * len(shown) if len(cut) == 1 else cut, strict=len(cut) > 1))


@pytest.mark.parametrize(("text", "expected"), documented())
def test_the_documented_examples(text: str, expected: str) -> None:
    assert " · ".join(tokens(text)) == expected
