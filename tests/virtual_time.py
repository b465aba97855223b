"""An event loop whose clock only moves when all wait: tests of pace are exact and take no time, whatever the load."""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class VirtualLoop(asyncio.SelectorEventLoop):
    """`time()` jumps to the next timer where a real loop would sleep."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Skipping(self))

    def time(self) -> float:
        return self.now


class _Skipping(selectors.DefaultSelector):
    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0 if timeout else timeout)
        if not events and timeout:
            self._loop.now += timeout
        return events


def run(work: Coroutine[Any, Any, T]) -> T:
    """Run a coroutine that waits for nothing but time and other coroutines."""
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(work)


def clock() -> float:
    """Seconds, of the loop that runs."""
    return asyncio.get_running_loop().time()
