"""In a task: many hosts at once -> bodies -> processes that decode -> journal.

The network waits when the processes are behind, so that the bodies in memory are bounded.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from types import MappingProxyType
from typing import TYPE_CHECKING

from witbuild.image.failure import ImageError
from witbuild.stages.fetch import quarantine
from witbuild.stages.fetch.decoders import Decoders
from witbuild.stages.fetch.memory import Memory
from witbuild.stages.fetch.seen import Seen
from witbuild.stages.fetch.watch import Watch
from witbuild.web.client import Budget, Client, FetchError
from witbuild.web.crowd import visit_all

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from witbuild.stages.fetch.journal import Image, Journal, Outcome
    from witbuild.stages.fetch.parameters import Fetching
    from witbuild.stages.fetch.revalidate import Known
    from witbuild.web.client import Response

ACCEPT = "image/webp,image/jpeg,image/png,image/gif,*/*;q=0.1"

UNCHANGED = 304


async def download(
    found: Iterable[str], stage: Fetching, journal: Journal, known: Mapping[str, Known] = MappingProxyType({})
) -> None:
    """Fetch URLs that the journal does not hold, and put what became of each into it.

    Args:
        found: URLs.
        stage: how.
        journal: of the task.
        known: what an earlier run has of some of them, to be asked for again on condition.
    """
    waiting = [url for url in found if url not in journal.outcomes]
    watch = Watch(journal.folder, waiting, (outcome.status for outcome in journal.outcomes.values()))
    async with (
        Decoders(stage.make(), stage.decode_processes, stage.decode_limits()) as decoders,
        Client(stage.settings()) as client,
        watch.telling(),
    ):
        blocked = stage.blocked_hashes()
        pipeline = _Pipeline(client, stage, journal, Memory(), decoders, known, watch, blocked)
        await visit_all(waiting, pipeline.visit, hosts=stage.max_hosts, per_host=stage.per_host, ready=client.ready)


@dataclass(frozen=True, slots=True)
class _Pipeline:
    client: Client
    stage: Fetching
    journal: Journal
    memory: Memory
    decoders: Decoders
    known: Mapping[str, Known]
    watch: Watch
    blocked: frozenset[str]

    async def visit(self, url: str) -> None:
        """Fetch a URL, make of it what is to be stored, and write down what became of it."""
        outcome, content = await self._fetched(url)
        self.journal.add(outcome, content)
        self.watch.add(url, outcome.status)

    async def _fetched(self, url: str) -> tuple[Outcome, bytes]:
        budget = Budget(self.stage.timeout_seconds)
        seen = Seen(url, budget, self.client.agent, strict=self.stage.respect == "strict")
        accept = f"image/avif,{ACCEPT}" if self.stage.avif else ACCEPT
        try:
            with self.memory.body() as room:
                response = await self.client.get(
                    url, accept=accept, headers=self._conditions(url), inspect=seen.inspect, room=room, budget=budget
                )
                seen.look(response.body)
                kept, content = await self._taken(url, response)
        except (FetchError, ImageError) as failure:
            return seen.failed(failure), b""
        outcome = seen.kept(kept)
        return (self.known[url].kept(outcome) if response.status == UNCHANGED else outcome), content

    def _conditions(self, url: str) -> dict[str, str]:
        return self.known[url].conditions() if url in self.known else {}

    async def _taken(self, url: str, response: Response) -> tuple[Image | None, bytes]:
        """Make of an answer what is to be stored."""
        if response.status == UNCHANGED:
            return None, self.known[url].content()
        self._refuse(response.body)
        if not self.stage.decode:
            return None, b""
        image, content = await self._image(url, response)
        return (image, content) if self.stage.stores else (None, b"")

    def _refuse(self, body: bytes) -> None:
        """Hold a body against the list of hashes before anything else is done with it."""
        if self.blocked and not self.blocked.isdisjoint(digests(body)):
            raise FetchError("blocked_hash", "in the list of blocked hashes")

    async def _image(self, url: str, response: Response) -> tuple[Image, bytes]:
        if len(response.body) < self.stage.min_bytes:
            raise ImageError("too_few_bytes", f"{len(response.body)} bytes")
        try:
            return await self.decoders(response.body)
        except ImageError as failure:
            if failure.reason in quarantine.REASONS:
                quarantine.keep(self.journal.folder, url, response.body)
            raise


def digests(body: bytes) -> tuple[str, str]:
    """Return SHA-256 and MD5 of a body, hex: what lists of hashes hold.

    Example:
        >>> digests(b"")[1]
        'd41d8cd98f00b204e9800998ecf8427e'
    """
    return hashlib.sha256(body).hexdigest(), hashlib.md5(body, usedforsecurity=False).hexdigest()
