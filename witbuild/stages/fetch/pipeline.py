"""In a task: many hosts at once -> bodies -> threads that decode -> journal.

The network waits when the threads are behind, so that the bodies in memory are bounded.
"""

from __future__ import annotations

import asyncio
import hashlib
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING

from witbuild.image.failure import ImageError
from witbuild.image.prepare import prepare
from witbuild.stages.fetch.journal import Image
from witbuild.stages.fetch.seen import Seen
from witbuild.web.client import Budget, Client, FetchError
from witbuild.web.crowd import visit_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.image.prepare import Plan
    from witbuild.stages.fetch.journal import Journal
    from witbuild.stages.fetch.parameters import Fetching
    from witbuild.web.client import Response

ACCEPT = "image/webp,image/jpeg,image/png,image/gif,*/*;q=0.1"
WAITING_A_THREAD = 16
"""Bodies that wait for a thread before the network is told to."""


async def download(found: Iterable[str], stage: Fetching, journal: Journal) -> None:
    """Fetch URLs that the journal does not hold, and put what became of each into it."""
    waiting = [url for url in found if url not in journal.outcomes]
    backlog = Backlog(WAITING_A_THREAD * stage.decode_threads)
    with ThreadPoolExecutor(stage.decode_threads, thread_name_prefix="decode") as threads:
        async with Client(stage.settings(), ready=backlog.room) as client:
            pipeline = _Pipeline(client, stage, journal, backlog, threads)
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
    threads: ThreadPoolExecutor

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
        work = partial(make, response.body, self.stage.image_plan(), md5=self.stage.require_hash)
        return await asyncio.get_running_loop().run_in_executor(self.threads, work)


def digests(body: bytes) -> tuple[str, str]:
    """Return SHA-256 and MD5 of a body, hex: what lists of hashes hold.

    Example:
        >>> digests(b"")[1]
        'd41d8cd98f00b204e9800998ecf8427e'
    """
    return hashlib.sha256(body).hexdigest(), hashlib.md5(body, usedforsecurity=False).hexdigest()


def make(body: bytes, plan: Plan, *, md5: bool) -> tuple[Image, bytes]:
    """Make the stored image of a body; pure, so that any thread or process may.

    Args:
        body: as served.
        plan: what is to be made of it.
        md5: hash the body by MD5 too, which some lists carry.

    Raises:
        ImageError: nothing can or may be stored.
    """
    stored = prepare(body, plan)
    image = Image(
        image_format=stored.extension,
        width=stored.width,
        height=stored.height,
        original_width=stored.original_width,
        original_height=stored.original_height,
        original_bytes=len(body),
        original_format=stored.original_format,
        original_sha256=hashlib.sha256(body).hexdigest(),
        original_md5=hashlib.md5(body, usedforsecurity=False).hexdigest() if md5 else "",
        pixel_sha256=stored.pixel_sha256,
        phash=stored.phash,
    )
    return image, stored.content
