"""When a request of any host may start: within the hours of the day, and no faster than the bandwidth allows."""

from __future__ import annotations

import asyncio
import re
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING

from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_HOURS = re.compile(r"(\d{1,2})(?::(\d\d))?-(\d{1,2})(?::(\d\d))?")
_DAY = 86_400
_FIRST_GUESS_BYTES = 100_000


def parse_hours(text: str) -> tuple[int, int]:
    """Return the seconds of the day from which and until which; the second may be before the first.

    Raises:
        RecipeError: it is no window.

    Example:
        >>> parse_hours("22:30-6"), parse_hours("9-17:00")
        ((81000, 21600), (32400, 61200))
    """
    match = _HOURS.fullmatch(text.replace(" ", ""))
    numbers = [int(part or 0) for part in match.groups()] if match else [99]
    if not match or max(numbers[::2]) > 24 or max(numbers[1::2]) > 59:
        raise RecipeError(f"hours: found {text!r}, expected from-to of the day, for example 22:00-06:00")
    start, end = numbers[0] * 3600 + numbers[1] * 60, numbers[2] * 3600 + numbers[3] * 60
    return start % _DAY, end % _DAY


def seconds_until(hours: tuple[int, int], moment: datetime) -> float:
    """Return the seconds until the window opens; 0 within it. Equal ends are the whole day.

    Example:
        >>> at = lambda hour: datetime(2026, 1, 1, hour)
        >>> seconds_until((79200, 21600), at(23)), seconds_until((79200, 21600), at(12))
        (0.0, 36000.0)
    """
    start, end = hours
    now = moment.hour * 3600 + moment.minute * 60 + moment.second + moment.microsecond / 1e6
    inside = start <= now < end if start < end else now >= start or now < end
    return 0.0 if inside or start == end else (start - now) % _DAY


@dataclass(slots=True)
class Bandwidth:
    """Spreads requests so that what they bring comes at a rate, on average over some bodies.

    A request waits until those before it have been paid for at the rate, itself paying for a body of the size seen so
    far; when its body is there, the difference is settled. So no request on the wire is ever held up.

    Args:
        bytes_per_second: 0: no bound.
    """

    bytes_per_second: float
    _free: float = 0.0
    _guess: float = _FIRST_GUESS_BYTES

    async def wait(self) -> None:
        """Wait until another request may start."""
        if not self.bytes_per_second:
            return
        clock = asyncio.get_running_loop().time
        now = clock()
        start = self._free = max(self._free, now)
        self._free += self._guess / self.bytes_per_second
        while (left := start - clock()) > 0:  # noqa: ASYNC110 - time has no event
            await asyncio.sleep(left)

    @contextmanager
    def settle(self) -> Iterator[Callable[[int], None]]:
        """Give a function that is told of bytes that came; when the block ends, they are settled."""
        guess, came = self._guess, [0]

        def add(count: int) -> None:
            came[0] += count

        try:
            yield add
        finally:
            if self.bytes_per_second:
                self._free += (came[0] - guess) / self.bytes_per_second
                self._guess += (came[0] - self._guess) / 16


@dataclass(slots=True)
class Pace:
    """Both of them.

    Args:
        hours: window of the day, as `parse_hours` reads it; empty: always.
        bandwidth: of all requests together.
        clock: the local time.
    """

    hours: str
    bandwidth: Bandwidth
    clock: Callable[[], datetime] = field(default=lambda: datetime.now().astimezone())

    async def wait(self) -> None:
        """Wait until another request may start."""
        if self.hours:
            window = parse_hours(self.hours)
            while (left := seconds_until(window, self.clock())) > 0:  # noqa: ASYNC110 - the day has no event
                await asyncio.sleep(min(left, 60.0))  # again: clocks are set
        await self.bandwidth.wait()
