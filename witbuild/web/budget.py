"""Seconds on the wire: what a get may spend of them, when it began, and what does not count."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from witbuild.web.wire import Head, Room


_LATE_SECONDS = 0.1


class Budget:
    """Seconds that a get may spend on the wire; `async with budget:` spends them, TimeoutError when none are left.

    A deadline that is noticed late, because this process was busy or stopped, is put off once by as much: the answer
    may have come in time and lie unread.

    Attributes:
        left: seconds.
        spent: seconds so far.
        started: seconds since 1970 when the first request went out; None: none did.
    """

    def __init__(self, seconds: float) -> None:
        self.left = seconds
        self.spent = 0.0
        self.started: float | None = None

    async def __aenter__(self) -> None:
        self.started = time.time() if self.started is None else self.started
        self._loop = asyncio.get_running_loop()
        self._start = self._loop.time()
        self._paused, self._put_off = 0.0, False
        self._timeout = asyncio.timeout(None)
        self._set(self._start + self.left)
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._alarm.cancel()
        seconds = self._loop.time() - self._start - self._paused
        self.left -= seconds
        self.spent += seconds
        await self._timeout.__aexit__(kind, error, trace)

    def _set(self, deadline: float) -> None:
        self._deadline = deadline
        self._alarm = self._loop.call_at(deadline, self._ring)

    def _ring(self) -> None:
        late = self._loop.time() - self._deadline
        if late > _LATE_SECONDS and not self._put_off:
            self._put_off = True
            self._set(self._loop.time() + late)
        else:
            self._timeout.reschedule(self._loop.time())

    def remaining(self) -> float:
        """Return the seconds until the deadline of the request that is on the wire."""
        return self._deadline - self._loop.time()

    def pause(self) -> None:
        """Let the deadline stand still."""
        self._alarm.cancel()
        self._paused_at = self._loop.time()

    def resume(self) -> None:
        """Let it go on."""
        seconds = self._loop.time() - self._paused_at
        self._paused += seconds
        self._set(self._deadline + seconds)


@dataclass(frozen=True, slots=True)
class Free:
    """Room that is waited for while the deadline stands still."""

    room: Room
    budget: Budget

    async def for_request(self) -> None:
        """Wait until a request may go on the wire."""
        await self.room.for_request()  # the deadline does not run yet

    async def for_body(self, head: Head) -> None:
        """Wait until the body may come."""
        self.budget.pause()
        await self.room.for_body(head)
        self.budget.resume()

    def put_back(self) -> None:
        """Free what is held for a request that is put off."""
        self.room.put_back()
