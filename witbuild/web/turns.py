"""Turns on the wire: as many requests at once as this machine keeps up with, those of hosts in trouble first.

However many are allowed, no more are begun than the event loop can serve in time: a thousand answers that come while it
is busy with a thousand others look like a thousand slow servers. So there are few turns at first, more as long as all
are used and the loop is quick, and half as many when it is late.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

FIRST = 256
"""Turns that any machine can serve."""
BEAT_SECONDS = 0.05
"""How often it is looked whether the loop is late."""
_QUICK_SECONDS, _LATE_SECONDS = 0.025, 0.25
_MORE = 64


class Turns:
    """A semaphore of two queues: who waits in the first goes before all of the second.

    Args:
        most: turns at once.

    Attributes:
        open: turns at once now, from FIRST to `most`.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.open = min(most, FIRST)
        self._taken = 0
        self._first: deque[asyncio.Future[None]] = deque()
        self._second: deque[asyncio.Future[None]] = deque()
        self._later: deque[asyncio.Future[None]] = deque()
        self._credit = self.open

    @asynccontextmanager
    async def turn(self, *, first: bool) -> AsyncIterator[None]:
        """Wait for a turn and hold it until the block ends."""
        if self._taken < self.open:
            self._taken += 1
        else:
            await self._wait(self._first if first else self._second)
        try:
            yield
        finally:
            self._taken -= 1
            self._let_in()

    async def _wait(self, queue: deque[asyncio.Future[None]]) -> None:
        mine = asyncio.get_running_loop().create_future()
        queue.append(mine)
        try:
            await mine
        except asyncio.CancelledError:
            if mine.done() and not mine.cancelled():  # it was given, and nobody is there to use it
                self._taken -= 1
                self._let_in()
            raise

    def _let_in(self) -> None:
        """Give the turns that are free to who waits."""
        for queue in (self._first, self._second):
            while queue and self._taken < self.open:
                self._taken += _wake(queue)

    async def ready(self) -> None:
        """Wait until so few wait for a turn that it makes sense to begin with another host."""
        if self._credit > 0:
            self._credit -= 1
            return
        mine = asyncio.get_running_loop().create_future()
        self._later.append(mine)
        await mine

    async def beat(self) -> None:
        """Look again and again how late the loop is, and open or close turns by it; ends when it is cancelled."""
        while True:
            due = time.monotonic() + BEAT_SECONDS
            await asyncio.sleep(BEAT_SECONDS)
            self.adapt(time.monotonic() - due)

    def adapt(self, late_seconds: float) -> None:
        """Open more turns, or fewer, and let further hosts begin.

        Args:
            late_seconds: by which the loop came late to something that was due.
        """
        if late_seconds > _LATE_SECONDS:
            self.open = max(min(self._most, FIRST), self.open // 2)
        elif late_seconds < _QUICK_SECONDS and self._taken >= self.open:
            self.open = min(self._most, self.open + _MORE)
        self._let_in()
        self._credit = max(self.open - len(self._first) - len(self._second), 0)
        while self._later and self._credit:
            self._credit -= _wake(self._later)


def _wake(queue: deque[asyncio.Future[None]]) -> bool:
    """Wake the first of a queue; False when nobody is there any more."""
    waiter = queue.popleft()
    if waiter.done():
        return False
    waiter.set_result(None)
    return True
