"""robots.txt: one fetch an origin, the answers' meanings by RFC 9309, and rules from files that break parsers."""

from __future__ import annotations

import asyncio
import time
from itertools import pairwise
from typing import Any

import pytest
import uvloop

from tests.server import Behaviour, Reply, Site, redirect, then_silence
from witbuild.web import robots
from witbuild.web.client import Client, FetchError, Settings

AGENT = "witbuild-test/0 (+http://contact.test/)"


def outcome(pages: dict[str, Reply | Behaviour], path: str = "/x.jpg", **changes: Any) -> str:
    with Site({"/x.jpg": Reply(b"image"), "/no/x.jpg": Reply(b"image"), **pages}) as site:
        return asyncio.run(_one(site, path, changes))


async def _one(site: Site, path: str, changes: dict[str, Any]) -> str:
    options: dict[str, Any] = {"timeout_seconds": 10.0, "retries": 0, "max_delay_seconds": 0.5, **changes}
    options = {"resolve": site.resolve("a.test", "b.test"), **options}
    async with Client(Settings(user_agent=AGENT, allow_private=True, **options)) as client:
        try:
            return str((await client.get(f"http://a.test{path}")).status)
        except FetchError as failure:
            return failure.reason


DISALLOW = b"User-agent: *\nDisallow: /no/\n"


@pytest.mark.parametrize(
    ("answer", "path", "expected"),
    [
        (Reply(DISALLOW), "/no/x.jpg", "robots"),
        (Reply(DISALLOW), "/x.jpg", "200"),
        (Reply(b"User-agent: witbuild-test\nDisallow: /\n\nUser-agent: *\nDisallow:"), "/x.jpg", "robots"),
        (Reply(b"User-agent: otherbot\nDisallow: /"), "/x.jpg", "200"),
        (Reply(b"\xef\xbb\xbfUser-agent: *\nDisallow: /"), "/x.jpg", "robots"),
        (Reply(b"\xff\xfe\x00 garbage \x80"), "/x.jpg", "200"),
        (Reply(b""), "/x.jpg", "200"),
        (Reply(status=404), "/x.jpg", "200"),
        (Reply(status=403), "/x.jpg", "200"),
        (Reply(status=410), "/x.jpg", "200"),
        (Reply(status=429), "/x.jpg", "robots_unavailable"),
        (Reply(status=500), "/x.jpg", "robots_unavailable"),
        (Reply(status=503), "/x.jpg", "robots_unavailable"),
        (Reply(b"#" * robots.MAX_BYTES + b"\nUser-agent: *\nDisallow: /"), "/x.jpg", "200"),
        (Reply(DISALLOW + b"#" * 10 * robots.MAX_BYTES), "/no/x.jpg", "robots"),
        (redirect("/elsewhere.txt"), "/no/x.jpg", "200"),
        (Reply(b"User-agent: *\nCrawl-delay: 3600"), "/x.jpg", "crawl_delay"),
        (Reply(b"User-agent: *\nCrawl-delay: 1e999"), "/x.jpg", "200"),
    ],
)
def test_an_answer_means_what_the_rfc_says(answer: Reply | Behaviour, path: str, expected: str) -> None:
    assert outcome({"/robots.txt": answer}, path) == expected


def test_a_robots_txt_that_never_comes_means_no() -> None:
    assert outcome({"/robots.txt": then_silence(b"")}, timeout_seconds=0.4) == "robots_unavailable"


def test_a_redirected_robots_txt_counts_for_the_origin_that_was_asked() -> None:
    pages: dict[str, Reply | Behaviour] = {
        "http://a.test/robots.txt": redirect("http://b.test/rules.txt"),
        "http://b.test/rules.txt": Reply(DISALLOW),
    }
    assert outcome(pages, "/no/x.jpg") == "robots"


def test_robots_txt_is_asked_for_at_the_end_of_a_redirect_too() -> None:
    pages: dict[str, Reply | Behaviour] = {
        "http://a.test/x.jpg": redirect("http://b.test/no/x.jpg"),
        "http://b.test/robots.txt": Reply(DISALLOW),
    }
    assert outcome(pages) == "robots"


def test_robots_can_be_left_out_on_ones_own_servers() -> None:
    assert outcome({"/robots.txt": Reply(b"User-agent: *\nDisallow: /")}, robots=False) == "200"


def test_a_host_that_is_not_there_is_no_question_of_robots() -> None:
    assert outcome({}, resolve={"a.test": "127.0.0.1:1"}) == "refused"


def test_many_wait_for_one_fetch() -> None:
    async def crowd(site: Site) -> None:
        settings = Settings(user_agent=AGENT, allow_private=True, resolve=site.resolve("a.test"), per_host=20)
        async with Client(settings) as client:
            await asyncio.gather(*(client.get("http://a.test/x.jpg") for _ in range(20)))

    with Site({"/robots.txt": Reply(DISALLOW, delay_seconds=0.1), "/x.jpg": Reply(b"x")}) as site:
        uvloop.run(crowd(site))
        assert site.hits["http://a.test/robots.txt"] == 1
        assert site.hits["http://a.test/x.jpg"] == 20


def test_the_crawl_delay_is_kept() -> None:
    async def three(site: Site) -> None:
        settings = Settings(user_agent=AGENT, allow_private=True, resolve=site.resolve("a.test"), per_host=9)
        async with Client(settings) as client:
            await asyncio.gather(*(client.get("http://a.test/x.jpg") for _ in range(3)))

    with Site({"/robots.txt": Reply(b"User-agent: *\nCrawl-delay: 0.5"), "/x.jpg": Reply(b"x")}) as site:
        uvloop.run(three(site))
        _, *starts = site.starts["a.test"]
    # a request may take a moment to be seen
    assert all(later - sooner > 0.25 for sooner, later in pairwise(starts))


def test_hostile_files_are_read_without_an_error(shared_hostile: dict[str, bytes]) -> None:
    files = [content for name, content in shared_hostile.items() if "robots" in name.lower()]
    assert files
    for content in files:
        rules = robots.parse(content, "witbuild")
        assert rules.allows("http://a.test/robots.txt")
        assert rules.delay_seconds >= 0


def test_patterns_that_match_in_many_ways_take_no_time() -> None:
    rules = robots.parse(b"User-agent: *\nDisallow: /" + b"*a" * 40 + b"*b\n", "bot")
    start = time.process_time()
    assert rules.allows("http://a.test/" + "a" * 4_000)
    assert time.process_time() - start < 3
