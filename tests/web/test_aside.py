"""Files of very many rules: read beside the event loop, with the same outcome, and small ones at once."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from protego import Protego

from witbuild.web import notices, robots
from witbuild.web.aside import LARGE_BYTES, Aside
from witbuild.web.reasons import FetchError

URL = "http://a.test/x/y.jpg"
PADDING = b"# nothing\n" * (LARGE_BYTES // 9)
LARGE = b"User-agent: *\nDisallow: /no\n" + PADDING


async def asked(kind: str) -> None:
    fetch: Callable[[str], Awaitable[bytes]] = answer
    if kind == "robots.txt":
        await robots.Robots(fetch, "bot").check(URL)
    else:
        await notices.Notices(fetch, "bot").signals(URL)


async def answer(url: str) -> bytes:
    return b"" if url.endswith(".json") else LARGE


@pytest.mark.parametrize("kind", ["robots.txt", "ai.txt"])
@pytest.mark.parametrize("work", ["parse", "can_fetch"])
def test_the_loop_goes_on_while_a_large_file_is_read(kind: str, work: str, monkeypatch: pytest.MonkeyPatch) -> None:
    begun, gone_on, seen = threading.Event(), threading.Event(), list[bool]()
    usual = getattr(Protego, work)

    def slow(*args: Any) -> Any:
        begun.set()
        seen.append(gone_on.wait(5))
        return usual(*args)

    monkeypatch.setattr(Protego, work, staticmethod(slow) if work == "parse" else slow)

    async def main() -> None:
        asking = asyncio.ensure_future(asked(kind))
        assert await asyncio.to_thread(begun.wait, 5)
        gone_on.set()
        await asking

    asyncio.run(main())
    assert seen == [True]


RULES = ["User-agent: *", "User-agent: bot", "Disallow: /x", "Allow: /x/y", "Disallow: /*.jpg$", "Disallow:"]
USAGE = ["Content-Usage: train-ai=n", "Content-Usage: /x train-ai=y", "Content-Usage: /x/ train-ai=n"]


@given(st.lists(st.sampled_from(RULES + USAGE), max_size=8))
def test_a_large_file_means_what_a_small_one_does(lines: list[str]) -> None:
    small = "".join(f"{line}\n" for line in lines).encode()

    async def verdict(body: bytes) -> object:
        async def fetch(_: str) -> bytes:
            return body

        known = robots.Robots(fetch, "bot")
        try:
            return (await known.check(URL))[1]
        except FetchError as error:
            return error.reason
        finally:
            known.close()

    assert asyncio.run(verdict(small)) == asyncio.run(verdict(small + PADDING))


def test_work_on_small_files_needs_no_thread() -> None:
    async def threads() -> list[int]:
        aside = Aside()
        found = [await aside.do(threading.get_ident, size) for size in (LARGE_BYTES, LARGE_BYTES + 1, 10**6)]
        aside.close()
        return found

    small, *large = asyncio.run(threads())
    assert small == threading.get_ident()
    assert small not in large
    assert len(set(large)) == 1


def test_what_was_not_begun_is_left_out() -> None:
    begun, end = threading.Event(), threading.Event()

    def first() -> bool:
        begun.set()
        return end.wait(5)

    async def main() -> bool:
        aside = Aside()
        tasks = [asyncio.ensure_future(aside.do(first, 10**6)) for _ in range(2)]
        assert await asyncio.to_thread(begun.wait, 5)
        aside.close()
        end.set()
        assert await tasks[0]
        with pytest.raises(asyncio.CancelledError):
            await tasks[1]
        return True

    assert asyncio.run(main())
