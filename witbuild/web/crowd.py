"""Many URLs at once: every host at its own pace, so that a slow one delays nobody."""

from __future__ import annotations

import asyncio
from collections import defaultdict
from typing import TYPE_CHECKING

from witbuild.web import urls

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Iterator

    Visit = Callable[[str], Awaitable[None]]


async def visit_all(found: Iterable[str], visit: Visit, *, hosts: int, per_host: int) -> None:
    """Visit every URL, a host's in the order given; hosts with the most URLs start first.

    Args:
        found: URLs.
        visit: what is done with each; its errors end everything.
        hosts: that are worked on at once.
        per_host: visits at once to one of them.
    """
    by_host: dict[str, list[str]] = defaultdict(list)
    for url in found:
        by_host[urls.host(url)].append(url)
    longest_first = iter(sorted(by_host.values(), key=lambda group: (-len(group), group[0])))
    async with asyncio.TaskGroup() as group:
        for _ in range(min(hosts, len(by_host))):
            group.create_task(_visit_hosts(longest_first, visit, per_host))


async def _visit_hosts(groups: Iterator[list[str]], visit: Visit, per_host: int) -> None:
    for found in groups:
        waiting = iter(found)
        async with asyncio.TaskGroup() as group:
            for _ in range(min(per_host, len(found))):
                group.create_task(_visit_each(waiting, visit))


async def _visit_each(waiting: Iterator[str], visit: Visit) -> None:
    for url in waiting:
        await visit(url)
