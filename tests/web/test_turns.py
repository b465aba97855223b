"""Turns on the wire: so many at once, hosts in trouble first, none lost to who went away."""

from __future__ import annotations

import asyncio

from witbuild.web.turns import Turns


async def _take(turns: Turns, name: str, order: list[str], *, first: bool = False) -> None:
    async with turns.turn(first=first):
        order.append(name)
        await asyncio.sleep(0)


def test_hosts_in_trouble_go_first_and_each_queue_in_order() -> None:
    async def many() -> list[str]:
        turns, order = Turns(1), list[str]()
        plain = [_take(turns, name, order) for name in ("a", "b", "c")]
        troubled = [_take(turns, name, order, first=True) for name in ("x", "y")]
        await asyncio.gather(*plain, *troubled)
        return order

    assert asyncio.run(many()) == ["a", "x", "y", "b", "c"]


def test_so_many_at_once() -> None:
    async def most() -> int:
        turns, now, seen = Turns(3), [0], list[int]()

        async def one() -> None:
            async with turns.turn(first=False):
                now[0] += 1
                seen.append(now[0])
                await asyncio.sleep(0.001)
                now[0] -= 1

        await asyncio.gather(*(one() for _ in range(20)))
        return max(seen)

    assert asyncio.run(most()) == 3


def test_a_turn_of_one_who_went_away_goes_to_the_next() -> None:
    async def left() -> list[str]:
        turns, order = Turns(1), list[str]()
        held = turns.turn(first=False)
        await held.__aenter__()
        gone = [asyncio.ensure_future(_take(turns, f"gone{i}", order)) for i in range(2)]
        last = asyncio.ensure_future(_take(turns, "last", order))
        await asyncio.sleep(0)
        gone[1].cancel()  # while it waits
        await held.__aexit__(None, None, None)
        gone[0].cancel()  # when the turn has been given to it, and before it runs
        await asyncio.gather(*gone, return_exceptions=True)
        await asyncio.wait_for(last, 5)
        await asyncio.wait_for(_take(turns, "again", order), 5)
        return order

    assert asyncio.run(left()) == ["last", "again"]
