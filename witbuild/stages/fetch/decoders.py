"""Decoding in processes of its own: what crashes a decoder, loops in it or takes all memory costs one sample.

    a thread of the task                         its process, replaced when it dies
    ────────────────────                         ──────────────────────────────────
    body                    ── socketpair ──>    timers armed, make(body)
    columns as JSON, bytes  <── socketpair ──    or why there is no image

The kernel keeps the limits: a timer of CPU seconds that no decoder can hold off, and a bound on memory. A process
answers in JSON and bytes, never in pickles: whatever broke into a decoder stays there.
"""

from __future__ import annotations

import asyncio
import multiprocessing
import signal
import socket
import sys
from concurrent.futures import ThreadPoolExecutor
from multiprocessing import forkserver
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

import orjson

from witbuild.errors import WorkerError
from witbuild.image.failure import ImageError
from witbuild.stages.fetch.decoding import WARM, Limits, Making, receive, send, serve
from witbuild.stages.fetch.journal import Image

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess, SpawnProcess
    from types import TracebackType


class Decoders:
    """Processes that make images; an asynchronous function and a context manager around them.

    Args:
        make: what they do; picklable.
        processes: how many.
        limits: of each body.

    Example:
        with Decoders(Make(plan), 2, Limits()) as decoders:
            image, content = await decoders(body)
    """

    def __init__(self, make: Making, processes: int, limits: Limits) -> None:
        self._make, self._limits = make, limits
        self._threads = ThreadPoolExecutor(processes, thread_name_prefix="decoder")
        self._idle: SimpleQueue[_Process | None] = SimpleQueue()
        for _ in range(processes):
            self._idle.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._threads.shutdown(cancel_futures=True)
        while not self._idle.empty():
            if process := self._idle.get():
                process.end()

    async def __call__(self, body: bytes) -> tuple[Image, bytes]:
        """Make the image of a body in a process that is idle.

        Raises:
            ImageError: what `make` says; image_crash, image_timeout or image_memory when the process died of it.
            WorkerError: no process can be started.
        """
        return await asyncio.get_running_loop().run_in_executor(self._threads, self.ask, body)

    def ask(self, body: bytes) -> tuple[Image, bytes]:
        """Do what a call does, waiting for it."""
        process = self._idle.get()
        try:
            process = process or _Process(self._make, self._limits)
            return process.ask(body)
        finally:
            self._idle.put(process if process and process.alive else None)


class _Process:
    """One decoding process and this end of its line; `alive` until the process is seen to be gone."""

    def __init__(self, make: Making, limits: Limits) -> None:
        self._line, theirs = socket.socketpair()
        self._line.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 1 << 20)  # a body in one go, where it is allowed
        self._process = _processes()(target=serve, args=(theirs, make, limits), daemon=True)
        self._process.start()
        theirs.close()
        self.alive = True
        self._begin()

    def _begin(self) -> None:
        """Wait until the process is ready: one that never is, is no image's fault."""
        try:
            receive(self._line, 1)
        except (EOFError, OSError):
            self.end()
            raise WorkerError(
                f"a decoding process ended before it began (exit code {self._process.exitcode}); its own words stand "
                f"above; a script that uses witbuild needs the line `if __name__ == '__main__':`"
            ) from None

    def ask(self, body: bytes) -> tuple[Image, bytes]:
        try:
            send(self._line, body)
            told, content = receive(self._line, 2)
        except (EOFError, OSError):
            raise self._died() from None
        columns = orjson.loads(told)
        if "reason" in columns:
            raise ImageError(columns["reason"], columns["detail"])
        return Image(**columns), content

    def _died(self) -> ImageError:
        self.end()
        code = self._process.exitcode or 0
        if -code in (signal.SIGPROF, signal.SIGALRM):
            return ImageError("image_timeout", "the decoder was stopped at its time limit")
        name = signal.Signals(-code).name if code < 0 else f"exit code {code}"
        return ImageError("image_crash", f"the decoder died: {name}")

    def end(self) -> None:
        """Let the process see the end of its line, and wait for it."""
        self.alive = False
        self._line.close()
        self._process.join()


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
