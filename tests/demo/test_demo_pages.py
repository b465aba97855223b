"""Pages say what the world shows, to the parser that the pipeline reads them with."""

from __future__ import annotations

import pytest

from witbuild.demo import web
from witbuild.demo.grammar import reword
from witbuild.demo.pages import render, robots_txt, sitemap
from witbuild.demo.web import Page, Shown
from witbuild.demo.world import build
from witbuild.web import html, urls
from witbuild.web.robots import parse
from witbuild.web.sitemap import read as read_sitemap

WORLD = build(1, 120, looks=False)


def pairs_read(page: Page) -> set[tuple[str, str]]:
    read = html.read(render(page).encode(), "text/html; charset=utf-8")
    base = urls.resolve(page.url, read.base) or page.url if read.base else page.url
    return {
        (url, text)
        for image in read.images
        for reference in image.references
        if (url := urls.resolve(base, reference))
        for _, text in image.texts
    }


def pairs_shown(page: Page) -> set[tuple[str, str]]:
    said = {(one.url, one.caption) for one in page.shown if one.place not in ("none", "data")}
    return said | {(one.url, reword(one.caption)) for one in page.shown if one.place == "twice"}


@pytest.mark.parametrize("host", web.PAGE_HOSTS)
def test_a_page_says_what_it_shows(host: str) -> None:
    pages = [page for (at, _), page in WORLD.pages.items() if at == host]
    assert any(pairs_shown(page) for page in pages)
    for page in pages:
        assert pairs_read(page) == pairs_shown(page)


@pytest.mark.parametrize("host", web.PAGE_HOSTS)
def test_captions_are_escaped(host: str) -> None:
    url = f"http://{web.IMAGE_HOST[host]}/{web.FOLDER[web.IMAGE_HOST[host]]}/1.jpg"
    shown = [
        Shown(url=url, caption='a "red" <ring> & more', place=place) for place in ("alt", "title", "figcaption", "og")
    ]
    assert pairs_read(Page(host=host, path="/", shown=shown)) == {(url, 'a "red" <ring> & more')}


def test_links_lead_to_every_page_or_the_sitemap_does() -> None:
    found = set(read_sitemap(sitemap(WORLD).encode()).pages)
    for (host, _), page in WORLD.pages.items():
        read = html.read(render(page).encode(), "text/html", links=True)
        base = urls.resolve(page.url, read.base) or page.url if read.base else page.url
        assert (host == web.BLOG) == bool(read.base)
        found |= {url for link in read.links if (url := urls.resolve(base, link))}
    assert {page.url for page in WORLD.pages.values()} - found <= set(web.SEEDS)


def test_robots_txt_forbids_one_folder() -> None:
    rules = parse(robots_txt(web.BLOG).encode(), "witbuild-demo")
    assert rules.allows(f"http://{web.BLOG}/rooms/1.html")
    assert not rules.allows(f"http://{web.BLOG}/{web.DISALLOWED}/1.html")
    assert rules.sitemaps == (f"http://{web.BLOG}/sitemap.xml",)


def test_a_reserved_page_says_so() -> None:
    reserved = [page for page in WORLD.pages.values() if page.robots]
    assert reserved
    assert all("noimageai" in html.read(render(page).encode()).opt_out for page in reserved)
