"""A decoding process and this end of its line: bodies go in before they are wanted, answers come in their order.

    event loop                              its process
    ──────────                              ───────────
    bodies, at most AHEAD ── socketpair ──> timers armed, make(body)
    columns as JSON, bytes <─ socketpair ── or why there is no image

Bodies lie ready in the line while an image is made of the one before them, and answers until there are some: neither
side sleeps and is woken for each, out of a cold cache.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
import struct
import sys
from collections import deque
from dataclasses import dataclass
from multiprocessing import forkserver
from typing import TYPE_CHECKING, cast

import orjson

from witbuild.errors import WorkerError
from witbuild.image.failure import ImageError
from witbuild.stages.fetch.decoding import ANSWER, WARM, Limits, Making, receive, serve
from witbuild.stages.fetch.journal import Image

if TYPE_CHECKING:
    from collections.abc import Callable
    from multiprocessing.context import ForkServerProcess, SpawnProcess

AHEAD = 8
"""Bodies that a process has at once, so that it has something to do until its answers are looked at again."""
_REST_SECONDS = 0.02
"""While more is to come, answers are taken so often, all there are: waking up for each costs more than it does."""
_BODY = struct.Struct("<I")


@dataclass(frozen=True, slots=True)
class Job:
    """A body, and who waits for what becomes of it."""

    body: bytes
    answer: asyncio.Future[tuple[Image, bytes]]


class Process(asyncio.Protocol):
    """One decoding process.

    Args:
        make: what it does.
        limits: of each body.

    Attributes:
        jobs: that it has, in their order.

    Raises:
        WorkerError: it cannot be started.
    """

    def __init__(self, make: Making, limits: Limits) -> None:
        self.jobs: deque[Job] = deque()
        self._came = bytearray()
        self._rest: asyncio.TimerHandle | None = None
        self._line, theirs = socket.socketpair()
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # a body in one go, where it is allowed
        self._process = _processes()(target=serve, args=(theirs, make, limits), daemon=True)
        self._process.start()
        theirs.close()
        self._begin()

    def _begin(self) -> None:
        """Wait until the process is ready: one that never is, is no image's fault."""
        try:
            receive(self._line, 1)
        except (EOFError, OSError):
            self._line.close()
            self._process.join()
            raise WorkerError(
                f"a decoding process ended before it began (exit code {self._process.exitcode}); its own words stand "
                f"above; a script that uses witbuild needs the line `if __name__ == '__main__':`"
            ) from None

    async def attach(self, free: Callable[[], None], gone: Callable[[Process], None]) -> None:
        """Let the event loop see to the line.

        Args:
            free: called after each answer.
            gone: called with this when the line has ended.
        """
        self._free, self._gone = free, gone
        await asyncio.get_running_loop().create_unix_connection(lambda: self, sock=self._line)

    @property
    def pid(self) -> int:
        """Number of the process."""
        return self._process.pid or 0

    def take(self, job: Job) -> None:
        """Send a body."""
        self.jobs.append(job)
        self._transport.writelines([_BODY.pack(len(job.body)), job.body])

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take note of the line."""
        self._transport = cast("asyncio.Transport", transport)

    def data_received(self, data: bytes) -> None:
        """Give what came to who waits for it."""
        self._came += data
        while len(self._came) >= ANSWER.size:
            told, content = ANSWER.unpack_from(self._came)
            middle, end = ANSWER.size + told, ANSWER.size + told + content
            if len(self._came) < end:
                return
            self._answer(bytes(self._came[ANSWER.size : middle]), bytes(self._came[middle:end]))
            del self._came[:end]
        if len(self.jobs) > 1:
            self._transport.pause_reading()
            self._rest = asyncio.get_running_loop().call_later(_REST_SECONDS, self._transport.resume_reading)

    def _answer(self, told: bytes, content: bytes) -> None:
        answer, columns = self.jobs.popleft().answer, orjson.loads(told)
        if answer.done():
            pass  # who waited for it has gone
        elif "reason" in columns:
            answer.set_exception(ImageError(columns["reason"], columns["detail"]))
        else:
            answer.set_result((Image(**columns), content))
        self._free()

    def connection_lost(self, exc: Exception | None) -> None:
        """Tell that the process has gone, by itself or because its line was closed."""
        self._stay()
        self._gone(self)

    def end(self) -> None:
        """Let the process see the end of its line."""
        self._stay()
        self._transport.abort()

    def _stay(self) -> None:
        if self._rest:
            self._rest.cancel()

    def join(self) -> None:
        """Wait until the process has ended."""
        self._process.join()

    def died(self) -> ImageError:
        """Wait for the process's end and return what it says of the body that it had."""
        self._process.join()
        code = self._process.exitcode or 0
        if -code in (signal.SIGPROF, signal.SIGALRM):
            return ImageError("image_timeout", "the decoder was stopped at its time limit")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ImageError("image_crash", f"the decoder died: {name}")


def begin() -> None:
    """Start the server that decoding processes are forked from: it imports what they need while others go on."""
    if sys.platform == "linux":
        _processes()
        forkserver.ensure_running()


def _processes() -> type[ForkServerProcess | SpawnProcess]:
    """Return the kind of process: forked from a server that has imported everything, where there is one."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn").Process
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([WARM])
    return context.Process
