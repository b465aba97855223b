"""In a task: many hosts at once -> bodies -> processes that decode -> journal.

The network waits when the processes are behind, so that the bodies in memory are bounded.
"""

from __future__ import annotations

import asyncio
import hashlib
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.image.failure import ImageError
from witbuild.stages.fetch.decoders import Decoders
from witbuild.stages.fetch.seen import Seen
from witbuild.web.client import Budget, Client, FetchError
from witbuild.web.crowd import visit_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.stages.fetch.journal import Image, Journal
    from witbuild.stages.fetch.parameters import Fetching
    from witbuild.web.client import Response

ACCEPT = "image/webp,image/jpeg,image/png,image/gif,*/*;q=0.1"
WAITING_A_PROCESS = 16
"""Bodies that wait for a decoding process before the network is told to."""


async def download(found: Iterable[str], stage: Fetching, journal: Journal) -> None:
    """Fetch URLs that the journal does not hold, and put what became of each into it."""
    waiting = [url for url in found if url not in journal.outcomes]
    backlog = Backlog(WAITING_A_PROCESS * stage.decode_processes)
    with Decoders(stage.make(), stage.decode_processes, stage.decode_limits()) as decoders:
        async with Client(stage.settings(), ready=backlog.room) as client:
            pipeline = _Pipeline(client, stage, journal, backlog, decoders)
            await visit_all(waiting, pipeline.visit, hosts=stage.max_hosts, per_host=stage.per_host)


class Backlog:
    """Counts bodies that wait to be decoded."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._count = 0
        self._room = asyncio.Event()
        self._room.set()

    async def room(self) -> None:
        """Wait until there is room for another body."""
        await self._room.wait()

    @contextmanager
    def one(self) -> Iterator[None]:
        """Count one body until the block ends."""
        self._change(1)
        try:
            yield
        finally:
            self._change(-1)

    def _change(self, by: int) -> None:
        self._count += by
        if self._count < self._most:
            self._room.set()
        else:
            self._room.clear()


@dataclass(frozen=True, slots=True)
class _Pipeline:
    client: Client
    stage: Fetching
    journal: Journal
    backlog: Backlog
    decoders: Decoders

    async def visit(self, url: str) -> None:
        """Fetch a URL, make of it what is to be stored, and write down what became of it."""
        budget = Budget(self.stage.timeout_seconds)
        seen = Seen(url, budget, self.client.agent, strict=self.stage.respect == "strict")
        try:
            response = await self.client.get(url, accept=ACCEPT, inspect=seen.inspect, budget=budget)
            self._refuse(response.body)
            if not self.stage.decode:
                self.journal.add(seen.kept(None))
                return
            with self.backlog.one():
                image, content = await self._image(response)
        except (FetchError, ImageError) as failure:
            self.journal.add(seen.failed(failure))
            return
        self.journal.add(seen.kept(image), content)

    def _refuse(self, body: bytes) -> None:
        """Hold a body against the list of hashes before anything else is done with it."""
        blocked = self.stage.blocked_hashes()
        if blocked and not blocked.isdisjoint(digests(body)):
            raise FetchError("blocked_hash", "in the list of blocked hashes")

    async def _image(self, response: Response) -> tuple[Image, bytes]:
        if len(response.body) < self.stage.min_bytes:
            raise ImageError("too_few_bytes", f"{len(response.body)} bytes")
        return await self.decoders(response.body)


def digests(body: bytes) -> tuple[str, str]:
    """Return SHA-256 and MD5 of a body, hex: what lists of hashes hold.

    Example:
        >>> digests(b"")[1]
        'd41d8cd98f00b204e9800998ecf8427e'
    """
    return hashlib.sha256(body).hexdigest(), hashlib.md5(body, usedforsecurity=False).hexdigest()
