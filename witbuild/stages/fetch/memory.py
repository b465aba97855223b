"""Bodies in memory: requests and bodies are held back when there are too many bytes, however many connections."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.web.client import Head

MOST_BYTES = 24_000_000
"""Of bodies that are read or wait for a decoder; bodies over a mebibyte have a bound of their own (web.client)."""
_UNKNOWN_BYTES = 1 << 16
_GROUPS = 12
"""Who waits is let in when a twelfth is free: requests in a row cost less than each by itself, out of a cold cache."""
_FIRST_GUESS_BYTES, _LEAST_BYTES = 100_000, 1 << 14
_LARGE_BYTES = 1 << 20


class Memory:
    """Counts the bytes of bodies, guessed and then announced; first come, first served.

    Args:
        most_bytes: of all; one body always has room.

    Attributes:
        held: bytes now.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self.held = 0
        self._guess = _FIRST_GUESS_BYTES
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def body(self) -> Iterator[Hold]:
        """Give what holds the room of one body; it is free again when the block ends."""
        hold = Hold(self)
        try:
            yield hold
        finally:
            self.give(hold.bytes)
            self._guess += (hold.bytes - self._guess) // 16 if hold.answered else 0

    @property
    def guess(self) -> int:
        """Bytes of a body of which nothing is known: about the mean of those that came."""
        return max(self._guess, _LEAST_BYTES)

    async def take(self, wanted: int) -> None:
        """Wait until there is room for so many bytes."""
        if not self._waiting and self._fits(wanted):
            self.held += wanted
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self.give(wanted)
            raise

    def _fits(self, wanted: int) -> bool:
        return not self.held or self.held + wanted <= self._most

    def give(self, taken: int) -> None:
        """Free so many bytes, for whoever waits first."""
        self.held -= taken
        if self.held > self._most - self._most // _GROUPS:
            return
        while self._waiting and self._fits(self._waiting[0][0]):
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self.held += wanted
                turn.set_result(None)


class Hold:
    """The room of one body: guessed for its request, known with its head.

    Who waits holds nothing, so that no two can wait for each other.

    Attributes:
        bytes: held now.
        answered: whether a head said how many there are.
    """

    def __init__(self, memory: Memory) -> None:
        self._memory = memory
        self.bytes = 0
        self.answered = False

    async def for_request(self) -> None:
        """Wait for room for a body of which nothing is known."""
        if not self.bytes:
            await self._change(self._memory.guess)

    async def for_body(self, head: Head) -> None:
        """Wait for room for what the head announces."""
        wanted, self.answered = announced(head), True
        if wanted <= self.bytes:
            self._memory.give(self.bytes - wanted)
            self.bytes = wanted
        else:
            await self._change(wanted)

    def put_back(self) -> None:
        """Hold nothing: the request is put off."""
        held, self.bytes = self.bytes, 0
        self._memory.give(held)

    async def _change(self, wanted: int) -> None:
        self.put_back()
        await self._memory.take(wanted)
        self.bytes = wanted


def announced(head: Head) -> int:
    """Return the bytes that a head announces, as far as they count here.

    Example:
        >>> from witbuild.web.client import Head
        >>> announced(Head("http://a.test/", 200, {"content-length": "5000"})), announced(Head("http://a.test/", 200))
        (5000, 65536)
    """
    text = head.headers.get("content-length", "")
    return min(int(text[:20]), _LARGE_BYTES) if text.isdecimal() else _UNKNOWN_BYTES
