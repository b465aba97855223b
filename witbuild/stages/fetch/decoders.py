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
import importlib
import json
import multiprocessing
import signal
import socket
import struct
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from queue import SimpleQueue
from typing import TYPE_CHECKING, Self

from witbuild.image.failure import ImageError
from witbuild.stages.fetch.journal import Image

if TYPE_CHECKING:
    from multiprocessing.context import ForkServerProcess, SpawnProcess
    from types import TracebackType

Making = Callable[[bytes], tuple[Image, bytes]]
_WARM = "witbuild.stages.fetch.warm"
_PATIENCE = 10
"""Seconds by the clock for each CPU second that is allowed: a decoder that sleeps is ended too."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """What a body may cost.

    Attributes:
        seconds: CPU seconds.
        memory_bytes: that its process may allocate, on top of what it has when it starts (Linux).
    """

    seconds: float = 30.0
    memory_bytes: int = 1_500_000_000


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
        self._process = _processes()(target=_serve, args=(theirs, make, limits), daemon=True)
        self._process.start()
        theirs.close()
        self.alive = True

    def ask(self, body: bytes) -> tuple[Image, bytes]:
        try:
            _send(self._line, body)
            told, content = _receive(self._line, 2)
        except (EOFError, OSError):
            raise self._died() from None
        columns = json.loads(told)
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


def _processes() -> type[ForkServerProcess | SpawnProcess]:
    """Return the kind of process: forked from a server that has imported everything, where there is one."""
    if sys.platform != "linux":
        return multiprocessing.get_context("spawn").Process
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload([_WARM])
    return context.Process


def _send(line: socket.socket, *pieces: bytes) -> None:
    """Send pieces of bytes, their lengths before them."""
    message = [struct.pack(f"<{len(pieces)}I", *map(len, pieces)), *pieces]
    sent = line.sendmsg(message)
    if sent < sum(map(len, message)):  # a signal came in between
        line.sendall(b"".join(message)[sent:])


def _receive(line: socket.socket, pieces: int) -> list[bytes]:
    """Receive what `_send` sent; EOFError when the other end is gone."""
    lengths = struct.unpack(f"<{pieces}I", _exactly(line, 4 * pieces))
    return [_exactly(line, length) for length in lengths]


def _exactly(line: socket.socket, length: int) -> bytes:
    found = line.recv(length, socket.MSG_WAITALL) if length else b""
    if len(found) != length:
        raise EOFError("the line was cut")
    return found


def _serve(line: socket.socket, make: Making, limits: Limits) -> None:
    """Answer bodies until the line ends."""
    importlib.import_module(_WARM)
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    _bound_memory(limits.memory_bytes)
    try:
        while True:
            (body,) = _receive(line, 1)
            _arm(limits.seconds)
            answer = _answer(make, body)
            _arm(0)
            _send(line, *answer)
    except (EOFError, OSError):
        return


def _answer(make: Making, body: bytes) -> tuple[bytes, bytes]:
    try:
        image, content = make(body)
    except ImageError as error:
        return json.dumps({"reason": error.reason, "detail": error.detail}).encode(), b""
    except MemoryError:
        return json.dumps({"reason": "image_memory", "detail": ""}).encode(), b""
    return json.dumps(asdict(image)).encode(), content


def _arm(seconds: float) -> None:
    """Have the kernel end this process after so many CPU seconds; 0: not."""
    signal.setitimer(signal.ITIMER_PROF, seconds)
    signal.setitimer(signal.ITIMER_REAL, _PATIENCE * seconds)


def _bound_memory(more: int) -> None:
    """Bound what this process may allocate; on Linux only, where private memory can be bounded and asked for."""
    if sys.platform != "linux":
        return
    import resource
    from pathlib import Path

    pages = int(Path("/proc/self/statm").read_text().split()[5])
    most = pages * resource.getpagesize() + more
    resource.setrlimit(resource.RLIMIT_DATA, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
