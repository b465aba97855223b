"""Markup: what goes in as text comes out as text, never as markup."""

from __future__ import annotations

from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.report.markup import Markup, element, escape, join

PRINTABLE = st.text(st.characters(exclude_categories=["Cs", "Cc", "Cn"]), max_size=40)


class Seen(HTMLParser):
    """Collects what a browser would see."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_data(self, data: str) -> None:
        self.text += data


def seen(markup: str) -> Seen:
    parser = Seen()
    parser.feed(markup)
    parser.close()
    return parser


@given(PRINTABLE, PRINTABLE)
def test_texts_and_attributes_survive_and_stay_texts(text: str, value: str) -> None:
    found = seen(element("p", text, element("b", text), title=value))
    assert found.tags == [("p", {"title": value}), ("b", {})]
    assert found.text == text + text


@given(st.text())
def test_anything_can_be_encoded_and_holds_no_control_characters(text: str) -> None:
    escaped = escape(text)
    escaped.encode()
    assert not any(ord(character) < 32 and character not in "\t\n\r" for character in escaped)


def test_markup_is_not_escaped_twice_and_text_always_once() -> None:
    assert join(element("b", "<"), "<", Markup("<hr>"), 1234, None, ["&", [element("br")]]) == (
        "<b>&lt;</b>&lt;<hr>1,234&amp;<br/>"
    )


@pytest.mark.parametrize("unsafe", ["a" + Markup("<b>"), Markup("<b>").lower(), f"{Markup('<b>')}"])
def test_markup_that_was_mixed_with_text_is_text(unsafe: str) -> None:
    assert "<" not in join(unsafe)
