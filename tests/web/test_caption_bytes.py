"""Captions by a compiled loop: what the regular expression makes of them."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from witbuild.web import caption, caption_bytes

NASTY = st.sampled_from(
    "a \t\n\x00\x1b\x1c\x1f\x7f\x80\x85\x9f\xa0\xad\u061c\u1680\u200a\u200d\u200e\u2028\u202e\u3000\ufdd0\ufeff"
)


def test_every_character() -> None:
    codes = [code for code in range(0x110000) if not 0xD800 <= code < 0xE000]
    for first in range(0, len(codes), 256):
        text = "".join(f"a{chr(code)}b {chr(code)}" for code in codes[first : first + 256] if code != 0xFFFD)
        for part in (text[start : start + 400] for start in range(0, len(text), 400)):
            assert caption_bytes.clean(part) == (caption.clean(part), False), first


@given(st.text(NASTY | st.characters(exclude_categories=["Cs"]), max_size=50))
def test_any_text(text: str) -> None:
    assert caption_bytes.clean(text) == (caption.clean(text), "\N{REPLACEMENT CHARACTER}" in text)


def test_long_texts_are_left_to_the_other() -> None:
    assert caption_bytes.clean("ä" * 1_000) == ("ä" * 1_000, False)
    assert caption_bytes.clean("ä" * 1_001) is None
