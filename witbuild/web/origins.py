"""What is known of origins: found out once, however many wait for it, and kept for a while."""

from __future__ import annotations

import asyncio
from functools import lru_cache
from typing import TYPE_CHECKING, Generic, TypeVar

from witbuild.web import urls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable

Known = TypeVar("Known")
MOST = 10_000
"""Origins of which something is kept; the oldest are asked again."""
_origin = lru_cache(maxsize=4_096)(urls.origin)


class Origins(Generic[Known]):
    """Something of every origin that was asked about.

    Args:
        find: origin -> what there is to know; must not fail.
    """

    def __init__(self, find: Callable[[str], Awaitable[Known]]) -> None:
        self._find = find
        self._known: dict[str, asyncio.Task[Known]] = {}

    async def of(self, url: str) -> Known:
        """Return what is known of a URL's origin, after finding it out when it is asked for the first time."""
        origin = _origin(url)
        if origin not in self._known:
            if len(self._known) >= MOST:
                self._known.pop(next(iter(self._known)))
            self._known[origin] = asyncio.ensure_future(self._find(origin))
        task = self._known[origin]
        # shield: one waiter's end must not end the work for the others
        return task.result() if task.done() else await asyncio.shield(task)

    def close(self) -> None:
        """End what is still being found out."""
        for task in self._known.values():
            task.cancel()
