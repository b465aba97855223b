"""Work that may take long, beside the event loop: what a host's file makes one URL cost holds up no other host."""

from __future__ import annotations

import asyncio
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, ParamSpec, TypeVar

if TYPE_CHECKING:
    from collections.abc import Callable

Given = ParamSpec("Given")
Result = TypeVar("Result")
LARGE_BYTES = 16 * 1024
"""A file of rules up to this size is read, and a URL held against it, in a few milliseconds, whatever it holds."""


class Aside:
    """A thread that does one piece of work after the other; it begins with the first.

    The loop goes on meanwhile, with at most the interpreter's switch interval (5 ms) between its turns.
    """

    def __init__(self) -> None:
        self._thread: ThreadPoolExecutor | None = None

    async def do(self, work: Callable[Given, Result], size: int, *args: Given.args, **options: Given.kwargs) -> Result:
        """Return what the work does: done here and at once where the file that it reads is small.

        Args:
            work: a function of what follows the size.
            size: bytes of the file.
            args: what it is given.
            options: what it is given by name.
        """
        if size <= LARGE_BYTES:
            return work(*args, **options)
        self._thread = self._thread or ThreadPoolExecutor(1, "rules")
        return await asyncio.get_running_loop().run_in_executor(self._thread, lambda: work(*args, **options))

    def close(self) -> None:
        """Leave out what was not begun."""
        if self._thread:
            self._thread.shutdown(wait=False, cancel_futures=True)
