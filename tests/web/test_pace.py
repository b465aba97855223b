"""Pace: hours of the day and bandwidth, and a proxy beside which nothing is connected to."""

from __future__ import annotations

import asyncio
import dataclasses
import time
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests import virtual_time
from tests.server import Reply, Site, redirect
from tests.web.test_client import get, outcomes, reason, settings
from witbuild.errors import RecipeError
from witbuild.web.client import Client, FetchError, Settings
from witbuild.web.pace import Bandwidth, Pace, parse_hours, seconds_until
from witbuild.web.proxy import Proxy

START = datetime(2026, 3, 1, tzinfo=UTC)


@given(st.integers(0, 86_399), st.integers(0, 86_399), st.integers(0, 86_399))
def test_a_window_opens_at_its_start(start: int, end: int, now: int) -> None:
    moment = START + timedelta(seconds=now)
    left = seconds_until((start, end), moment)
    opened = moment + timedelta(seconds=left)
    assert seconds_until((start, end), opened) == 0
    assert left == 0 or (opened.hour * 3600 + opened.minute * 60 + opened.second) == start
    assert left < 86_400


@pytest.mark.parametrize("text", ["", "22", "22-", "a-b", "25-3", "1:60-2", "22:00-06:00-07:00"])
def test_what_is_no_window_is_refused(text: str) -> None:
    with pytest.raises(RecipeError, match="hours"):
        parse_hours(text)


def window(opens_in: float, closes_in: float) -> str:
    now = datetime.now().astimezone()
    return "-".join(f"{now + timedelta(minutes=minutes):%H:%M}" for minutes in (opens_in, closes_in))


def test_nothing_is_asked_outside_the_hours() -> None:
    async def brief(site: Site, hours: str, seconds: float) -> None:
        async with Client(settings(site, hours=hours)) as client:
            await asyncio.wait_for(client.get("http://a.test/x"), seconds)

    with Site({"/x": Reply(b"x")}) as site:
        with pytest.raises(TimeoutError):
            asyncio.run(brief(site, window(5, 10), 0.4))
        assert not site.hits
        asyncio.run(brief(site, window(-5, 5), 100))
        assert site.hits


def test_it_goes_on_when_the_hours_come() -> None:
    clock = iter([START, START, START + timedelta(hours=3)])

    async def wait() -> float:
        await Pace("3:00-4:00", Bandwidth(0), clock=lambda: next(clock)).wait()
        return virtual_time.clock()

    assert virtual_time.run(wait()) == 120


@pytest.mark.parametrize("connections", [1, 8])
def test_bodies_come_no_faster_than_the_bandwidth(connections: int) -> None:
    pages = {f"/{i}": Reply(b"x" * 50_000) for i in range(20)}
    with Site(pages) as site:
        options = settings(site, bytes_per_second=1_000_000.0, per_host=8, connections=connections)
        start = time.monotonic()
        assert outcomes(options, [f"http://a.test/{i}" for i in range(20)]) == ["200"] * 20
        assert time.monotonic() - start > 0.8


async def starts(bandwidth: Bandwidth, sizes: Sequence[int]) -> list[float]:
    """When each of some bodies was asked for that are there at once, one after the other."""
    found = []
    for size in sizes:
        await bandwidth.wait()
        found.append(virtual_time.clock())
        with bandwidth.settle() as came:
            came(size)
    return found


@pytest.mark.parametrize("size", [500, 50_000, 3_000_000])
def test_a_body_starts_when_those_before_it_are_paid_for(size: int) -> None:
    """100,000 bytes are guessed of the first one, and settled."""
    found = virtual_time.run(starts(Bandwidth(1_000_000.0), [size] * 20))
    assert found == pytest.approx([number * size / 1_000_000 for number in range(20)])


def test_a_wait_for_bandwidth_costs_no_deadline() -> None:
    with Site({f"/{i}": Reply(b"x" * 50_000) for i in range(8)}) as site:
        urls = [f"http://a.test/{i}" for i in range(8)]
        options = settings(site, bytes_per_second=150_000.0, timeout_seconds=1.5, per_host=8)
        assert outcomes(options, urls) == ["200"] * 8


def through(site: Site, **changes: object) -> Settings:
    """The site stands in for a proxy: it answers a request that names the whole URL."""
    options = settings(site, proxy=f"http://127.0.0.1:{site.port}", **changes)
    return dataclasses.replace(options, resolve={"a.test": "127.0.0.1:9"})


def test_a_proxy_is_all_that_is_connected_to() -> None:
    pages = {"http://a.test/x": redirect("http://a.test/y"), "http://a.test/y": Reply(b"by the proxy")}
    with Site(pages) as site:
        assert get(through(site), "http://a.test/x").body == b"by the proxy"
        assert site.headers[0]["host"] == "a.test"


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://169.254.169.254/latest/", "private_address"),
        ("http://10.0.0.1/", "private_address"),
        ("http://inside.test/", "private_address"),
        ("http://a.test:25/", "port"),
        ("http://nowhere.invalid/", "dns"),
        ("http://blocked.test/", "blocked_host"),
    ],
)
def test_the_guard_stands_before_the_proxy(url: str, why: str) -> None:
    async def ask(site: Site) -> str:
        options = Settings(
            user_agent="x (+http://contact.test/)", proxy=f"http://127.0.0.1:{site.port}", robots=False,
            block_hosts=frozenset({"blocked.test"}), resolve={"inside.test": "10.0.0.1:80"}, retries=0,
        )  # fmt: skip
        async with Client(options) as client:
            with pytest.raises(FetchError) as caught:
                await client.get(url)
            return caught.value.reason

    with Site({}) as site:
        assert asyncio.run(ask(site)) == why
        assert not site.hits


def test_a_proxy_that_is_not_there_or_refuses() -> None:
    with Site({}) as site:
        gone = settings(site, proxy="http://127.0.0.1:9")
        assert reason(gone, "http://a.test/x") == "proxy"
        assert reason(through(site), "https://a.test/x") == "proxy"


@pytest.mark.parametrize(("address", "port"), [("127.0.0.1", 80), ("127.0.0.2", 3128), ("::1", 3128)])
def test_what_is_not_the_proxy_is_not_connected_to(address: str, port: int) -> None:
    assert Proxy("http://127.0.0.1:3128").is_at("127.0.0.1", 3128)
    assert not Proxy("http://127.0.0.1:3128").is_at(address, port)


@pytest.mark.parametrize("url", ["", "127.0.0.1:3128", "socks5://127.0.0.1:1080", "https://a.test", "http://"])
def test_what_is_no_proxy_is_refused(url: str) -> None:
    with pytest.raises(RecipeError, match="proxy"):
        Proxy(url)


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("http://b.test/x", "blocked_host"),
        ("http://img.b.test/x", "blocked_host"),
        ("http://B.TEST./x", "blocked_host"),
        ("http://a.test/to-b", "blocked_host"),
        ("http://127.0.0.2/x", "blocked_host"),
        ("http://notb.test/x", "http_404"),
    ],
)
def test_blocked_hosts_and_what_lies_below_them(url: str, why: str) -> None:
    with Site({"/to-b": redirect("http://img.b.test/x")}) as site:
        options = settings(site, "b.test", "img.b.test", "notb.test", block_hosts=frozenset({"b.test", "127.0.0.2"}))
        assert reason(options, url) == why
        assert not site.hits["http://img.b.test/x"]
