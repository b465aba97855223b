"""A breadth-first crawl of one registered domain, the same pages in the same order whatever the network does.

seeds, sitemaps ── level 0 ── links ── level 1 ── ... ── max_depth
each level sorted, cut to what is left of max_pages, fetched, read in that order
"""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from witbuild.web import html, sitemap, urls
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.web.client import Client
    from witbuild.web.page import Image, Page
    from witbuild.web.wire import Head, Response

ACCEPT = "text/html,application/xhtml+xml;q=0.9"
MAX_PAGE_BYTES = 16_000_000
MAX_LINKS = 10_000
"""Links of one page that are followed."""
MAX_SITEMAPS = 100
"""Of a domain, that are read."""
MAX_SITEMAPS_BYTES = 100_000_000
"""Of a domain's sitemaps, unpacked, after which no further one is read."""
MAX_SITEMAP_IMAGES = 100_000
"""Of all sitemaps of a domain."""
_AT_ONCE = 64
_HTML = ("text/html", "application/xhtml+xml")
_OTHER_FILE = re.compile(
    r"\.(?:7z|avi|bmp|bz2|css|csv|docx?|epub|exe|flac|gif|gz|ico|iso|jpe?g|js|json|mkv|mov|mp[34]|mpeg|og[gv]|otf|pdf|png|"
    r"pptx?|rar|rss|svg|tar|tgz|tiff?|ttf|txt|wav|web[mp]|woff2?|xlsx?|xml|xz|zip)",
    re.IGNORECASE,
)


@dataclass(frozen=True, kw_only=True)
class Bounds:
    """How far a crawl goes.

    Attributes:
        max_depth: links from a seed.
        max_pages: asked for, of the domain, whether they could be had or not.
        sitemaps: read those that robots.txt names, or else /sitemap.xml.
    """

    max_depth: int
    max_pages: int
    sitemaps: bool


@dataclass(slots=True)
class Crawled:
    """What a crawl found.

    Attributes:
        pages: (URL after redirects, page) in the order of the crawl.
        images: (page URL, image) of the sitemaps.
        dropped: reason -> pages.
    """

    pages: list[tuple[str, Page]] = field(default_factory=list)
    images: list[tuple[str, Image]] = field(default_factory=list)
    dropped: Counter[str] = field(default_factory=Counter)


async def crawl(client: Client, seeds: Iterable[str], bounds: Bounds) -> Crawled:
    """Crawl the domain of the seeds.

    Args:
        client: fetches; it obeys robots.txt and keeps the pace.
        seeds: URLs of one registered domain.
        bounds: of the crawl.
    """
    found = Crawled()
    frontier = _Frontier(urls.registered_domain(next(iter(seeds))))
    level = frontier.new(seeds)
    if bounds.sitemaps:
        level = sorted({*level, *frontier.new(await _sitemaps(client, level, frontier, found))})
    left = bounds.max_pages
    for _ in range(bounds.max_depth + 1):
        level = level[:left]
        left -= len(level)
        links: list[str] = []
        for start in range(0, len(level), _AT_ONCE):
            links += await _chunk(client, level[start : start + _AT_ONCE], frontier, found)
        level = frontier.new(links)
    return found


class _Frontier:
    """The URLs of a domain that were seen, each resource once."""

    def __init__(self, domain: str) -> None:
        self._domain = domain
        self._seen: set[str] = set()

    def inside(self, url: str) -> bool:
        return urls.registered_domain(url) == self._domain

    def new(self, found: Iterable[str]) -> list[str]:
        """Return those of the domain that were not seen before, sorted; of two spellings the one found first."""
        fresh: dict[str, str] = {}
        for url in found:
            if self.inside(url):
                fresh.setdefault(urls.canonical(url), url)
        level = sorted(url for name, url in fresh.items() if name not in self._seen)
        self._seen |= fresh.keys()
        return level

    def moved(self, asked: str, answered: str) -> bool:
        """Say whether a redirect led to a URL that was seen before; it is seen now."""
        name = urls.canonical(answered)
        seen = name in self._seen and name != urls.canonical(asked)
        self._seen.add(name)
        return seen


async def _chunk(client: Client, level: list[str], frontier: _Frontier, found: Crawled) -> list[str]:
    """Fetch pages at once, read them in order, and return their links."""
    outcomes = await asyncio.gather(*(_fetch(client, url) for url in level))
    links: list[str] = []
    for url, outcome in zip(level, outcomes, strict=True):
        if isinstance(outcome, str):
            found.dropped[outcome] += 1
        elif not frontier.inside(outcome.url):
            found.dropped["off_site"] += 1
        elif not frontier.moved(url, outcome.url):
            links += _read(outcome, found, client.agent)
    return links


async def _fetch(client: Client, url: str) -> Response | str:
    """Return the answer, or the reason why there is none."""
    try:
        return await client.get(url, accept=ACCEPT, max_bytes=MAX_PAGE_BYTES, inspect=_inspect)
    except FetchError as error:
        return error.reason


def _inspect(head: Head) -> None:
    if head.headers.get("content-type", "text/html").partition(";")[0].strip().lower() not in _HTML:
        raise FetchError("not_html", head.headers["content-type"][:200], head.status)


def _read(answer: Response, found: Crawled, agent: str) -> list[str]:
    """Keep what a page says, and return its links as URLs."""
    try:
        kind = answer.headers.get("content-type", "")
        page = html.read(answer.body, kind, answer.headers.items(), links=True, agent=agent)
    except html.TooComplexError:
        found.dropped["page_too_complex"] += 1
        return []
    links = list(_links(page, answer.url))
    page.links = ()
    found.pages.append((answer.url, page))
    return links


def _links(page: Page, url: str) -> Iterator[str]:
    base = urls.resolve(url, page.base) or url if page.base.strip() else url
    for link in page.links[:MAX_LINKS]:
        target = urls.resolve(base, link)
        if target and _may_be_page(target):
            yield urls.without_fragment(target)


def _may_be_page(url: str) -> bool:
    """Say whether a URL's ending leaves it open that a page is there."""
    name = url.partition("#")[0].partition("?")[0].rpartition("/")[2]
    return _OTHER_FILE.fullmatch(name[name.rfind(".") :]) is None if "." in name else True


async def _sitemaps(client: Client, seeds: list[str], frontier: _Frontier, found: Crawled) -> list[str]:
    """Read the sitemaps of the seeds' hosts, and return the pages that they name."""
    waiting = [url for origin in sorted({urls.origin(seed) for seed in seeds}) for url in await _named(client, origin)]
    read: dict[str, int] = {}
    pages: list[str] = []
    while waiting and len(read) < MAX_SITEMAPS and sum(read.values()) < MAX_SITEMAPS_BYTES:
        url = waiting.pop(0)
        if url in read or not frontier.inside(url):
            continue
        one = await _sitemap(client, url)
        read[url] = one.size
        pages += _resolved(url, one.pages)
        waiting += _resolved(url, one.sitemaps[:MAX_SITEMAPS])
        _keep(found, [(page, image) for name, image in one.images for page in _resolved(url, [name])])
    return pages


def _keep(found: Crawled, images: list[tuple[str, Image]]) -> None:
    """Keep the images of a sitemap as far as there is room, and count the others."""
    room = MAX_SITEMAP_IMAGES - len(found.images)
    found.images += images[:room]
    if len(images) > room:
        found.dropped["too_many_images"] += len(images) - room


async def _named(client: Client, origin: str) -> list[str]:
    """Return the sitemaps that a host's robots.txt names, or the usual one."""
    try:
        rules = await client.robots_rules(origin + "/")
    except FetchError:
        return []
    return _resolved(origin + "/", rules.sitemaps) or [origin + "/sitemap.xml"]


async def _sitemap(client: Client, url: str) -> sitemap.Sitemap:
    """Return a sitemap; one that is not there names nothing, and is no loss."""
    try:
        return sitemap.read((await client.get(url, max_bytes=sitemap.MAX_BYTES)).body)
    except FetchError:
        return sitemap.Sitemap()


def _resolved(base: str, references: Iterable[str]) -> list[str]:
    return [url for reference in references if (url := urls.resolve(base, reference))]
