"""Politeness: one slot a host; how many requests at once, how far apart, and when to leave it alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from types import TracebackType

HOST_FAILURES = frozenset(
    {"dns", "refused", "unreachable", "tls", "timeout", "reset", "short_body", "bad_http", "http_429", "http_503"}
)
"""Reasons that say something about the host rather than about the URL."""


class Slot:
    """A host's place in the crawl; `async with slot:` waits until a request may start.

    Args:
        concurrency: requests at once.
        delay_seconds: from the start of one request to the start of the next.
        max_delay_seconds: longest wait that a server may impose, by crawl delay or Retry-After.
        give_up_after: failures of the host in a row after which it is not asked again; 0: never.
        give_up_after_timeouts: timeouts among them after which it is not: each costs the crawl its whole deadline,
            where a reset costs a moment; 0: never.

    A host that has answered nothing yet but what it forbids has half the credit, at least two failures.
    """

    def __init__(
        self,
        *,
        concurrency: int,
        delay_seconds: float,
        max_delay_seconds: float,
        give_up_after: int,
        give_up_after_timeouts: int = 0,
    ) -> None:
        self._places = asyncio.Semaphore(concurrency)
        self._delay = delay_seconds
        self._max_delay = max_delay_seconds
        self._give_up_after = give_up_after
        self._give_up_after_timeouts = give_up_after_timeouts
        self._next_start = self._due = 0.0
        self._shut = ""
        self._failures = self._timeouts = 0
        self._answered = False

    def slow_to(self, delay_seconds: float) -> None:
        """Take over a crawl delay longer than the slot's own; FetchError (crawl_delay) when it is too long."""
        if delay_seconds > self._max_delay:
            words = f"asks for {delay_seconds:g} s, at most {self._max_delay:g} s are waited"
            raise FetchError("crawl_delay", words)
        self._delay = max(self._delay, delay_seconds)

    def rest(self, seconds: float) -> None:
        """Start nothing for some seconds; if they are more than the longest wait, nothing at all any more.

        A slot that never gives up waits as long as it may instead.
        """
        if seconds > self._max_delay and self._give_up_after:
            self._shut = f"asks to be left alone for {seconds:g} s, at most {self._max_delay:g} s are waited"
        now = asyncio.get_running_loop().time()
        self._due = max(self._due, now + min(seconds, self._max_delay))
        self._next_start = max(self._next_start, self._due)

    def note(self, failure: FetchError | None, *, rules: bool = False) -> None:
        """Count failures of the host in a row; anything else ends the row.

        Args:
            failure: of a request, or None.
            rules: it was for a file of rules, which says nothing about how the host serves all others.
        """
        if failure is None or failure.reason not in HOST_FAILURES:
            self._failures = self._timeouts = 0
            self._answered |= not rules
        else:
            self._failures += 1
            self._timeouts += failure.reason == "timeout"

    @property
    def in_trouble(self) -> bool:
        """Whether the last request was a failure of the host."""
        return self._failures > 0

    def check(self) -> None:
        """Raise FetchError (host_gave_up) when the host is not asked any more."""
        if reason := self._given_up():
            raise FetchError("host_gave_up", reason)

    def _given_up(self) -> str:
        """Return why the host is not asked any more; empty: it is."""
        if self._shut:
            return self._shut
        if 0 < (most := self._credit(self._give_up_after)) <= self._failures:
            return f"{most} failures in a row"
        if 0 < (most := self._credit(self._give_up_after_timeouts)) <= self._timeouts:
            return f"{most} timeouts without an answer between them"
        return ""

    def _credit(self, most: int) -> int:
        return most if self._answered else min(most, max(2, most // 2))

    def start(self) -> bool:
        """Say whether a request may start now, and take it as started.

        Whoever waited for anything else after its moment asks this last: the request before may have started late too.
        False: `wait` for the next moment, which says so if there is none.
        """
        now = asyncio.get_running_loop().time()
        if now < self._due or self._given_up():
            return False
        self._due = now + self._delay
        self._next_start = max(self._next_start, self._due)
        return True

    async def __aenter__(self) -> None:
        await self._places.acquire()
        try:
            await self.wait()
        except BaseException:
            self._places.release()
            raise

    async def wait(self) -> None:
        """Wait for a moment at which a request may start; FetchError (host_gave_up) when there is none."""
        clock = asyncio.get_running_loop().time
        self.check()
        while (left := self._next_start - clock()) > 0:  # again: it may have been told to rest meanwhile
            await asyncio.sleep(left)
            self.check()
        self._next_start = clock() + self._delay

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._places.release()
