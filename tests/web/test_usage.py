"""Usage preferences in headers and in robots.txt, and notices of a site against data mining."""

from __future__ import annotations

import asyncio
import re
import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.server import Behaviour, Reply, Site, then_silence
from tests.web.test_client import get, settings
from witbuild.web import notices, rights, usage
from witbuild.web.client import FetchError

AGENT = "witbuild-test"


@pytest.mark.parametrize(
    ("field", "value", "found"),
    [
        ("Content-Usage", "train-ai=n", "train-ai=n"),
        ("CONTENT-USAGE", " Train-AI = N ", "train-ai=n"),
        ("Content-Usage", "train-ai=y", None),
        ("Content-Usage", "train-ai=y, train-ai=n", "train-ai=n"),
        ("Content-Usage", "train-ai=n, train-ai=y", "train-ai=n"),
        ("Content-Usage", "search=n", None),
        ("Content-Usage", "bots=n", "bots=n"),
        ("Content-Usage", "bots=n, train-ai=y", None),
        ("Content-Usage", "train-ai=maybe", None),
        ("Content-Usage", "train-ai", None),
        ("Content-Usage", "", None),
        ("Content-Signal", "search=yes, ai-train=no", "ai-train=no"),
        ("Content-Signal", "search=yes, ai-input=no, ai-train=yes", None),
        ("Content-Signal", "train-ai=n", None),
        ("X-Other", "train-ai=n", None),
    ],
)
def test_what_a_field_reserves(field: str, value: str, found: str | None) -> None:
    assert usage.reserved(field, value) == found


ROBOTS = """
Content-Signal: ai-train=no
User-agent: otherbot
Content-Usage: train-ai=y

User-agent: *
User-agent: another
# a comment
Disallow: /private/
Content-Usage: /art/ train-ai=n
Content-Usage: /art/free/ train-ai=y
Content-Usage: /*.png$ train-ai=n
"""


@pytest.mark.parametrize(
    ("agent", "path", "found"),
    [
        ("mybot", "/x.jpg", "ai-train=no"),
        ("mybot", "/art/x.jpg", "train-ai=n"),
        ("mybot", "/art/free/x.jpg", None),
        ("mybot", "/x.png", "train-ai=n"),
        ("OtherBot", "/art/x.jpg", None),
        ("another", "/x.jpg", None),
        ("another", "/art/x.jpg", "train-ai=n"),
    ],
)
def test_what_robots_reserves(agent: str, path: str, found: str | None) -> None:
    assert usage.parse(ROBOTS, agent).reservation(path) == found


@given(st.text("a/*$.", max_size=8), st.text("a/.", max_size=8))
def test_patterns_match_as_the_expressions_that_they_are(pattern: str, path: str) -> None:
    body = pattern.removesuffix("$")
    expression = "".join(".*" if letter == "*" else re.escape(letter) for letter in body)
    whole = re.compile(expression + ("$" if pattern.endswith("$") else ""), re.DOTALL)
    assert usage.matches(pattern, path) == (whole.match(path) is not None)


def test_a_hostile_pattern_takes_no_time() -> None:
    start = time.process_time()
    usage.matches("/" + "*a" * 1_000 + "b$", "/" + "a" * 4_000)
    usage.parse("Content-Usage: " + "a=n," * 250_000, "x")
    assert time.process_time() - start < 1


@given(st.text(max_size=300))
def test_any_text_is_read(text: str) -> None:
    usage.parse(text, AGENT).reservation("/x")
    notices.parse_tdmrep(text.encode("utf-8", "replace"))


@pytest.mark.parametrize(
    ("value", "agent", "found"),
    [
        ("witbuild-test: noindex", AGENT, {"noindex"}),
        ("WITBUILD-TEST: noai, noimageai", AGENT, {"noai", "noimageai"}),
        ("googlebot: noindex, witbuild-test: noai", AGENT, {"noai"}),
        ("witbuild-test: nofollow, googlebot: noai", AGENT, set()),
        ("noai, googlebot: noindex", AGENT, {"noai"}),
        ("unavailable_after: Fri, 25 Jun 2010 15:00:00 PST, noai", AGENT, {"noai"}),
        ("witbuild-test: noindex", "", set()),
    ],
)
def test_a_header_that_names_the_crawler_speaks_to_it(value: str, agent: str, found: set[str]) -> None:
    assert rights.header_directives(value, agent) == found


def test_a_page_that_names_the_crawler_speaks_to_it() -> None:
    metas = [("Witbuild-Test", "noai"), ("googlebot", "noindex")]
    assert rights.opt_outs(metas, agent=AGENT) == ("noai",)
    assert rights.opt_outs(metas) == ()


@pytest.mark.parametrize(
    ("rules", "path", "reserved"),
    [
        ('[{"location": "/", "tdm-reservation": 1}]', "/x.jpg", True),
        ('[{"location": "/", "tdm-reservation": "1"}]', "/x.jpg", True),
        ('[{"location": "/", "tdm-reservation": 0}]', "/x.jpg", False),
        ('[{"location": "/*.jpg$", "tdm-reservation": 1}]', "/a/x.jpg", True),
        ('[{"location": "/*.jpg$", "tdm-reservation": 1}]', "/a/x.png", False),
        ('[{"location": "/free/", "tdm-reservation": 0}, {"location": "/", "tdm-reservation": 1}]', "/free/x", False),
        ('[{"location": "/", "tdm-reservation": 1}, {"location": "/free/", "tdm-reservation": 0}]', "/free/x", True),
        ('[{"location": "/", "tdm-reservation": 0}, {"location": "/art/", "tdm-reservation": 1}]', "/art/x", True),
        ('{"location": "/", "tdm-reservation": 1}', "/x", False),
        ("[" * 100_000, "/x", False),
        ('[1, null, {"location": 1}, {}]', "/x", False),
    ],
)
def test_tdm_files(rules: str, path: str, *, reserved: bool) -> None:
    assert notices.tdm_reserved(notices.parse_tdmrep(rules.encode()), path) is reserved


STRICT = {"robots": True, "notices": True}
NO: dict[str, dict[str, Reply | Behaviour]] = {
    "robots.txt:train-ai=n": {"/robots.txt": Reply(b"User-agent: *\nContent-Usage: train-ai=n")},
    "robots.txt:ai-train=no": {
        "/robots.txt": Reply(b"User-Agent: *\nContent-signal: search=yes,ai-train=no\nAllow: /")
    },
    "ai.txt": {"/ai.txt": Reply(b"User-Agent: *\nDisallow: *.jpg\nAllow: *.txt")},
    "tdmrep.json": {"/.well-known/tdmrep.json": Reply(b'[{"location": "/x*", "tdm-reservation": 1}]')},
}
YES: dict[str, dict[str, Reply | Behaviour]] = {
    "nothing": {},
    "another crawler's": {"/ai.txt": Reply(b"User-Agent: otherbot\nDisallow: /")},
    "another place": {"/.well-known/tdmrep.json": Reply(b'[{"location": "/y", "tdm-reservation": 1}]')},
    "a page for all": {"/ai.txt": Reply(b"<html>Disallow: *.jpg</html>")},
    "silence": {"/ai.txt": then_silence(b"")},
    "fault": {"/.well-known/tdmrep.json": Reply(status=500)},
}


@pytest.mark.parametrize("said", list(NO))
def test_what_a_site_says_ends_the_request_before_it(said: str) -> None:
    with Site({"/x.jpg": Reply(b"image"), **NO[said]}) as site:
        with pytest.raises(FetchError) as caught:
            get(settings(site, **STRICT), "http://a.test/x.jpg")
        assert (caught.value.reason, caught.value.detail) == ("opt_out_site", said)
        assert site.hits["http://a.test/x.jpg"] == 0
        response = get(settings(site, robots=True), "http://a.test/x.jpg")
    assert response.site == ((said,) if said.startswith("robots") else ())


@pytest.mark.parametrize("said", list(YES))
def test_what_says_nothing_stops_nothing(said: str) -> None:
    seconds = 1.0 if said == "silence" else 60.0
    with Site({"/x.jpg": Reply(b"image"), **YES[said]}) as site:
        assert get(settings(site, timeout_seconds=seconds, **STRICT), "http://a.test/x.jpg").body == b"image"


def test_notices_are_asked_for_once_an_origin() -> None:
    from witbuild.web.client import Client

    async def crowd(site: Site) -> None:
        async with Client(settings(site, **STRICT)) as client:
            await asyncio.gather(*(client.get(f"http://a.test/{i}.jpg") for i in range(5)))

    with Site({f"/{i}.jpg": Reply(b"image") for i in range(5)}) as site:
        asyncio.run(crowd(site))
        found = {path: site.hits[f"http://a.test{path}"] for path in ("/robots.txt", notices.AI_TXT, notices.TDMREP)}
    assert set(found.values()) == {1}
