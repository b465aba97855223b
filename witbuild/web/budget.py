"""Seconds on the wire: what a get may spend of them, when it began, and what does not count."""

from __future__ import annotations

import asyncio
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from types import TracebackType

    from witbuild.web.wire import Head, Room


class Budget:
    """Seconds that a get may spend on the wire; `async with budget:` spends them, TimeoutError when none are left.

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
        self._start = asyncio.get_running_loop().time()
        self._paused = 0.0
        self._timeout = asyncio.timeout(self.left)
        await self._timeout.__aenter__()

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        seconds = asyncio.get_running_loop().time() - self._start - self._paused
        self.left -= seconds
        self.spent += seconds
        await self._timeout.__aexit__(kind, error, trace)

    def remaining(self) -> float:
        """Return the seconds until the deadline of the request that is on the wire."""
        deadline = self._timeout.when()
        return math.inf if deadline is None else deadline - asyncio.get_running_loop().time()

    def pause(self) -> None:
        """Let the deadline stand still."""
        self._deadline, self._paused_at = self._timeout.when(), asyncio.get_running_loop().time()
        self._timeout.reschedule(None)

    def resume(self) -> None:
        """Let it go on."""
        seconds = asyncio.get_running_loop().time() - self._paused_at
        self._paused += seconds
        self._timeout.reschedule(None if self._deadline is None else self._deadline + seconds)


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
