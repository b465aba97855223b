"""How far a task is, for whoever looks while it goes on: by status and by host, in a file of its scratch folder.

    scratch/progress.json    {"done": 120, "total": 900, "statuses": {"ok": 100, ...}, "hosts": [["a.test", 700], ...]}

It is written every few seconds, whole or not at all; nothing reads it back into the work.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections import Counter
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

from witbuild.web import urls

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterable
    from pathlib import Path

NAME = "progress.json"
EVERY_SECONDS = 2.0
_HOSTS = 5


class Watch:
    """Counts what is done and what is left.

    Args:
        folder: the task's scratch folder.
        waiting: URLs that are to be asked for.
        statuses: of those that an earlier attempt asked for.
    """

    def __init__(self, folder: Path, waiting: Iterable[str], statuses: Iterable[str]) -> None:
        self._path = folder / NAME
        self._left = Counter(urls.host(url) for url in waiting)
        self._statuses = Counter(statuses)
        self._total = self._left.total() + self._statuses.total()

    def add(self, url: str, status: str) -> None:
        """Count a URL that is done."""
        self._left[urls.host(url)] -= 1
        self._statuses[status] += 1

    @asynccontextmanager
    async def telling(self) -> AsyncIterator[None]:
        """Write the file now and every few seconds until the block ends."""
        task = asyncio.ensure_future(self._tell())
        try:
            yield
        finally:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    async def _tell(self) -> None:
        while True:
            self.write()
            await asyncio.sleep(EVERY_SECONDS)

    def write(self) -> None:
        """Write the file."""
        hosts = [(host, left) for host, left in self._left.most_common(_HOSTS) if left > 0]
        told = {"done": self._statuses.total(), "total": self._total, "statuses": self._statuses, "hosts": hosts}
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(told))
        partial.rename(self._path)
