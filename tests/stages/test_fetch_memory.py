"""Room for bodies: as many bytes as allowed, in the order of their heads, none lost when who waits goes away."""

from __future__ import annotations

import asyncio

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.stages.fetch.memory import Memory
from witbuild.web.client import Head


def head(size: int) -> Head:
    return Head("http://a.test/", 200, {"content-length": str(size)})


@given(st.lists(st.integers(1, 60), min_size=1, max_size=40), st.integers(1, 60))
def test_no_more_than_allowed_but_always_one(sizes: list[int], most: int) -> None:
    memory, found = Memory(most), list[int]()

    async def one(number: int, size: int) -> None:
        with memory.body() as room:
            await room.for_body(head(size))
            assert memory.held <= max(most, *sizes)
            found.append(number)
            await asyncio.sleep(0)

    async def all_of_them() -> None:
        await asyncio.gather(*(one(number, size) for number, size in enumerate(sizes)))

    asyncio.run(all_of_them())
    assert found == list(range(len(sizes)))
    assert memory.held == 0


@pytest.mark.parametrize("granted", [False, True])
def test_who_goes_away_leaves_room(*, granted: bool) -> None:
    memory = Memory(10)

    async def one() -> None:
        with memory.body() as room:
            await room.for_body(head(10))
            await asyncio.sleep(0.01)

    async def leave() -> None:
        first, second = asyncio.ensure_future(one()), asyncio.ensure_future(one())
        await asyncio.sleep(0.005)
        if granted:
            await first  # the room is given to the second, which does not know of it yet
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.wait_for(one(), 100)

    asyncio.run(leave())
    assert memory.held == 0


def test_requests_wait_for_the_room_that_bodies_seem_to_need() -> None:
    memory, begun = Memory(250_000), list[int]()

    async def one(number: int) -> None:
        with memory.body() as room:
            await room.for_request()
            begun.append(number)
            await asyncio.sleep(0.01 if number < 2 else 0)
            await room.for_body(head(90_000))

    async def all_of_them() -> None:
        work = [asyncio.ensure_future(one(number)) for number in range(20)]
        await asyncio.sleep(0.005)
        assert begun == [0, 1]  # bodies are taken for 100,000 bytes at first
        await asyncio.gather(*work)

    asyncio.run(all_of_them())
    assert begun == list(range(20))
    assert memory.held == 0
    assert 90_000 <= memory.guess < 96_000


def test_bodies_larger_than_guessed_do_not_wait_for_each_other() -> None:
    memory = Memory(200_000)

    async def one() -> None:
        with memory.body() as room:
            await room.for_request()
            await asyncio.sleep(0.01)
            await room.for_body(head(150_000))

    async def all_of_them() -> None:
        await asyncio.wait_for(asyncio.gather(*(one() for _ in range(10))), 100)

    asyncio.run(all_of_them())
    assert memory.held == 0


def test_who_waits_is_let_in_with_others_when_a_twelfth_is_free() -> None:
    memory, begun = Memory(1_200), list[int]()

    async def one(number: int) -> None:
        await memory.take(50)
        begun.append(number)

    async def all_of_them() -> list[list[int]]:
        await memory.take(1_200)
        work, seen = [asyncio.ensure_future(one(number)) for number in range(4)], list[list[int]]()
        for _ in range(3):
            await asyncio.sleep(0)
            memory.give(50)
            await asyncio.sleep(0)
            await asyncio.sleep(0)
            seen.append(list(begun))
        for one_of_them in work:
            one_of_them.cancel()
        await asyncio.gather(*work, return_exceptions=True)
        return seen

    assert asyncio.run(all_of_them()) == [[], [0, 1], [0, 1]]
