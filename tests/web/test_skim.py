"""The scan of a page against the tree that lexbor builds of it: the same images, texts, licences and opt-outs."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.soup import SOUP, USUAL
from tests.warcs import bodies
from witbuild.web import charset, html, skim
from witbuild.web.page import MAX_IMAGES, Page
from witbuild.web.scanned import Scan


def told(page: Page) -> object:
    """A page with its texts as captions have them: white space collapsed."""
    images = [
        (one.references, tuple((source, " ".join(text.split())) for source, text in one.texts), *one[2:])
        for one in page.images
    ]
    return page.base, page.language, page.licence, page.opt_out, images, page.skipped


@settings(max_examples=400)
@given(st.lists(USUAL, max_size=25).map("".join))
def test_a_page_of_usual_tags_in_any_order_is_read_as_from_its_tree(text: str) -> None:
    body = text.encode()
    assert told(skim.read(body, agent="mybot")) == told(html.read(body, agent="mybot"))


@settings(max_examples=400)
@given(st.lists(SOUP, max_size=25).map("".join))
def test_a_page_of_any_tags_in_any_order_is_read_as_from_its_tree(text: str) -> None:
    body = text.encode()
    assert told(skim.read(body)) == told(html.read(body))


@pytest.mark.parametrize("holder", ["title", "desc", "foreignObject"])
def test_a_link_stays_around_one_in_html_in_svg(holder: str) -> None:
    body = f"<a title=one><svg><{holder}><a title=two><img></a><img></{holder}></svg><img>".encode()
    assert told(skim.read(body)) == told(html.read(body))


@pytest.mark.slow
@settings(max_examples=5_000)
@given(st.lists(SOUP, max_size=40).map("".join))
def test_many_more_such_pages_are_read_as_from_their_trees(text: str) -> None:
    body = text.encode()
    assert told(skim.read(body)) == told(html.read(body))


@given(
    st.binary(max_size=300) | st.text(max_size=300).map(lambda text: ("<img alt='" + text).encode("utf-8", "replace"))
)
def test_any_bytes_are_read_as_from_their_tree(body: bytes) -> None:
    assert told(skim.read(body)) == told(html.read(body))


@pytest.mark.parametrize(
    "label", ["utf-8", "windows-1251", "shift_jis", "gb18030", "iso-2022-jp", "utf-16", "utf-16-be"]
)
def test_pages_in_other_encodings(label: str) -> None:
    text = {"windows-1251": "привет"}.get(label, "日本")
    body = f"<img src=a.jpg alt='{text}'><a title='{text}'><img src='{text}.jpg'></a>".encode(label)
    page = skim.read(body, f"text/html; charset={label}")
    assert told(page) == told(html.read(body, f"text/html; charset={label}"))
    assert page.images[0].texts == (("alt", text),)


@pytest.mark.parametrize(
    ("text", "sure"),
    [
        ("<table><tr><td><a title=x><img src=a></a></td></tr></table>", True),
        ("<svg><title>x</title><image href=y /></svg><img src=a>", True),
        ("<frameset><frame src=a></frameset>", False),
        ("<table><tr><a title=x><td><img src=a></table>", False),
        ("<a title=x><div><picture></a><img src=a></picture></div>", False),
        ("<math><annotation-xml encoding='text/html'><img src=a>", False),
    ],
)
def test_a_tree_is_built_only_where_elements_are_moved_about(text: str, sure: int) -> None:
    assert (Scan.of(text.encode()) is not None) == sure


def test_elements_nested_deeper_than_browsers_keep_are_counted() -> None:
    text = (
        "<div>" * 600 + "<img src=a alt=x>" + "</div>" * 600 + "<figure><img src=b><figcaption>c</figcaption></figure>"
    )
    assert [one.texts for one in skim.read(text.encode()).images] == [(("alt", "x"),), (("figcaption", "c"),)]


ATTRIBUTES = b" ".join(b"a%d" % i for i in range(200_000))
HOSTILE = {
    "nested": b"<div>" * 200_000 + b"<img src=a alt=b>",
    "nested and ended by other names": b"<div>" * 500 + b"</section>" * 200_000 + b"<img src=a alt=b>",
    "formatting copied into every block": b"".join(b"<p><font size=%d>" % i for i in range(6_000)) + b"<img src=a>",
    "attributes": b"<img src=a " + ATTRIBUTES + b">",
    "attributes behind a quote in a comment": b'<!-- <a b=" --><img src=a ' + ATTRIBUTES + b'>"',
    "an attribute of ten megabytes": b"<img src=a alt='" + b"x " * 5_000_000 + b"'>",
    "a tag that never ends": b"<img src=a>" + b"<a b" + b" c" * 2_000_000,
    "comments that never end": b"<img src=a>" + b"<!--" * 500_000,
    "scripts that never end": b"<img src=a>" + b"<script><!--<script>" * 100_000,
    "raw text that never ends": b"<img src=a><textarea>" + b"</textarea" * 500_000,
    "links in table cells": b"<img src=a>" + b"<table><td><a title=x>" * 20_000 + b"<img src=b>" * 2_000,
    "figures in figures": b"<figure><figcaption>" * 3_000 + b"x" * 1_000_000 + b"<img src=a>" * 3_000,
    "sources of pictures": b"<picture>" + b"<source srcset=a>" * 20_000 + b"<img src=a>" * 20_000,
    "pictures in pictures": b"<picture><source srcset=a>" * 2_000 + b"<img src=a>" * 2_000,
    "open graph": b"<img src=a><meta property=og:image content=a><meta property=og:image:alt content=b>" * 100_000,
    "character references": b"<img src=a alt='" + b"&#" * 1_000_000 + b"&amp" * 99_999 + b"&#" + b"9" * 999_999 + b"'>",
    "null bytes": b"<img src=a>" + b"\0" * 1_000_000,
    "a million images": b"<img src=a.jpg alt=hello>" * 1_000_000,
}  # fmt: skip


@pytest.mark.parametrize("name", HOSTILE)
def test_a_hostile_page_is_read_within_bounds(name: str) -> None:
    skim.read(b"<img>")  # what is compiled, is compiled
    start = time.process_time()
    page = skim.read(HOSTILE[name])
    assert time.process_time() - start < 5
    assert 1 <= len(page.images) <= MAX_IMAGES + 200_000


def test_images_beyond_the_bound_are_counted() -> None:
    assert skim.read(b"<img src=a>" * (MAX_IMAGES + 7)).skipped == 7


def test_the_tokenizer_tests_of_html5_are_read_as_from_their_trees(shared_hostile: dict[str, bytes]) -> None:
    pages = [body for name, body in shared_hostile.items() if name.startswith(("html/", "xml/", "json/"))]
    assert len(pages) > 200
    for body in pages:
        assert told(skim.read(body)) == told(html.read(body))


@pytest.mark.parametrize(
    "archive", ["warc/main-page.warc.gz", "warc/IAH-urls-wget.warc.gz", "whirlwind/whirlwind.warc.gz"]
)
def test_the_pages_of_real_archives_are_read_as_from_their_trees(shared: Path, archive: str) -> None:
    pages = {url: body for url, (kind, body) in bodies(shared / archive).items() if "html" in kind}
    assert pages
    for body in pages.values():
        assert Scan.of(charset.utf8(body)) is not None
        assert told(skim.read(body)) == told(html.read(body))


DOCUMENTATION = [Path("/usr/share/gimp/2.0/help/en"), Path("/usr/share/doc/python-skimage-doc/html")]


@pytest.mark.parametrize("folder", DOCUMENTATION, ids=lambda folder: folder.parts[-2])
def test_real_documentation_is_read_as_from_its_trees(folder: Path) -> None:
    pages = sorted(folder.rglob("*.html"))[::5]
    if not pages:
        pytest.skip(f"{folder} is not there")
    for path in pages:
        body = path.read_bytes()
        assert told(skim.read(body)) == told(html.read(body)), path
