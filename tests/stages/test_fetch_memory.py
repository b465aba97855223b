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


@given(st.lists(st.integers(0, 60), min_size=1, max_size=40), st.integers(1, 60))
def test_no_more_than_allowed_but_always_one(sizes: list[int], most: int) -> None:
    memory, found = Memory(most), list[int]()

    async def one(number: int, size: int) -> None:
        with memory.body() as admit:
            await admit(head(size))
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
        with memory.body() as admit:
            await admit(head(10))
            await asyncio.sleep(0.01)

    async def leave() -> None:
        first, second = asyncio.ensure_future(one()), asyncio.ensure_future(one())
        await asyncio.sleep(0.005)
        if granted:
            await first  # the room is given to the second, which does not know of it yet
        second.cancel()
        await asyncio.gather(first, second, return_exceptions=True)
        await asyncio.wait_for(one(), 1)

    asyncio.run(leave())
    assert memory.held == 0
