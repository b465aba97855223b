"""Slots and crowds: pace by host, rest when told to, a slow host delays nobody."""

from __future__ import annotations

import asyncio

import pytest

from tests.virtual_time import clock, run
from witbuild.web import loop
from witbuild.web.crowd import visit_all
from witbuild.web.reasons import FetchError
from witbuild.web.slots import Slot


def slot(**changes: float) -> Slot:
    options = {"concurrency": 1, "delay_seconds": 0.0, "max_delay_seconds": 0.2, "give_up_after": 2, **changes}
    return Slot(
        concurrency=int(options["concurrency"]),
        delay_seconds=options["delay_seconds"],
        max_delay_seconds=options["max_delay_seconds"],
        give_up_after=int(options["give_up_after"]),
    )


async def _starts(one: Slot, count: int) -> list[float]:
    found: list[float] = []

    async def enter() -> None:
        async with one:
            found.append(clock())

    await asyncio.gather(*(enter() for _ in range(count)))
    return found


def test_starts_are_a_delay_apart_whatever_the_concurrency() -> None:
    found = run(_starts(slot(delay_seconds=0.05, concurrency=5), 4))
    assert found == pytest.approx([0, 0.05, 0.1, 0.15])


def test_a_robots_delay_can_only_slow() -> None:
    async def both() -> list[float]:
        one = slot(delay_seconds=0.1)
        one.slow_to(0.01)
        return await _starts(one, 2)

    first, second = run(both())
    assert second - first == pytest.approx(0.1)


def test_who_started_late_pushes_back_who_comes_next() -> None:
    async def late() -> tuple[list[bool], float]:
        one = slot(delay_seconds=0.1, max_delay_seconds=1.0, concurrency=2)
        async with one:  # its moment is now, but it waits for something else, and so does the next one
            await asyncio.sleep(0.15)
            async with one:
                found, start = [one.start(), one.start()], clock()
                await one.wait()
                return [*found, one.start()], clock() - start

    found, waited = run(late())
    assert found == [True, False, True]
    assert waited == pytest.approx(0.1)


def test_who_was_let_in_before_a_rest_or_the_end_does_not_start() -> None:
    async def told(seconds: float) -> bool:
        one = slot(max_delay_seconds=10.0)
        async with one:
            one.rest(seconds)
            return one.start()

    assert not run(told(5.0))
    assert not run(told(1e9))


def test_rest_holds_back_those_who_already_wait() -> None:
    async def rested() -> float:
        one = slot(delay_seconds=0.05, give_up_after=0)
        waiting = asyncio.ensure_future(_starts(one, 2))
        await asyncio.sleep(0.01)
        one.rest(1e9)
        start = clock()
        await waiting
        return clock() - start

    assert run(rested()) == pytest.approx(0.2)


def test_failures_in_a_row_end_the_host_and_others_do_not_count() -> None:
    one = slot(give_up_after=2)
    for failure in (FetchError("timeout"), FetchError("http_404"), FetchError("reset"), None, FetchError("dns")):
        one.note(failure)
        one.check()
    one.note(FetchError("http_503"))
    with pytest.raises(FetchError, match="host_gave_up"):
        one.check()


def test_a_host_that_only_answers_for_its_rules_has_half_the_credit() -> None:
    one, other = slot(give_up_after=6), slot(give_up_after=6)
    one.note(FetchError("http_404"), rules=True)
    other.note(None)
    for _ in range(3):
        one.check()
        one.note(FetchError("short_body"))
        other.note(FetchError("short_body"))
    with pytest.raises(FetchError, match="3 failures in a row"):
        one.check()
    other.check()
    assert other.in_trouble


def test_a_host_given_up_frees_those_who_wait() -> None:
    async def waiting() -> list[object]:
        one = slot(delay_seconds=0.05, give_up_after=1)
        many = [asyncio.ensure_future(_starts(one, 1)) for _ in range(5)]
        await asyncio.sleep(0.01)
        one.note(FetchError("timeout"))
        return await asyncio.gather(*many, return_exceptions=True)

    assert sum(isinstance(outcome, FetchError) for outcome in run(waiting())) == 4


@pytest.mark.parametrize(("seconds", "give_up_after", "shut"), [(1e9, 2, True), (0.0, 2, False), (1e9, 0, False)])
def test_a_host_that_asks_for_more_than_is_waited_is_not_asked_again(
    *, seconds: float, give_up_after: int, shut: bool
) -> None:
    async def ask() -> str:
        one = slot(max_delay_seconds=0.1, give_up_after=give_up_after)
        one.rest(seconds)
        try:
            async with one:
                return "asked"
        except FetchError as failure:
            return failure.reason

    assert run(ask()) == ("host_gave_up" if shut else "asked")


def test_a_slow_host_delays_nobody() -> None:
    done: dict[str, float] = {}

    async def visit(url: str) -> None:
        await asyncio.sleep(0.1 if "slow" in url else 0.001)
        done[url] = clock()

    urls = [f"http://slow.test/{i}" for i in range(6)] + [f"http://h{i}.test/" for i in range(50)]
    run(visit_all(urls, visit, hosts=10, per_host=1))
    assert len(done) == 56
    assert max(when for url, when in done.items() if "slow" not in url) < 0.11


def test_a_hosts_urls_go_in_order_and_so_many_at_once() -> None:
    order: list[str] = []
    now = [0, 0]

    async def visit(url: str) -> None:
        order.append(url)
        now[0] += 1
        now[1] = max(now)
        await asyncio.sleep(0.001)
        now[0] -= 1

    urls = [f"http://a.test/{i}" for i in range(20)]
    run(visit_all(urls, visit, hosts=3, per_host=2))
    assert order == urls
    assert now[1] == 2


def test_every_host_is_tried_out_and_then_the_slowest_goes_first() -> None:
    order: list[str] = []
    now = 0.0

    async def visit(url: str) -> None:
        nonlocal now
        order.append(url.removeprefix("http://"))
        now += {"a": 1, "b": 100, "c": 10}[order[-1][0]]
        await asyncio.sleep(0)

    urls = [f"http://{host}.test/{i}" for host in "abc" for i in range(3)]
    run(visit_all(urls, visit, hosts=1, per_host=1, clock=lambda: now))
    rest = [f"{host}.test/{i}" for host in "bca" for i in (1, 2)]
    assert order == ["a.test/0", "b.test/0", "c.test/0", *rest]


def test_a_host_is_tried_out_by_as_many_as_may_go_at_once() -> None:
    at_once: list[int] = []
    now: set[str] = set()

    async def visit(url: str) -> None:
        now.add(url)
        await asyncio.sleep(0)
        at_once.append(len(now))
        now.discard(url)

    run(visit_all([f"http://a.test/{i}" for i in range(7)], visit, hosts=1, per_host=3))
    assert max(at_once) == 3
    assert at_once[0] == 3


def test_hosts_of_few_urls_are_done_at_once() -> None:
    order: list[str] = []

    async def visit(url: str) -> None:
        order.append(url)
        await asyncio.sleep(0)

    urls = [f"http://{host}.test/{i}" for host in "ab" for i in range(2)]
    run(visit_all(urls, visit, hosts=1, per_host=2))
    assert order == urls


def test_an_error_ends_everything_as_itself() -> None:
    async def visit(url: str) -> None:
        await asyncio.sleep(0.001)
        if "bad" in url:
            raise OSError(28, "No space left on device")

    with pytest.raises(OSError, match="No space"):
        loop.run(visit_all(["http://a.test/", "http://bad.test/"], visit, hosts=2, per_host=1))
