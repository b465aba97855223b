"""Turns on the wire: so many requests at once, and those go first whose host is in trouble already."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator


class Turns:
    """A semaphore of two queues: who waits in the first goes before all of the second.

    Args:
        most: turns at once.
    """

    def __init__(self, most: int) -> None:
        self._free = most
        self._first: deque[asyncio.Future[None]] = deque()
        self._second: deque[asyncio.Future[None]] = deque()

    @asynccontextmanager
    async def turn(self, *, first: bool) -> AsyncIterator[None]:
        """Wait for a turn and hold it until the block ends."""
        if self._free:
            self._free -= 1
        else:
            await self._wait(self._first if first else self._second)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was given, and nobody is there to use it
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give a turn to who waits, or keep it."""
        for queue in (self._first, self._second):
            while queue:
                if not (waiter := queue.popleft()).done():
                    waiter.set_result(None)
                    return
        self._free += 1
