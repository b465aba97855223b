"""Decoding in processes of its own: what crashes a decoder, loops in it or takes all memory costs one sample.

    body ──> waiting ──> the process that has least to do (process.py) ──> image
               ^                        │ died: the body it had is to blame,
               └────────────────────────┘ those it had not begun wait again

The kernel keeps the limits: a timer of CPU seconds that no decoder can hold off, and a bound on memory. A process
answers in JSON and bytes, never in pickles: whatever broke into a decoder stays there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING, Self

from witbuild.stages.fetch.process import AHEAD, Job, Process

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from types import TracebackType

    from witbuild.stages.fetch.decoding import Limits, Making
    from witbuild.stages.fetch.journal import Image


class Decoders:
    """Processes that make images; an asynchronous function and a context manager around them.

    Args:
        make: what they do; picklable.
        processes: how many.
        limits: of each body.

    Attributes:
        up: processes that run.

    Example:
        async with Decoders(Make(plan), 2, Limits()) as decoders:
            image, content = await decoders(body)
    """

    def __init__(self, make: Making, processes: int, limits: Limits) -> None:
        self._make, self._limits = make, limits
        self._missing = processes
        self._waiting: deque[Job] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self.up: list[Process] = []

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._missing = 0
        self._waiting.clear()
        while self._tasks:
            await asyncio.gather(*self._tasks, return_exceptions=True)
        ending, self.up = self.up, []
        for process in ending:
            process.end()
        for process in ending:
            await asyncio.to_thread(process.join)

    async def __call__(self, body: bytes) -> tuple[Image, bytes]:
        """Make the image of a body in a process that has room for it.

        Raises:
            ImageError: what `make` says; image_crash, image_timeout or image_memory when the process died of it.
            WorkerError: no process can be started.
        """
        job = Job(body, asyncio.get_running_loop().create_future())
        self._waiting.append(job)
        self._spread()
        return await job.answer

    def _spread(self) -> None:
        """Hand what waits to processes that have room, and start one where all have something to do."""
        while self._waiting:
            process = min(self.up, key=lambda one: len(one.jobs), default=None)
            if self._missing and (process is None or process.jobs):
                self._missing -= 1
                self._go(self._start())
            if process is None or len(process.jobs) >= AHEAD:
                return
            job = self._waiting.popleft()
            if not job.answer.done():
                process.take(job)

    def _go(self, work: Coroutine[None, None, None]) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        """Let those who wait know of a process that could not be started."""
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error:
            self._missing += 1
            waiting, self._waiting = self._waiting, deque()
            for job in waiting:
                if not job.answer.done():
                    job.answer.set_exception(error)

    async def _start(self) -> None:
        process = await asyncio.to_thread(Process, self._make, self._limits)
        await process.attach(self._spread, self._lost)
        self.up.append(process)
        self._spread()

    def _lost(self, process: Process) -> None:
        """See to what a process had whose line ended."""
        if process in self.up:
            self.up.remove(process)
            self._go(self._bury(process))

    async def _bury(self, process: Process) -> None:
        failure = await asyncio.to_thread(process.died)
        jobs = list(process.jobs)
        if jobs and not jobs[0].answer.done():
            jobs[0].answer.set_exception(failure)
        self._waiting.extendleft(reversed(jobs[1:]))
        self._missing += 1
        self._spread()
