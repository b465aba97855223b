"""URLs: what browsers mean, one form a resource, one slice a domain."""

from __future__ import annotations

import re

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web import urls

PAGE = "https://en.example.org/a/b/page.html?q=1#top"


@pytest.mark.parametrize(
    ("reference", "meant"),
    [
        ("//upload.test/x.png", "https://upload.test/x.png"),
        ("x.jpg", "https://en.example.org/a/b/x.jpg"),
        ("../x.jpg", "https://en.example.org/a/x.jpg"),
        ("../../../../x.jpg", "https://en.example.org/x.jpg"),
        ("/x.jpg", "https://en.example.org/x.jpg"),
        ("?y", "https://en.example.org/a/b/page.html?y"),
        ("", "https://en.example.org/a/b/page.html?q=1"),
        (" \n x y.jpg\t", "https://en.example.org/a/b/x%20y.jpg"),
        ("h\nt\ttp://A.TEST/x", "http://a.test/x"),
        ("http:\\\\a.test\\x", "http://a.test/x"),
        ("http://bücher.test/ä.jpg", "http://xn--bcher-kva.test/%C3%A4.jpg"),
        ("http://0x7f.1/", "http://127.0.0.1/"),
        ("http://①②⑦.0.0.1/", "http://127.0.0.1/"),
        ("http://a.test:80/", "http://a.test/"),
        ("http://a.test/%zz", "http://a.test/%zz"),
    ],
)
def test_references_mean_what_a_browser_takes_them_for(reference: str, meant: str) -> None:
    assert urls.resolve(PAGE, reference) == meant


@pytest.mark.parametrize(
    "reference",
    [
        "data:image/png;base64,AAAA", "javascript:void(0)", "blob:https://a.test/1", "file:///etc/passwd",
        "about:blank", "ftp://a.test/x", "http://", "http://a.test:99999/", "http://a b.test/", "http://xn--a/",
        "http://a.test/\ud800", "http://a.test/" + "x" * 5_000, "x" * 20_000, "http://[::1/",
    ],
)  # fmt: skip
def test_what_is_no_web_address_means_nothing(reference: str) -> None:
    assert urls.resolve(PAGE, reference) is None


def test_a_broken_base_means_nothing() -> None:
    assert urls.resolve("not a url", "x.jpg") is None
    assert urls.resolve("data:text/html,x", "x.jpg") is None


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("http://a.test/x", "https://a.test/x"),
        ("http://a.test/x", "http://A.TEST:80/x#fragment"),
        ("http://a.test/x", "http://user:password@a.test./x?"),
        ("http://a.test/~x-%2F", "http://a.test/%7Ex%2d%2f"),
        ("http://a.test/a/../x", "http://a.test/x"),
    ],
)
def test_equal_resources_have_one_canonical_form(one: str, other: str) -> None:
    assert urls.canonical(one) == urls.canonical(other)


@pytest.mark.parametrize("other", ["http://a.test/X", "http://a.test/x/", "http://a.test/x?y", "http://a.test:81/x"])
def test_other_resources_keep_other_forms(other: str) -> None:
    assert urls.canonical("http://a.test/x") != urls.canonical(other)


@given(st.text(max_size=30))
def test_canonical_is_a_normal_form(path: str) -> None:
    once = urls.canonical("http://a.test/" + path)
    assert urls.canonical(once) == once


@pytest.mark.parametrize(
    ("url", "domain"),
    [
        ("http://a.b.example.co.uk/", "example.co.uk"),
        ("https://co.uk/", "co.uk"),
        ("http://x.y.github.io/", "y.github.io"),
        ("http://192.0.2.1:8080/", "192.0.2.1"),
        ("http://[2001:db8::1]/", "[2001:db8::1]"),
        ("http://食狮.com.cn/", "xn--85x722f.com.cn"),
        ("http://shapes.demo.nosuchsuffix/", "demo.nosuchsuffix"),
        ("http://localhost/", "localhost"),
        ("http://a.test./", "a.test"),
        ("no url", ""),
    ],
)
def test_the_registered_domain(url: str, domain: str) -> None:
    assert urls.registered_domain(url) == domain


def test_slices_keep_a_domain_together_and_spread_domains() -> None:
    spread = [urls.domain_slice(f"http://img{i % 3}.site{i // 3}.test/", 8) for i in range(300)]
    assert all(len(set(spread[i : i + 3])) == 1 for i in range(0, 300, 3))
    assert set(spread) == set(range(8))


PIECE = st.sampled_from([
    *("http://", "https://", "HTTP://", "ftp://", "//", "/", "a.test", "b-c.d0.test", "xn--bcher-kva.test", "a..test"),
    *(".", "..", "1.2", "0x7f", "127.0.0.1", "test", "[::1]", ":80", ":443", ":8080", "u@", "u:p@"),
    *("a--b.test", "-a.test"),
    *("x.jpg", ".x", "x", "A~_", "%41", "%2e", "%", "?", "#", "?a=1&b=2", "&c", "=", "'", "|", "^", "{", " "),
    *("\t", "\n"),
    *("\\", "ä", "é.test", "\u0130.test", "\u200b", ";", "*", "!", "$", "(", "+", ",", "@", ":", "", "x" * 4_090),
])  # fmt: skip


@given(
    st.lists(
        st.one_of(
            st.lists(PIECE, max_size=9).map("".join),
            st.lists(PIECE, max_size=6).map(lambda pieces: "https://a.test/" + "".join(pieces)),
            st.tuples(st.sampled_from(["http://", "https://"]), st.lists(PIECE, max_size=6)).map(
                lambda made: made[0] + "".join(made[1])
            ),
            st.text(max_size=20).map(lambda text: "http://a.test/" + text),
        ),
        max_size=20,
    )
)
def test_forms_of_many_are_those_of_each(given_: list[str]) -> None:
    texts = [text.encode("utf-8", "replace").decode() for text in given_]
    assert urls.canonical_forms(pa.array(texts, pa.string())).to_pylist() == [urls.canonical(text) for text in texts]


@given(st.from_regex(re.compile(urls._PLAIN, re.ASCII), fullmatch=True))
def test_plain_urls_are_their_own_form(url: str) -> None:
    assert urls.canonical(url) == url.replace("https:", "http:", 1)
