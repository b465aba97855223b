"""Live sites: crawled from seeds and sitemaps, politely; a registered domain lies in one task (law 7)."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from itertools import groupby
from typing import TYPE_CHECKING

from witbuild.errors import InputError, RecipeError
from witbuild.io import store
from witbuild.sources.base import Source
from witbuild.sources.candidates import Candidates, Place
from witbuild.sources.crawl import Bounds, Crawled, crawl
from witbuild.web import urls
from witbuild.web.settings import Settings, check_user_agent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from witbuild.stage import Task

DOMAINS_AT_ONCE = 16


@dataclass(frozen=True, kw_only=True)
class Site(Source):
    """Web sites; the inputs are seeds: URLs, or files of a URL a line.

    Attributes:
        max_depth: links from a seed.
        max_pages: of a registered domain.
        sitemaps: read them too.
        user_agent: with a contact.
        delay_seconds: from request to request of a host.
        timeout_seconds: of a page.
        resolve: host -> `address:port`.
        allow_private: crawl private addresses too.
    """

    max_depth: int
    max_pages: int
    sitemaps: bool
    user_agent: str
    delay_seconds: float
    timeout_seconds: float
    resolve: Mapping[str, str] = field(default_factory=dict)
    allow_private: bool

    def plan(self) -> Iterator[Task]:
        """Yield a task for each slice of the domains that has seeds."""
        check_user_agent(self.user_agent)
        slices = max(self.shards, 1)
        seeds = sorted(set(_seeds(self.inputs)), key=lambda seed: (urls.domain_slice(seed, slices), seed))
        groups = groupby(seeds, lambda seed: urls.domain_slice(seed, slices))
        yield from self.numbered([(tuple(group), {}) for _, group in groups])

    def harvest(self, task: Task) -> Candidates:
        """Crawl the domains of a task's seeds."""
        from witbuild.web.loop import run

        return run(self._harvest(task))

    async def _harvest(self, task: Task) -> Candidates:
        from witbuild.web.client import Client

        out = Candidates("site", task.arguments.get("limit"))
        by_domain: dict[str, list[str]] = {}
        for seed in task.sources["input"]:
            by_domain.setdefault(urls.registered_domain(seed), []).append(seed)
        domains = sorted(by_domain)
        bounds = Bounds(max_depth=self.max_depth, max_pages=self.max_pages, sitemaps=self.sitemaps)
        async with Client(self._settings()) as client:
            for start in range(0, len(domains), DOMAINS_AT_ONCE):
                if out.full:
                    break
                some = domains[start : start + DOMAINS_AT_ONCE]
                for crawled in await asyncio.gather(*(crawl(client, by_domain[name], bounds) for name in some)):
                    _add(crawled, out)
        return out

    def _settings(self) -> Settings:
        return Settings(
            user_agent=self.user_agent,
            delay_seconds=self.delay_seconds,
            timeout_seconds=self.timeout_seconds,
            resolve=self.resolve,
            allow_private=self.allow_private,
        )


def _seeds(inputs: tuple[str, ...]) -> Iterator[str]:
    for name in inputs:
        if name.lower().startswith(("http://", "https://")):
            yield _seed(name, "inputs")
            continue
        for path in _files(name):
            for line in store.read_bytes(path).decode("utf-8", "replace").splitlines():
                if line.strip() and not line.startswith("#"):
                    yield _seed(line.strip(), path)


def _files(name: str) -> list[str]:
    found = store.expand(name)
    if not found:
        raise InputError(f"{name}: names no file; a seed begins with http:// or https://")
    return found


def _seed(text: str, where: str) -> str:
    parsed = urls.parse(text)
    if parsed is None:
        raise RecipeError(f"{where}: found {text[:200]!r}, expected an http or https URL")
    return urls.without_fragment(parsed.href)


def _add(crawled: Crawled, out: Candidates) -> None:
    for url, page in crawled.pages:
        out.page(page, url, Place())
    for url, image in crawled.images:
        out.image(image, url)
    for reason, pages in crawled.dropped.items():
        out.drop(reason, pages)
