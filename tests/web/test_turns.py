"""Turns on the wire: so many at once, hosts in trouble first, none lost to who went away."""

from __future__ import annotations

import asyncio

from witbuild.web.turns import FIRST, Turns


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
        await asyncio.wait_for(last, 100)
        await asyncio.wait_for(_take(turns, "again", order), 100)
        return order

    assert asyncio.run(left()) == ["last", "again"]


async def _hold(turns: Turns, count: int) -> list[asyncio.Task[None]]:
    async def one() -> None:
        async with turns.turn(first=False):
            await asyncio.sleep(3600)

    tasks = [asyncio.ensure_future(one()) for _ in range(count)]
    await asyncio.sleep(0)
    return tasks


def test_turns_become_more_while_the_loop_is_quick_and_fewer_when_it_is_late() -> None:
    async def opened() -> list[int]:
        turns = Turns(2 * FIRST)
        tasks = await _hold(turns, 3 * FIRST)
        found = [turns.open]
        for late in (0.0, 0.1, 0.0, 0.0, 0.0, 0.0, 1.0, 1.0):
            turns.adapt(late)
            found.append(turns.open)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    first, more = FIRST, FIRST + 64
    assert asyncio.run(opened()) == [first, more, more, more + 64, more + 128, 512, 512, first, first]


def test_turns_that_nobody_wants_are_not_opened() -> None:
    async def opened() -> int:
        turns = Turns(10 * FIRST)
        tasks = await _hold(turns, FIRST - 1)
        turns.adapt(0.0)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return turns.open

    assert asyncio.run(opened()) == FIRST


def test_fewer_turns_than_are_held_let_nobody_in_until_they_are_few_enough() -> None:
    async def many() -> tuple[int, int]:
        turns, order = Turns(2 * FIRST), list[str]()
        held = await _hold(turns, 2 * FIRST)
        for _ in range(4):
            turns.adapt(0.0)
        await asyncio.sleep(0)
        turns.adapt(1.0)
        waiting = asyncio.ensure_future(_take(turns, "x", order))
        for task in held[:FIRST]:
            task.cancel()
        await asyncio.gather(*held[:FIRST], return_exceptions=True)
        before = len(order)
        held[FIRST].cancel()
        await waiting
        for task in held:
            task.cancel()
        await asyncio.gather(*held, return_exceptions=True)
        return before, len(order)

    assert asyncio.run(many()) == (0, 1)


def test_hosts_begin_as_those_before_them_go_on_the_wire() -> None:
    async def begun() -> list[int]:
        turns, count, found = Turns(4), [0], list[int]()

        async def begin() -> None:
            await turns.ready()
            count[0] += 1
            async with turns.turn(first=False):
                await asyncio.sleep(3600)

        tasks = [asyncio.ensure_future(begin()) for _ in range(20)]
        for _ in range(4):
            await asyncio.sleep(0.01)
            found.append(count[0])
            turns.adapt(0.0)
        tasks[0].cancel()
        await asyncio.sleep(0.01)
        turns.adapt(0.0)
        await asyncio.sleep(0.01)
        found.append(count[0])
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        return found

    # four on the wire, four waiting; then one more for each that has left
    assert asyncio.run(begun()) == [4, 8, 8, 8, 9]
