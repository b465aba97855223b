"""HTML: which images a page has, under which addresses, with which texts."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web import html
from witbuild.web.page import MAX_IMAGES, Image


def images(text: str) -> list[Image]:
    return html.read(text.encode()).images


def image(text: str) -> Image:
    (one,) = images(text)
    return one


def test_every_text_around_an_image_is_read_with_its_source() -> None:
    found = image(
        "<figure><a href=x title='the link'><span><img src=a.jpg alt='the &amp; alt' title=own></span></a>"
        "<figcaption>The <b>figure</b>'s\n caption</figcaption></figure>"
    )
    assert found.references == ("a.jpg",)
    assert found.texts == (
        ("alt", "the & alt"),
        ("title", "own"),
        ("title", "the link"),
        ("figcaption", "The figure's\n caption"),
    )


@pytest.mark.parametrize(
    ("tag", "references"),
    [
        ("<img src=' a.jpg\n'>", ("a.jpg",)),
        ("<img data-src=b.jpg>", ("b.jpg",)),
        ("<img src=data:image/gif;base64,R0 data-original=b.jpg>", ("data:image/gif;base64,R0", "b.jpg")),
        ("<img src=s.jpg srcset='s.jpg 300w, l.jpg 1200w, m.jpg 600w'>", ("s.jpg", "l.jpg")),
        ("<img src=s.jpg data-srcset='s.jpg 1x, l.jpg 2x'>", ("s.jpg", "l.jpg")),
        ("<picture><source srcset='w.webp 900w'><img src=s.jpg srcset='m.jpg 400w'></picture>", ("s.jpg", "w.webp")),
        ("<img srcset='only.jpg'>", ("only.jpg",)),
        ("<img src=a.jpg srcset='a.jpg 2x'>", ("a.jpg",)),
        ("<img src>", ()),
        ("<img alt=x>", ()),
    ],
)
def test_addresses(tag: str, references: tuple[str, ...]) -> None:
    assert image(tag).references == references


def test_a_picture_lends_its_sources_to_its_own_image_only() -> None:
    first, second = images("<picture><source srcset=big.webp><img src=a.jpg></picture><img src=b.jpg>")
    assert first.references == ("a.jpg", "big.webp")
    assert second.references == ("b.jpg",)


def test_declared_sizes() -> None:
    found = image("<img src=a width=300px height=50%>")
    assert (found.width, found.height) == (300, None)


def test_open_graph_images_have_their_own_text_or_the_title() -> None:
    found = images(
        "<meta property=og:title content='The title'>"
        "<meta property=og:image content=a.jpg><meta property=og:image:alt content='the alt'>"
        "<meta property=og:image:width content=640>"
        "<meta property=og:image content=b.jpg>"
    )
    assert [(one.references, one.texts, one.width) for one in found] == [
        (("a.jpg",), (("og", "the alt"),), 640),
        (("b.jpg",), (("og", "The title"),), None),
    ]


def test_an_open_graph_image_without_any_text_is_no_image_of_the_page() -> None:
    assert images("<meta property=og:image content=a.jpg>") == []


def test_json_ld_images_with_licence() -> None:
    page = html.read(
        b'<script type="application/ld+json">{"@graph": [{"@type": ["Thing", "ImageObject"], "contentUrl": "/a.jpg",'
        b'"url": "/page", "caption": {"@value": "a square"}, "license": "https://l.test/", "width": "640"}]}</script>'
    )
    (found,) = page.images
    assert (found.references, found.texts) == (("/a.jpg",), (("jsonld", "a square"),))
    assert (found.licence, found.width, page.licence) == ("https://l.test/", 640, "https://l.test/")


@pytest.mark.parametrize("script", ["{", "[" * 100_000, '{"a":' * 100_000, "1" * 10_000, "null", '"\\ud800"', "[NaN]"])
def test_json_ld_that_is_none_costs_nothing_else(script: str) -> None:
    text = f'<script type="application/ld+json">{script}</script><img src=a.jpg alt=b>'
    assert [one.references for one in images(text)] == [("a.jpg",)]


@pytest.mark.parametrize(
    ("head", "licence"),
    [
        ("<link rel='license' href='/terms'>", "/terms"),
        ("<a rel='nofollow LICENSE' href='https://l.test/'>x</a>", "https://l.test/"),
        ("<a href='http://creativecommons.org/licenses/by/2.0/'>x</a>", "http://creativecommons.org/licenses/by/2.0/"),
        ("<a href='https://creativecommons.org/'>x</a>", None),
        ("<a href='https://evil.test/?creativecommons.org/licenses/by/2.0/'>x</a>", None),
    ],
)
def test_licences(head: str, licence: str | None) -> None:
    assert html.read(head.encode()).licence == licence


def test_opt_outs_come_from_the_page_and_from_its_headers() -> None:
    page = html.read(b"<meta name=ROBOTS content='noindex, noimageai'>", headers=[("x-robots-tag", "noai")])
    assert page.opt_out == ("noai", "noimageai", "noindex")


def test_base_language_and_links() -> None:
    page = html.read(
        b"<html lang=de_AT><base href=/b/><a href=1>x</a><area href=2><iframe src=3></iframe><a>no</a>", links=True
    )
    assert (page.base, page.language, page.links) == ("/b/", "de-AT", ("1", "2", "3"))


def test_the_encoding_is_found() -> None:
    found = html.read("<img src=a alt='naïve'>".encode("latin-1"), "text/html; charset=ISO-8859-1").images
    assert found[0].texts == (("alt", "naïve"),)


ATTRIBUTES = b" ".join(b"a%d" % i for i in range(200_000))
HOSTILE = {
    "nested": b"<div>" * 200_000 + b"<img src=a alt=b>",
    "formatting copied into every block": b"".join(b"<p><font size=%d>" % i for i in range(6_000)),
    "attributes": b"<img " + ATTRIBUTES + b">",
    "attributes with tags in them": b"<img " + ATTRIBUTES.replace(b" ", b"='<b>' ") + b">",
    "attributes behind a quote in a comment": b'<!-- <a b=" --><img ' + ATTRIBUTES + b'>"',
    "attributes behind a quote in a script": b"<script>'<a b=\"'</script><img " + ATTRIBUTES + b'>"',
    "quotes in quotes": b"<a b=\"<a b='" * 20_000 + b"x" * 100_000 + b"'\"" * 20_000,
}


@pytest.mark.parametrize("name", HOSTILE)
def test_a_page_that_no_parser_gets_through_is_refused_at_once(name: str) -> None:
    start = time.process_time()
    with pytest.raises(html.TooComplexError):
        html.read(HOSTILE[name])
    assert time.process_time() - start < 2


BIG = {
    "a million images": b"<img src=a.jpg alt=hello>" * 1_000_000,
    "a caption of ten million characters": b"<img src=a alt='" + b"x " * 5_000_000 + b"'>",
    "one figure of many images": b"<figure><figcaption>" + b"x " * 50_000 + b"</figcaption>" + b"<img src=a>" * 20_000,
    "figures in figures": b"<figure><figcaption>" * 3_000 + b"x" * 1_000_000 + b"<img src=a>" * 3_000,
    "sources of a picture": b"<picture>" + b"<source srcset=a>" * 20_000 + b"<img src=a>" * 20_000,
    "a long srcset": b"<img srcset='" + b"a.jpg 1x, " * 1_000_000 + b"'>",
    "open graph": b"<meta property=og:image content=a><meta property=og:image:alt content=b>" * 100_000,
    "null bytes": b"\0" * 1_000_000,
}


@pytest.mark.parametrize("name", BIG)
def test_a_large_page_is_read_within_bounds(name: str) -> None:
    start = time.process_time()
    page = html.read(BIG[name])
    assert time.process_time() - start < 10
    assert len(page.images) <= MAX_IMAGES


def test_images_beyond_the_bound_are_counted() -> None:
    assert html.read(b"<img src=a>" * (MAX_IMAGES + 7)).skipped == 7


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: ("<img alt='" + text).encode("utf-8", "replace"))
)
def test_any_bytes_are_a_page(body: bytes) -> None:
    for one in html.read(body).images:
        assert all(isinstance(text, str) for _, text in one.texts)


def test_the_tokenizer_tests_of_html5_are_pages(shared_hostile: dict[str, bytes]) -> None:
    pages = [body for name, body in shared_hostile.items() if name.startswith(("html/", "xml/", "json/"))]
    assert len(pages) > 200
    for body in pages:
        html.read(body)
