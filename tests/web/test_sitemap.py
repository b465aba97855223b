"""Sitemaps: pages, further sitemaps, images; nothing in them unfolds."""

from __future__ import annotations

import gzip
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web import sitemap
from witbuild.web.sitemap import read

SPACES = 'xmlns="http://www.sitemaps.org/schemas/sitemap/0.9" xmlns:i="http://www.google.com/schemas/sitemap-image/1.1"'


def test_pages_and_images() -> None:
    found = read(
        f"""<?xml version="1.0"?><urlset {SPACES}>
        <url><loc>
          http://a.test/?x=1&amp;y=2 </loc>
          <i:image><i:loc>http://a.test/1.jpg</i:loc><i:caption><![CDATA[A <b> square]]></i:caption>
            <i:title>Title</i:title><i:license>http://l.test/</i:license></i:image>
          <i:image><i:loc>http://a.test/2.jpg</i:loc></i:image></url>
        <url><loc>http://a.test/2</loc></url></urlset>""".encode()
    )
    assert found.pages == ["http://a.test/?x=1&y=2", "http://a.test/2"]
    ((page, image),) = found.images
    assert page == found.pages[0]
    assert image.references == ("http://a.test/1.jpg",)
    assert image.texts == (("sitemap", "A <b> square"), ("sitemap", "Title"))
    assert image.licence == "http://l.test/"


def test_an_index_names_sitemaps() -> None:
    found = read(b"<sitemapindex><sitemap><loc>http://a.test/s.xml</loc></sitemap></sitemapindex>")
    assert (found.sitemaps, found.pages) == (["http://a.test/s.xml"], [])


@pytest.mark.parametrize("pack", [bytes, lambda body: gzip.compress(body, mtime=0)])
def test_text_and_gzip(pack: type[bytes]) -> None:
    assert read(pack(b"\xef\xbb\xbfhttp://a.test/1\r\nnot a url\nhttp://a.test/2\n")).pages == [
        "http://a.test/1",
        "http://a.test/2",
    ]


def test_what_stands_before_a_break_is_kept() -> None:
    assert read(b"<urlset><url><loc>http://a.test/</loc></url><url><loc>http://b.test/<").pages == ["http://a.test/"]


BOMBS = {
    "entities": b'<!DOCTYPE x [<!ENTITY a "' + b"x" * 1_000 + b'">]><urlset><url><loc>' + b"&a;" * 10_000,
    "external": b'<!DOCTYPE x SYSTEM "file:///etc/passwd"><urlset><url><loc>http://a.test/</loc></url></urlset>',
    "depth": b"<a>" * 1_000_000,
    "text": b"<urlset><url><loc>" + b"x" * 20_000_000,
    "attributes": b"<urlset " + b" ".join(b'a%d="1"' % i for i in range(100_000)) + b">",
    "gzip": gzip.compress(b"\0" * 100_000_000, 1),
}


@pytest.mark.parametrize("name", BOMBS)
def test_bombs_do_not_go_off(name: str) -> None:
    start = time.process_time()
    assert read(BOMBS[name]).pages == []
    assert time.process_time() - start < 2


def test_the_number_of_pages_is_bounded() -> None:
    body = b"<urlset>" + b"<url><loc>http://a.test/</loc></url>" * (sitemap.MAX_URLS + 9)
    assert len(read(body).pages) == sitemap.MAX_URLS


def test_the_number_of_sitemaps_of_an_index_is_bounded() -> None:
    body = b"<sitemapindex>" + b"<sitemap><loc>http://a.test/</loc></sitemap>" * (sitemap.MAX_URLS + 9)
    found = read(body)
    assert (len(found.sitemaps), found.size) == (sitemap.MAX_URLS, len(body))


@given(st.binary(max_size=300) | st.binary(max_size=300).map(lambda noise: b"<urlset><url><loc>" + noise))
def test_any_bytes_are_survived(body: bytes) -> None:
    read(body)


def test_real_sitemaps(shared_hostile: dict[str, bytes]) -> None:
    found = [read(body) for name, body in shared_hostile.items() if name.startswith(("crawl/", "xml/"))]
    assert sum(len(one.images) for one in found) == 67
    assert sum(bool(one.pages) for one in found) > 15
