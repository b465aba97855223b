"""The small readers under HTML: captions, encodings, srcset, rights, costs."""

from __future__ import annotations

import time
import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web import caption, charset, cost, http, rights, srcset

MEGABYTE = 1_000_000
SURROGATES = st.text(st.characters(exclude_categories=()), max_size=200)


@given(SURROGATES)
def test_a_caption_is_one_clean_line(text: str) -> None:
    clean = caption.clean(text)
    assert len(clean) <= caption.MAX_CHARACTERS
    assert clean == " ".join(clean.split())
    assert not any(unicodedata.category(character) in ("Cc", "Cs") for character in clean)
    assert not any(unicodedata.bidirectional(character) in ("LRE", "RLE", "LRO", "RLO", "PDF") for character in clean)
    clean.encode()


@given(SURROGATES)
def test_a_clean_caption_stays_as_it_is(text: str) -> None:
    clean = caption.clean(text)
    assert caption.clean(clean) == clean


@pytest.mark.parametrize("text", ["عربي", "نمی‌خواهم", "👩‍👩‍👧", "naïve", "東京", "a\u00a0b".replace("\u00a0", " ")])
def test_languages_pass(text: str) -> None:
    assert caption.clean(text) == text


@pytest.mark.parametrize(
    ("body", "content_type", "text"),
    [
        ("é".encode("cp1252"), "", "é"),
        ("é".encode(), "", "é"),
        ("é".encode(), "text/html; charset=iso-8859-1", "é"),
        ("é".encode("cp1252"), "text/html; charset=utf-8", "\ufffd"),
        ("日本".encode("shift_jis"), "text/html; charset=Shift_JIS", "日本"),
        ("日本".encode("iso2022_jp"), "text/html;charset=iso-2022-jp", "日本"),
        ("中文".encode("gb18030"), 'text/html; charset="GB2312"', "中文"),
        ("привет".encode("cp1251"), "text/html; charset=windows-1251", "привет"),
        ("é".encode("utf-8-sig"), "text/html; charset=windows-1251", "é"),
        ("é".encode("utf-16"), "", "é"),
        (b"abc", "text/html; charset=utf-7", "abc"),
        (b"abc", "text/html; charset=no-such-thing", "abc"),
        (b"abc", "text/html; charset=hex", "abc"),
    ],
)
def test_encodings(body: bytes, content_type: str, text: str) -> None:
    assert charset.decode(body, content_type) == text


def test_a_meta_tag_declares_the_encoding() -> None:
    body = '<meta http-equiv="Content-Type" content="text/html; charset=windows-1251">привет'.encode("cp1251")
    assert charset.decode(body).endswith("привет")


@given(st.binary(max_size=200), st.text(max_size=50))
def test_any_bytes_have_a_text(body: bytes, content_type: str) -> None:
    charset.decode(body, "text/html; charset=" + content_type).encode()


@pytest.mark.parametrize(
    ("value", "candidates"),
    [
        ("a.jpg", [("a.jpg", 1.0)]),
        ("a.jpg,b.jpg 2x", [("a.jpg,b.jpg", 2.0)]),
        ("a.jpg, b.jpg 2x", [("a.jpg", 1.0), ("b.jpg", 2.0)]),
        ("a.jpg 1.5x,b.jpg 100w 50h", [("a.jpg", 1.5), ("b.jpg", 100.0)]),
        ("a.jpg (x, y) 3x, b.jpg", [("a.jpg", 3.0), ("b.jpg", 1.0)]),
        ("data:image/png;base64,AA== 1x, b.jpg 2x", [("data:image/png;base64,AA==", 1.0), ("b.jpg", 2.0)]),
        ("a.jpg -1x, b.jpg 1e9w", [("a.jpg", 1.0), ("b.jpg", 1.0)]),
        (",,, ,", []),
        ("", []),
    ],
)
def test_srcset(value: str, candidates: list[tuple[str, float]]) -> None:
    assert srcset.parse(value) == candidates


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("noai", {"noai"}),
        ("NONE", {"none"}),
        ("max-image-preview:large, noimageindex", {"noimageindex"}),
        ("googlebot: noindex", set()),
        ("*: noindex", {"noindex"}),
        ("unavailable_after: 25 Jun 2030 15:00:00 PST", set()),
        ("index, follow", set()),
    ],
)
def test_robots_headers(value: str, found: set[str]) -> None:
    assert rights.header_directives(value) == found


@given(st.binary(max_size=400))
def test_the_cost_of_any_bytes_is_known(body: bytes) -> None:
    assert cost.steps(body) >= 0


def test_a_long_text_without_tags_costs_nothing() -> None:
    assert cost.steps(b"it's a text " * 100_000) == 0


@pytest.mark.parametrize(
    "character",
    [" ", "<", "(", "a ", "<!--", "<!---->", "charset=", "<meta ", "'", ",", "a 1x,", "/", "0", "\n", "=", ":"],
)
def test_no_pattern_is_slow_on_a_megabyte(character: str) -> None:
    for work in (
        caption.clean,
        lambda text: charset.decode(text.encode(), text),
        srcset.parse,
        rights.directives,
        rights.header_directives,
        lambda text: rights.is_creative_commons("https://creativecommons.org/licenses/" + text),
        lambda text: http.dechunk(text.encode()),
        lambda text: http.Answer(200, (), text.encode()).is_html,
        lambda text: http.parse(b"HTTP/1.1 200 OK\r\n" + text.encode()),
    ):
        work(character)  # what is compiled, is compiled
        start = time.process_time()
        work((character * MEGABYTE)[:MEGABYTE])
        assert time.process_time() - start < 2, "50 ms on a quiet machine"
