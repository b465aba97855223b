"""Bodies in memory: held back between head and body when there are too many bytes, however many connections."""

from __future__ import annotations

import asyncio
from collections import deque
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator

    from witbuild.web.client import Head

MOST_BYTES = 64_000_000
"""Of bodies that are read or wait for a decoder; bodies over a mebibyte have a bound of their own (web.client)."""
_UNKNOWN_BYTES = 1 << 16
_LARGE_BYTES = 1 << 20


class Memory:
    """Counts the bytes of bodies by what their heads announce; first come, first served.

    Args:
        most_bytes: of all; one body always has room.

    Attributes:
        held: bytes now.
    """

    def __init__(self, most_bytes: int = MOST_BYTES) -> None:
        self._most = most_bytes
        self.held = 0
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    @contextmanager
    def body(self) -> Iterator[Callable[[Head], Awaitable[None]]]:
        """Give what waits for a body's room, once its head is known; the room is free when the block ends."""
        taken = 0

        async def admit(head: Head) -> None:
            nonlocal taken
            wanted = announced(head)
            await self._take(wanted)
            taken += wanted

        try:
            yield admit
        finally:
            self._give(taken)

    async def _take(self, wanted: int) -> None:
        if not self._waiting and self._fits(wanted):
            self.held += wanted
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append((wanted, turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():
                self._give(wanted)
            raise

    def _fits(self, wanted: int) -> bool:
        return not self.held or self.held + wanted <= self._most

    def _give(self, taken: int) -> None:
        self.held -= taken
        while self._waiting and self._fits(self._waiting[0][0]):
            wanted, turn = self._waiting.popleft()
            if not turn.done():
                self.held += wanted
                turn.set_result(None)


def announced(head: Head) -> int:
    """Return the bytes that a head announces, as far as they count here.

    Example:
        >>> from witbuild.web.client import Head
        >>> announced(Head("http://a.test/", 200, {"content-length": "5000"})), announced(Head("http://a.test/", 200))
        (5000, 65536)
    """
    text = head.headers.get("content-length", "")
    return min(int(text[:20]), _LARGE_BYTES) if text.isdecimal() else _UNKNOWN_BYTES
