"""The resolver: one lookup for many, kept; overrides; nothing unchecked comes out."""

from __future__ import annotations

import asyncio
import socket
import threading
import time

import pytest

from witbuild.web import resolver as resolver_module
from witbuild.web.addresses import Guard
from witbuild.web.reasons import FetchError
from witbuild.web.resolver import Pinned, Resolver


class Names:
    def __init__(self, **known: tuple[str, ...]) -> None:
        self.known = known
        self.asked: list[str] = []

    def __call__(self, host: str) -> tuple[str, ...]:
        self.asked.append(host)
        time.sleep(0.02)
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return self.known[host]


async def _pins(resolver: Resolver, *hosts: str) -> list[Pinned | FetchError]:
    outcomes = await asyncio.gather(*(resolver.pin(host) for host in hosts), return_exceptions=True)
    await resolver.close()
    return [outcome for outcome in outcomes if isinstance(outcome, Pinned | FetchError)]


def test_one_lookup_serves_all_who_wait_failures_too() -> None:
    names = Names(good=("1.1.1.1", "2606:4700::1"))
    found = asyncio.run(_pins(Resolver(Guard(), lookup=names), *["good"] * 9, *["gone"] * 9))
    assert sorted(names.asked) == ["gone", "good"]
    assert found[0] == Pinned(("1.1.1.1", "2606:4700::1"))
    assert [str(failure) for failure in found[9:]] == ["dns: gone: Name or service not known"] * 9


@pytest.mark.parametrize("inside", ["127.0.0.1", "::1", "10.1.2.3", "169.254.169.254", "64:ff9b::7f00:1", "fe80::1%lo"])
def test_names_that_lead_inside_lead_nowhere(inside: str) -> None:
    (outcome,) = asyncio.run(_pins(Resolver(Guard(), lookup=Names(evil=(inside,))), "evil"))
    assert isinstance(outcome, FetchError)
    assert outcome.reason == "private_address"


def test_an_override_is_checked_like_any_answer() -> None:
    names = Names()
    overrides = {"A.test": "127.0.0.1:8000", "b.test": "[::1]:80"}
    opened = asyncio.run(_pins(Resolver(Guard(allow_private=True), overrides, names), "a.test", "b.test"))
    assert opened == [Pinned(("127.0.0.1",), 8000), Pinned(("::1",), 80)]
    (closed,) = asyncio.run(_pins(Resolver(Guard(), overrides, names), "a.test"))
    assert isinstance(closed, FetchError)
    assert names.asked == []


def test_aiohttp_is_told_the_pinned_port() -> None:
    async def told() -> tuple[str, int]:
        resolver = Resolver(Guard(allow_private=True), {"a.test": "127.0.0.1:8000"})
        (entry,) = await resolver.resolve("a.test", 80)
        await resolver.close()
        return entry["host"], entry["port"]

    assert asyncio.run(told()) == ("127.0.0.1", 8000)


def test_a_waiter_that_leaves_does_not_end_the_lookup() -> None:
    names, answered = Names(good=("1.1.1.1",)), threading.Event()

    def slow(host: str) -> tuple[str, ...]:
        answered.wait()
        return names(host)

    async def leave() -> Pinned:
        resolver = Resolver(Guard(), lookup=slow)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.005):
                await resolver.pin("good")
        answered.set()
        found = await resolver.pin("good")
        await resolver.close()
        return found

    assert asyncio.run(leave()) == Pinned(("1.1.1.1",))
    assert names.asked == ["good"]


def test_waiting_for_a_thread_is_told_from_the_lookup(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolver_module, "THREADS", 1)
    done: list[str] = []
    noted = {host: threading.Event() for host in ("first", "second", "fixed")}

    def lookup(host: str) -> tuple[str, ...]:
        noted[host].wait()
        done.append(host)
        return ("1.1.1.1",)

    async def seen() -> dict[str, list[str]]:
        found, resolver = dict[str, list[str]](), Resolver(Guard(), {"fixed": "8.8.8.8:80"}, lookup)

        async def note(host: str) -> None:
            await resolver.begun(host)
            found[host] = list(done)
            noted[host].set()
            await resolver.pin(host)

        await asyncio.gather(*map(note, ("first", "second", "second", "fixed")))
        await resolver.close()
        return found

    assert asyncio.run(seen()) == {"first": [], "second": ["first"], "fixed": []}
