"""Many URLs at once: every host at its own pace, so that a slow one delays nobody.

Hosts of many URLs are asked for the first few each, as many as may be asked for at once, before anything else; then
those that will take longest by what it took go first. So a host that only drips is found out, and given up where it
answers nothing (witbuild.web.slots), while there is other work to do meanwhile, not at the end.
"""

from __future__ import annotations

import asyncio
import time
from collections import defaultdict
from heapq import heappop, heappush
from typing import TYPE_CHECKING

from witbuild.web import urls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    Visit = Callable[[str], Awaitable[None]]


async def visit_all(  # noqa: PLR0913 - all but two are named
    found: Iterable[str],
    visit: Visit,
    *,
    hosts: int,
    per_host: int,
    ready: Callable[[], Awaitable[None]] | None = None,
    clock: Callable[[], float] = time.monotonic,
) -> None:
    """Visit every URL, a host's in the order given.

    Args:
        found: URLs.
        visit: what is done with each; its errors end everything.
        hosts: that are worked on at once.
        per_host: visits at once to one of them.
        ready: waited for before each host; None: nothing is.
        clock: seconds.
    """
    by_host: dict[str, list[str]] = defaultdict(list)
    for url in found:
        by_host[urls.host(url)].append(url)
    crowd = _Crowd(by_host.values(), visit, per_host, ready or _at_once, clock)
    async with asyncio.TaskGroup() as group:
        for _ in range(min(hosts, len(by_host))):
            group.create_task(crowd.work())


class _Crowd:
    """Hosts that nothing was asked of yet, and the rest of those that were asked for some URLs."""

    def __init__(
        self,
        groups: Iterable[list[str]],
        visit: Visit,
        per_host: int,
        ready: Callable[[], Awaitable[None]],
        clock: Callable[[], float],
    ) -> None:
        self._visit, self._per_host, self._ready, self._clock = visit, per_host, ready, clock
        self._new = iter(sorted(groups, key=lambda group: (-len(group), group[0])))
        self._rest: list[tuple[float, list[str]]] = []

    async def work(self) -> None:
        """Work on a host at a time, as long as there are any."""
        for group in self._new:
            await self._ready()
            await self._try_out(group)
        while self._rest:
            await self._ready()
            if self._rest:  # another may have taken the last one meanwhile
                await self._visit_host(heappop(self._rest)[1])

    async def _try_out(self, group: list[str]) -> None:
        """Visit as many URLs as may be visited at once, and put the rest where its time tells."""
        start = self._clock()
        await self._visit_host(group[: self._per_host])
        if rest := group[self._per_host :]:
            heappush(self._rest, ((start - self._clock()) * len(rest), rest))

    async def _visit_host(self, group: list[str]) -> None:
        waiting = iter(group)
        async with asyncio.TaskGroup() as tasks:
            for _ in range(min(self._per_host, len(group))):
                tasks.create_task(_visit_each(waiting, self._visit))


async def _visit_each(waiting: Iterator[str], visit: Visit) -> None:
    for url in waiting:
        await visit(url)


async def _at_once() -> None:
    """Wait for nothing."""
