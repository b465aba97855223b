"""References by the compiled loop: what the library says, or that it is to be asked."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from witbuild.web import urls
from witbuild.web.resolve import NONE, RARE, Base

BASES = (
    "http://a.test/", "https://en.example.org/a/b/page.html?q=1/2#top", "http://a.test:8080/x//y/",
    "http://a.test/?q/#/", "https://user:pass@a.test/x/y", "http://[::1]:81/x", "http://127.0.0.1/a;b/c",
    "http://xn--bcher-kva.test/%C3%A4/x",
)  # fmt: skip
USUAL = (
    "http://a.test", "https://a.test:443?x", "//img.test/x.jpg", "https://A.B-c_d.test:81/x/./y/../z?q#f",
    "http://a.test:80", "/",
    "http://a.test:443/x", "/x y.jpg",
    "//a.test?x", "//a.test#x", "x.jpg", "./x", "../x", "../../../../x/..", "a/./b/.", "..", ".", "...",
    "..a/.b", "a//..//b", "//a.test/..", "", "#", "?", "?a=1&b='c'", '#top of"`page', "x?y#z#z?",
    "ä/ß.jpg?ö#ü", "./a:b/../%C3%A4%zz", "1:2", "x(1)[2]{3}|~!$*+,;=@.jpg", "a%2f%252e",
)  # fmt: skip
NOTHING = (
    "data:image/gif;base64,R0lGOD//", "javascript:void(0)", "mailto:a@b.test", "h:", "ftp://a.test/",
    "httpss://a.test/",
)  # fmt: skip
PIECES = (
    "http", "https", "HTTP", "Https", "data", "ftp", "ws", "file", ":", "/", "//", "\\", ".", "..", "...",
    "%2e", "%2E", ".%2e", "?", "#", "@", "%", "%41", "%zz", " ", "\t", "\n", "\r", "\0", "\x0b", "\x1f",
    "\x7f", "\u00a0", "\u200b", "\ufeff", "ä", "😀", "a", "A", "a.test", "A.Test", "a-b_c", "xn--", "XN--a",
    "xn--bcher-kva", "0", "1", "80", "443", "8080", "65535", "65536", "08", "0x7f", "1.2.3.4", "127.1",
    "[::1]", "256", "<", ">", '"', "'", "`", "{", "}", "|", "^", "*", "~", "!", "$", "&", "(", ";", "=",
    "+", ",", "-", "_", "C:", "C|", "x" * 64, "é" * 40, "%e4" * 30,
)  # fmt: skip
references = st.one_of(
    st.lists(st.sampled_from(PIECES), max_size=12).map("".join),
    st.tuples(
        st.sampled_from(("", "http://", "https://", "//", "http:", "https:/")),
        st.lists(st.sampled_from(PIECES), max_size=3).map("".join),
        st.sampled_from(("", "/", "?", "#", ":81", ":81/")),
        st.lists(st.sampled_from(PIECES), max_size=6).map("".join),
    ).map("".join),
    st.text(max_size=30),
)


def resolved(base: str, texts: list[str]) -> list[str | int]:
    """Return a URL, NONE or RARE for each reference."""
    known = Base.of(base)
    assert known is not None
    encoded = [text.encode() for text in texts]
    offsets = np.cumsum([0, *map(len, encoded)])
    out, ends, flags = known.resolve_all(np.frombuffer(b"".join(encoded), np.uint8), offsets)
    found = [bytes(out[start:stop]).decode() for start, stop in pairwise(ends)]
    return [int(flag) or url for url, flag in zip(found, flags, strict=True)]


@pytest.mark.parametrize("base", BASES)
def test_usual_references_are_resolved_as_the_library_does(base: str) -> None:
    assert urls.Base(base).resolve("") == base.partition("#")[0]
    assert resolved(base, list(USUAL)) == [urls.Base(base).resolve(one) for one in USUAL]
    assert resolved(base, list(NOTHING)) == [NONE] * len(NOTHING)
    assert [urls.resolve(base, one) for one in NOTHING] == [None] * len(NOTHING)


@settings(max_examples=300)
@given(st.sampled_from(BASES), st.lists(references, min_size=20, max_size=40))
@example(
    BASES[0],
    ["\x80\x81", "http:///a.test/", "http://a.test:/", "//a.test\t/", " x", "x\n", "x" * 20_000, "../" * 4_000],
)
@example(
    BASES[1],
    ["http://a..b/", "http://a.b./", "http://0x7f.1/", "http://-/", "http://a.-/", "http://" + "a." * 200 + "b/"],
)
def test_any_reference_means_what_the_library_says_or_is_rare(base: str, texts: list[str]) -> None:
    library = urls.Base(base)
    for text, found in zip(texts, resolved(base, texts), strict=True):
        wanted = library.resolve(text)
        assert found in (RARE, NONE if wanted is None else wanted), (base, text)


@pytest.mark.parametrize("length", [1_300, 4_080, 4_096, 4_097, 12_288, 12_289, 100_000])
def test_long_references_are_rare_or_right(length: int) -> None:
    for letter in ("a", "ä", "/", "../", "?"):
        text = (letter * length)[:length]
        (found,) = resolved(BASES[1], [text])
        assert found in {RARE, urls.resolve(BASES[1], text)}


def test_what_a_url_means_is_itself() -> None:
    for base in BASES:
        assert resolved(BASES[0], [base])[0] in {base, RARE}


@pytest.mark.parametrize(
    "url", ["", "mailto:a@b.test", "HTTP://a.test/", "http://bücher.test/", "http://a.test/" + "x" * 4_096]
)
def test_what_is_no_normal_web_url_is_no_base(url: str) -> None:
    assert Base.of(url) is None
