"""HTTP/2: the same guard and bounds as HTTP/1.1, many requests on a connection, the worst servers in time."""

from __future__ import annotations

import asyncio
import gc
import sys
from typing import Any

import pytest
import uvloop

from tests.h2_server import CERTIFICATE, H2_EVILS, H2Site
from tests.server import Reply
from tests.web.test_client import AGENT, descriptors
from witbuild.errors import MissingExtraError, RecipeError
from witbuild.web.client import Client, FetchError, Response, Settings
from witbuild.web.resolver import Lookup, Pinned

pytest.importorskip("httpcore2")


@pytest.fixture(autouse=True)
def _trusted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SSL_CERT_FILE", str(CERTIFICATE))


def settings(site: H2Site, **changes: Any) -> Settings:
    resolve = dict.fromkeys(("a.test", "b.test", "other.test"), f"127.0.0.1:{site.port}")
    options: dict[str, Any] = {"timeout_seconds": 60.0, "retries": 0, "robots": False, "allow_private": True}
    return Settings(user_agent=AGENT, http2=True, resolve=resolve, **{**options, **changes})


def get(options: Settings, *urls: str) -> list[Response | FetchError]:
    async def one(client: Client, url: str) -> Response | FetchError:
        try:
            return await client.get(url)
        except FetchError as failure:
            return failure

    async def all_of_them() -> list[Response | FetchError]:
        async with Client(options) as client:
            return await asyncio.gather(*(one(client, url) for url in urls))

    return uvloop.run(all_of_them())


def test_many_requests_share_a_connection() -> None:
    pages = {f"/{i}": Reply(bytes([i]) * 100_000, headers={"etag": "1"}, delay_seconds=0.05) for i in range(8)}
    with H2Site(pages) as site:
        found = get(settings(site, per_host=4), *(f"https://a.test/{i}" for i in range(8)))
        assert site.protocols == ["h2"]
    bodies = [one.body for one in found if isinstance(one, Response)]
    assert bodies == [bytes([i]) * 100_000 for i in range(8)]
    first = found[0]
    assert isinstance(first, Response)
    assert (first.headers["etag"], first.url, first.status) == ("1", "https://a.test/0", 200)


def test_a_server_that_speaks_only_http_1_is_spoken_to_so() -> None:
    with H2Site({"/x": Reply(b"old")}, protocols=("http/1.1",)) as site:
        (found,) = get(settings(site), "https://a.test/x")
        assert site.protocols == ["http/1.1"]
    assert isinstance(found, Response)
    assert found.body == b"old"


@pytest.mark.parametrize("name", list(H2_EVILS))
def test_each_evil_ends_in_time_with_its_reason(name: str) -> None:
    with H2Site({f"/{name}": H2_EVILS[name][0]}) as site:
        # what ends by itself does so long before its deadline, however loaded the machine
        seconds = 0.7 if "timeout" in H2_EVILS[name][1] else 60.0
        (found,) = get(settings(site, max_bytes=1_000_000, timeout_seconds=seconds), f"https://a.test/{name}")
    assert isinstance(found, FetchError)
    assert found.reason in H2_EVILS[name][1], found


def test_evils_leave_the_good_alone_and_leak_nothing() -> None:
    pages = {f"/{name}": page for name, (page, _) in H2_EVILS.items()} | {"/x": Reply(b"good")}
    with H2Site(pages) as site:
        options = settings(site, max_bytes=1_000_000, per_host=32, give_up_after=0, give_up_after_timeouts=0)
        urls = [f"https://a.test/{name}" for name in H2_EVILS] + ["https://b.test/x"]
        get(options, *urls)
        gc.collect()
        before = descriptors(seconds=1)
        for _ in range(2):
            good = get(options, *urls)[-1]
            assert isinstance(good, Response)
        assert descriptors(most=before) <= before


@pytest.mark.parametrize(
    ("url", "changes", "why"),
    [
        ("https://a.test/x", {"allow_private": False}, "private_address"),
        ("https://127.0.0.1/x", {"allow_private": False}, "private_address"),
        ("https://a.test:8444/x", {}, "port"),
        ("https://other.test/x", {}, "tls"),
        ("https://nowhere.invalid/", {}, "dns"),
        ("https://a.test/x", {"resolve": {"a.test": "127.0.0.1:9"}}, "refused"),
        ("https://a.test/x", {"block_hosts": frozenset({"test"})}, "blocked_host"),
    ],
)
def test_the_guard_holds(url: str, changes: dict[str, Any], why: str) -> None:
    with H2Site({"/x": Reply(b"x")}) as site:
        options = settings(site, **{name: value for name, value in changes.items() if name != "resolve"})
        if "resolve" in changes:
            object.__setattr__(options, "resolve", changes["resolve"])
        (found,) = get(options, url)
        assert not site.paths
    assert isinstance(found, FetchError)
    assert found.reason == why


def test_a_name_that_changes_is_pinned() -> None:
    answers = iter([("127.0.0.1",), ("169.254.169.254",)])

    async def twice(site: H2Site) -> list[str]:
        options = Settings(
            user_agent=AGENT, http2=True, allow_private=True, ports=frozenset({site.port}), robots=False,
            retries=0,
        )  # fmt: skip
        async with Client(options, lookup=lambda _: next(answers)) as client:
            return [(await client.get(f"https://a.test:{site.port}/x")).body.decode() for _ in range(2)]

    with H2Site({"/x": Reply(b"pinned")}) as site:
        assert asyncio.run(twice(site)) == ["pinned", "pinned"]


def test_http2_through_a_proxy_is_refused() -> None:
    with pytest.raises(RecipeError, match="proxy"):
        Client(Settings(user_agent=AGENT, http2=True, proxy="http://127.0.0.1:3128"))


def test_without_the_library_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "httpcore2", None)
    with pytest.raises(MissingExtraError, match=r"witbuild\[http2\]"):
        Client(Settings(user_agent=AGENT, http2=True))


def test_the_guard_judges_the_very_address_that_is_connected_to() -> None:
    async def connect(site: H2Site) -> None:
        async with Client(settings(site)) as client:
            object.__setattr__(client._guard, "allow_private", False)  # as if the pinned answer had been let through
            begun = asyncio.Event()
            begun.set()
            client._resolver._known["a.test"] = Lookup(1e12, begun, asyncio.ensure_future(_pinned(site.port)))
            await client.get("https://a.test/x")

    with H2Site({"/x": Reply(b"x")}) as site:
        with pytest.raises(FetchError, match="private_address"):
            uvloop.run(connect(site))
        assert site.connections == 0


async def _pinned(port: int) -> Pinned:
    return Pinned(("127.0.0.1",), port)
