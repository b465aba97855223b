"""The client against a site that misbehaves: each evil ends in time and costs one word."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import time
import zlib
from collections.abc import Awaitable, Callable, Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import uvloop

from tests.server import EVILS, OK, Reply, Site, evil_pages, redirect
from witbuild.errors import PolicyError, WorkerError
from witbuild.web import turns, wire
from witbuild.web.client import Budget, Client, FetchError, Head, Response, Settings

AGENT = "witbuild-test/0 (+http://contact.test/)"


@pytest.fixture(scope="module")
def evil() -> Iterator[Site]:
    with Site(evil_pages()) as site:
        yield site


def settings(site: Site, *hosts: str, **changes: Any) -> Settings:
    options = {
        "timeout_seconds": 60.0,
        "retries": 0,
        "backoff_seconds": 0.05,
        "max_delay_seconds": 0.2,
        "robots": False,
    }
    return Settings(
        user_agent=AGENT, allow_private=True, resolve=site.resolve("a.test", *hosts), **{**options, **changes}
    )


def get(options: Settings, url: str, **arguments: Any) -> Response:
    async def one() -> Response:
        async with Client(options) as client:
            return await client.get(url, **arguments)

    return uvloop.run(one())


def reason(options: Settings, url: str, **arguments: Any) -> str:
    with pytest.raises(FetchError) as caught:
        get(options, url, **arguments)
    return caught.value.reason


@pytest.mark.parametrize("name", list(EVILS))
def test_each_evil_ends_in_time_with_its_reason(evil: Site, name: str) -> None:
    expected = EVILS[name][1]
    # what ends by itself does so long before its deadline, however loaded the machine
    options = settings(evil, max_bytes=1_000_000, timeout_seconds=0.5 if expected == "timeout" else 60.0)
    assert reason(options, f"http://a.test/evil/{name}") == expected


def test_evils_with_retries_end_within_one_deadline(evil: Site) -> None:
    async def both() -> list[object]:
        async with Client(settings(evil, retries=3, timeout_seconds=0.4)) as client:
            urls = (
                f"http://a.test/evil/{name}" for name in ("short_body", "reset", "too_many_requests", "unavailable")
            )
            return await asyncio.gather(*(client.get(url) for url in urls), return_exceptions=True)

    assert all(isinstance(outcome, FetchError) for outcome in uvloop.run(both()))


def test_a_crowd_of_evils_leaks_no_descriptor(evil: Site) -> None:
    async def crowd() -> None:
        async with Client(settings(evil, timeout_seconds=0.5, per_host=64, give_up_after=0)) as client:
            await asyncio.gather(*(_outcome(client, f"http://a.test/evil/{name}") for name in EVILS))

    uvloop.run(crowd())
    before = descriptors(seconds=1)
    for _ in range(3):
        uvloop.run(crowd())
    assert descriptors(most=before) <= before


def descriptors(most: int = 0, seconds: float = 60) -> int:
    """Count open descriptors; the site's own end of a connection may take a moment to close."""
    patience = time.monotonic() + seconds
    while True:
        gc.collect()
        count = _open_files()
        if count <= most or time.monotonic() > patience:
            return count
        time.sleep(0.05)


def _open_files() -> int:
    return len(list(Path("/proc/self/fd").iterdir()))


async def _outcome(client: Client, url: str) -> str:
    try:
        return str((await client.get(url)).status)
    except FetchError as failure:
        return failure.reason


def outcomes(options: Settings, urls: list[str]) -> list[str]:
    async def all_of_them() -> list[str]:
        async with Client(options) as client:
            return await asyncio.gather(*(_outcome(client, url) for url in urls))

    return uvloop.run(all_of_them())


def test_a_good_answer_is_whole() -> None:
    body = os.urandom(3_000_000)
    with Site({"http://a.test/x": Reply(body, headers={"ETag": '"1"', "X-Twice": "a"})}) as site:
        response = get(settings(site), "http://A.test/x#part")
    assert response.body == body
    assert (response.url, response.status, response.redirects) == ("http://a.test/x", 200, ())
    assert response.headers["etag"] == '"1"'
    assert site.headers[0]["user-agent"] == AGENT.lower()


@pytest.mark.parametrize(
    ("encoding", "pack"),
    [
        ("gzip", lambda body: zlib.compress(body, wbits=31)),
        ("deflate", zlib.compress),
        ("deflate", lambda body: zlib.compress(body, wbits=-15)),
        ("identity", bytes),
    ],
)
def test_a_compressed_body_is_unpacked(encoding: str, pack: Callable[[bytes], bytes]) -> None:
    with Site({"/x": Reply(pack(b"text" * 99), headers={"Content-Encoding": encoding})}) as site:
        assert get(settings(site), "http://a.test/x").body == b"text" * 99


def test_redirects_are_followed_and_kept() -> None:
    pages = {
        "http://a.test/1": redirect("//b.test/2", 301),
        "http://b.test/2": redirect("3 4", 308),
        "http://b.test/3%204": Reply(b"end"),
    }
    with Site(pages) as site:
        response = get(settings(site, "b.test"), "http://a.test/1")
    assert response.redirects == ("http://a.test/1", "http://b.test/2")
    assert (response.url, response.body) == ("http://b.test/3%204", b"end")


def test_a_long_chain_of_redirects_ends() -> None:
    with Site({f"/{i}": redirect(f"/{i + 1}") for i in range(9)}) as site:
        assert reason(settings(site, max_redirects=5), "http://a.test/0") == "redirect_loop"
        assert sum(site.hits.values()) == 6


@pytest.mark.parametrize(
    ("url", "why"),
    [
        ("ftp://a.test/", "bad_url"),
        ("no url", "bad_url"),
        ("http://user:word@a.test/", "bad_url"),
        ("http://a.test:25/", "port"),
        ("http://2852039166/", "private_address"),
        ("http://[::]/", "private_address"),
        ("http://nowhere.invalid/", "dns"),
        ("http://" + "a" * 70 + ".test/", "dns"),
    ],
)
def test_what_cannot_be_asked_is_refused(evil: Site, url: str, why: str) -> None:
    assert reason(settings(evil), url) == why


def test_loopback_is_closed_without_allow_private(evil: Site) -> None:
    options = Settings(user_agent=AGENT, resolve=evil.resolve("a.test"))
    assert reason(options, "http://a.test/") == "private_address"
    assert reason(options, "http://127.0.0.1/") == "private_address"
    assert reason(options, "http://localhost/") == "private_address"


def test_a_name_that_changes_is_pinned() -> None:
    answers = iter([("93.184.215.14",), ("127.0.0.1",)])

    async def twice() -> list[str]:
        options = Settings(user_agent=AGENT, timeout_seconds=0.2, retries=0, robots=False)
        async with Client(options, lookup=lambda _: next(answers)) as client:
            return [await _outcome(client, "http://rebinding.test/") for _ in range(2)]

    assert "private_address" not in uvloop.run(twice())
    assert list(answers) == [("127.0.0.1",)]


def test_one_inside_address_among_public_ones_is_never_used() -> None:
    async def pinned() -> tuple[str, ...]:
        async with Client(Settings(user_agent=AGENT), lookup=lambda _: ("10.0.0.1", "1.1.1.1", "::1")) as client:
            return (await client._resolver.pin("mixed.test")).addresses

    assert uvloop.run(pinned()) == ("1.1.1.1",)


def test_the_socket_itself_is_checked_last(evil: Site) -> None:
    async def connect() -> None:
        async with Client(Settings(user_agent=AGENT)) as client:
            client._socket((2, 1, 6, "", ("127.0.0.1", 80)))

    with pytest.raises(PermissionError):
        uvloop.run(connect())


def test_retries_bring_what_comes_back() -> None:
    flaky = iter([503, 429, 200])

    async def answer(writer: asyncio.StreamWriter) -> None:
        writer.write(Reply(b"at last", status=next(flaky)).encode())
        await writer.drain()

    with Site({"/x": answer}) as site:
        assert get(settings(site, retries=2), "http://a.test/x").body == b"at last"


def test_a_failure_that_will_not_pass_is_not_repeated() -> None:
    with Site({}) as site:
        assert reason(settings(site, retries=3), "http://a.test/x") == "http_404"
        assert site.hits["http://a.test/x"] == 1


def test_a_host_is_asked_so_often_at_once_and_so_far_apart() -> None:
    pages = {f"/{i}": Reply(b"x", delay_seconds=0.05) for i in range(6)}
    with Site(pages) as site:
        urls = [f"http://{host}.test/{i}" for host in "ab" for i in range(6)]
        assert outcomes(settings(site, "b.test", per_host=2), urls) == ["200"] * 12
        assert (site.peak["a.test"], site.peak["b.test"]) == (2, 2)
        site.starts.clear()
        outcomes(settings(site, "b.test", per_host=2, delay_seconds=0.5), urls[:3])
        gaps = [b - a for a, b in pairwise(site.starts["a.test"])]
        assert min(gaps) > 0.25  # a request may take a moment to be seen


class _Held:
    """Room for one body after the other."""

    def __init__(self) -> None:
        self.wanted = 0

    async def for_request(self) -> None:
        self.wanted += 1

    async def for_body(self, head: Head) -> None:
        """Is there."""

    def put_back(self) -> None:
        self.wanted -= 1


def test_a_host_is_asked_so_far_apart_however_long_its_requests_waited_for_the_wire() -> None:
    pages = {"http://a.test/slow": Reply(b"x", delay_seconds=1.0), "/0": Reply(b"x"), "/1": Reply(b"x")}

    async def ask(site: Site) -> list[int]:
        options = settings(site, "b.test", connections=1, per_host=2, delay_seconds=0.5)
        rooms = [_Held() for _ in range(3)]
        async with Client(options) as client, asyncio.TaskGroup() as tasks:
            tasks.create_task(client.get("http://a.test/slow", room=rooms[0]))
            await asyncio.sleep(0.05)
            for number, room in enumerate(rooms[1:]):
                tasks.create_task(client.get(f"http://b.test/{number}", room=room))
        return [room.wanted for room in rooms]

    with Site(pages) as site:
        assert uvloop.run(ask(site)) == [1, 1, 1]
        first, second = site.starts["b.test"]
    assert second - first > 0.25


@pytest.mark.parametrize(
    "moment", ["Mon, 01 Jan 99999999999 00:00:00 GMT", "01 Jan 2024 00:00:00 +99999999999999999999", "-1", "\u00b2"]
)
def test_a_moment_that_cannot_be_costs_the_url_alone(moment: str) -> None:
    with Site({"/busy": Reply(status=429, headers={"Retry-After": moment})}) as site:
        assert reason(settings(site), "http://a.test/busy") == "http_429"


def test_a_dead_host_is_given_up_and_delays_nobody(evil: Site) -> None:
    with Site({"http://b.test/x": Reply(b"fine")}) as site:
        resolve = {**evil.resolve("a.test"), **site.resolve("b.test")}
        options = Settings(
            user_agent=AGENT, allow_private=True, resolve=resolve, timeout_seconds=1.0, retries=0, robots=False,
            give_up_after=2, per_host=1,
        )  # fmt: skip
        urls = ["http://a.test/evil/silence"] * 6 + ["http://b.test/x"]
        found = outcomes(options, urls)
    assert found == ["timeout"] * 2 + ["host_gave_up"] * 4 + ["200"]
    assert site.starts["b.test"][0] < evil.starts["a.test"][-1]


def test_retry_after_makes_the_whole_host_wait_no_longer_than_allowed() -> None:
    pages = {"/busy": Reply(status=429, headers={"Retry-After": "1000000000"}), "/x": Reply(b"x")}
    with Site(pages) as site:
        options = settings(site, per_host=1, max_delay_seconds=0.5, give_up_after=0)
        assert outcomes(options, ["http://a.test/busy", "http://a.test/x"]) == ["http_429", "200"]
        first, second = site.starts["a.test"]
    assert second - first > 0.25


def test_a_host_whose_retry_after_is_longer_than_is_waited_is_left_alone() -> None:
    pages = {"/busy": Reply(status=429, headers={"Retry-After": "1000000000"}), "/x": Reply(b"x")}
    with Site(pages) as site:
        options = settings(site, per_host=1, max_delay_seconds=0.3)
        assert outcomes(options, ["http://a.test/busy", "http://a.test/x"]) == ["http_429", "host_gave_up"]
        assert len(site.starts["a.test"]) == 1


def test_the_head_can_be_refused_before_the_body() -> None:
    def refuse(head: Head) -> None:
        raise FetchError("not_wanted", head.headers["content-type"])

    with Site({"/x": Reply(b"x" * 100, headers={"Content-Type": "text/html"})}) as site:
        assert reason(settings(site), "http://a.test/x", inspect=refuse) == "not_wanted"


def test_a_conditional_request_may_be_answered_with_not_modified() -> None:
    with Site({"/x": Reply(status=304, headers={"ETag": '"1"'})}) as site:
        response = get(settings(site), "http://a.test/x", headers={"If-None-Match": '"1"'})
    assert (response.status, response.body) == (304, b"")


@pytest.mark.parametrize("agent", ["", "Mozilla/5.0", "bot\r\nX: y a@b.test", "böt (a@b.test)"])
def test_a_user_agent_without_a_contact_is_refused(agent: str) -> None:
    with pytest.raises(PolicyError, match="user_agent"):
        Client(Settings(user_agent=agent))


@pytest.mark.parametrize("text", ["127.0.0.1", "127.0.0.1:", "127.0.0.1:0", "127.0.0.1:x", ":80"])
def test_an_override_that_is_none_is_refused(text: str) -> None:
    with pytest.raises(PolicyError, match="address:port"):
        Client(Settings(user_agent=AGENT, resolve={"a.test": text}))


def test_leaving_early_leaves_nothing_behind(evil: Site) -> None:
    async def leave() -> None:
        async with Client(settings(evil, robots=True)) as client:
            waiting = asyncio.ensure_future(client.get("http://a.test/evil/silence"))
            await asyncio.sleep(0.1)
            waiting.cancel()
            with pytest.raises(asyncio.CancelledError):
                await waiting

    uvloop.run(leave())


def test_waiting_for_room_costs_no_deadline_and_is_no_time_on_the_wire() -> None:
    class Slow:
        async def for_request(self) -> None:
            await asyncio.sleep(0.8)

        async def for_body(self, head: Head) -> None:
            await asyncio.sleep(0.8)

        def put_back(self) -> None:
            """Hold nothing."""

    async def ask(site: Site, path: str) -> Budget:
        budget = Budget(0.7)
        async with Client(settings(site)) as client:
            await client.get(f"http://a.test{path}", room=Slow(), budget=budget)
        return budget

    with Site({"/x": Reply(b"x"), "/drip": EVILS["drip"][0]}) as site:
        budget = uvloop.run(ask(site, "/x"))
        with pytest.raises(FetchError, match="timeout"):
            uvloop.run(ask(site, "/drip"))
    assert budget.spent < 0.7
    assert budget.left == pytest.approx(0.7 - budget.spent)
    assert budget.started is not None
    assert abs(budget.started - time.time()) < 1_000


def test_a_host_that_answers_for_its_robots_alone_is_given_up_after_half_as_many(evil: Site) -> None:
    changes = {"timeout_seconds": 0.8, "per_host": 1, "give_up_after_timeouts": 4, "robots": True}
    found = outcomes(settings(evil, **changes), ["http://a.test/evil/silence"] * 4)
    assert found == ["timeout"] * 2 + ["host_gave_up"] * 2
    found = outcomes(settings(evil, **changes), ["http://a.test/evil/gone", *["http://a.test/evil/silence"] * 5])
    assert found == ["http_410", *["timeout"] * 4, "host_gave_up"]


def test_a_host_in_trouble_does_not_queue_behind_the_others() -> None:
    pages = {"/down": Reply(status=503), **{f"/{i}": Reply(b"x", delay_seconds=0.06) for i in range(10)}}
    with Site(pages) as site:
        options = settings(site, "b.test", connections=1, per_host=20, retries=1, backoff_seconds=0.01)
        outcomes(options, ["http://a.test/down", *(f"http://b.test/{i}" for i in range(10))])
        assert len(site.starts["a.test"]) == 2
        assert sum(start < site.starts["a.test"][1] for start in site.starts["b.test"]) <= 2


@pytest.mark.parametrize("name", ["drip", "chunks_without_end"])
def test_a_body_that_cannot_be_whole_in_time_is_not_waited_for(
    evil: Site, name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_TRIED_SECONDS", 0.3)
    with pytest.raises(FetchError, match="timeout: too slow to be whole by the deadline"):
        get(settings(evil), f"http://a.test/evil/{name}")


def test_a_slow_body_that_will_be_whole_in_time_is_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    async def slowly(writer: asyncio.StreamWriter) -> None:
        writer.write(OK + b"Content-Length: 10\r\n\r\n")
        for _ in range(10):
            await asyncio.sleep(0.05)
            writer.write(b"x")
            await writer.drain()

    monkeypatch.setattr(wire, "_TRIED_SECONDS", 0.1)
    with Site({"/slow": slowly}) as site:
        assert get(settings(site), "http://a.test/slow").body == b"x" * 10


def test_a_host_that_times_out_is_given_up_sooner_than_one_that_fails_at_once(evil: Site) -> None:
    options = settings(evil, timeout_seconds=0.8, per_host=1, give_up_after=9, give_up_after_timeouts=2)
    found = outcomes(options, ["http://a.test/evil/silence"] * 5)
    assert found == ["timeout"] * 2 + ["host_gave_up"] * 3
    patient = settings(evil, per_host=1, give_up_after=10, give_up_after_timeouts=2)
    assert outcomes(patient, ["http://a.test/evil/reset"] * 5) == ["reset"] * 5
    mixed = ["silence", "gone", "silence", "silence", "silence"]  # an answer between them
    found = outcomes(options, [f"http://a.test/evil/{name}" for name in mixed])
    assert found == ["timeout", "http_410", "timeout", "timeout", "host_gave_up"]


def test_an_answer_that_lies_unread_when_the_deadline_is_noticed_late_is_read() -> None:
    loops: list[asyncio.AbstractEventLoop] = []

    def answer(content: bytes) -> Callable[[asyncio.StreamWriter], Awaitable[None]]:
        begun, sent = threading.Event(), threading.Event()

        def busy() -> None:  # as if this machine had other work from before the answer until after the deadline
            begun.set()
            sent.wait()
            time.sleep(1.2)

        async def behave(writer: asyncio.StreamWriter) -> None:
            loops[-1].call_soon_threadsafe(busy)
            begun.wait()
            writer.write(content)
            await writer.drain()
            sent.set()
            await asyncio.sleep(3600)

        return behave

    async def ask(site: Site, path: str) -> Response:
        loops.append(asyncio.get_running_loop())
        async with Client(settings(site, timeout_seconds=1.0)) as client:
            return await client.get(f"http://a.test{path}")

    with Site({"/x": answer(Reply(b"x").encode()), "/silence": answer(b"")}) as site:
        assert uvloop.run(ask(site, "/x")).body == b"x"
        with pytest.raises(FetchError, match="timeout"):
            uvloop.run(ask(site, "/silence"))


def test_more_requests_than_this_machine_can_serve_at_once_wait_at_no_cost(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turns, "FIRST", 8)

    def busy(_: Head) -> None:
        time.sleep(0.02)

    async def all_of_them(site: Site) -> list[Response]:
        options = settings(site, timeout_seconds=1.0, connections=200, per_host=200)
        async with Client(options) as client:
            return await asyncio.gather(*(client.get(f"http://a.test/{i}", inspect=busy) for i in range(200)))

    with Site({f"/{i}": Reply(b"x") for i in range(200)}) as site:
        start = time.monotonic()
        assert len(uvloop.run(all_of_them(site))) == 200
    assert time.monotonic() - start > 3.9  # as long as it takes, many times the deadline


def test_hosts_that_were_asked_do_not_hold_connections_for_ever() -> None:
    hosts = [f"h{i}.test" for i in range(60)]

    async def ask(site: Site) -> None:
        async with Client(settings(site, *hosts, connections=4)) as client:
            most = _open_files() + 2 * (2 * 4 + 2)  # the site's ends count as well, and may take a moment to close
            for host in hosts:
                await client.get(f"http://{host}/x")
                patience = time.monotonic() + 10
                while _open_files() > most:
                    assert time.monotonic() < patience, "connections stay open"
                    await asyncio.sleep(0.01)

    with Site({"/x": Reply(b"x")}) as site:
        uvloop.run(ask(site))


def test_no_more_files_is_no_fault_of_a_hosts(evil: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(24, "Too many open files")

    monkeypatch.setattr(Client, "_socket", full)
    with pytest.raises(WorkerError, match="open files"):
        get(settings(evil), "http://a.test/")


def test_a_dead_name_server_is_no_fault_of_other_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("witbuild.web.resolver.THREADS", 1)

    def lookup(host: str) -> tuple[str, ...]:
        time.sleep(2 if host == "dead.test" else 0)
        return ("127.0.0.1",)

    async def both(site: Site) -> list[str]:
        options = Settings(
            user_agent=AGENT, allow_private=True, ports=frozenset({site.port}), timeout_seconds=1.0, retries=0,
            robots=False,
        )  # fmt: skip
        async with Client(options, lookup=lookup) as client:
            urls = [f"http://{host}.test:{site.port}/x" for host in ("dead", "a", "b")]
            return await asyncio.gather(*(_outcome(client, url) for url in urls))

    with Site({"/x": Reply(b"x")}) as site:
        assert uvloop.run(both(site)) == ["timeout", "200", "200"]
