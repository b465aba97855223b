"""The local engine: worker processes of this machine, which die with their parent."""

from __future__ import annotations

import multiprocessing
import os
import signal
import sys
import threading
from concurrent.futures import FIRST_COMPLETED, Future, ProcessPoolExecutor, wait
from concurrent.futures.process import BrokenProcessPool
from multiprocessing.connection import wait as wait_sentinels
from typing import TYPE_CHECKING, TypeVar

from witbuild.engine.interrupts import put_off
from witbuild.errors import WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Self

T = TypeVar("T")
R = TypeVar("R")

_PRELOAD = ["witbuild.stage", "witbuild.io.tables", "witbuild.io.manifest", "numpy", "pyarrow.parquet"]


def available_cores() -> int:
    """Return the cores that this process may use."""
    return len(os.sched_getaffinity(0)) if sys.platform == "linux" else os.cpu_count() or 1


class LocalEngine:
    """Runs tasks in `workers` processes; with one worker, in this process.

    Example:
        >>> with LocalEngine(workers=1) as engine:
        ...     sorted(engine.map(abs, [-2, 1]))
        [1, 2]
    """

    def __init__(self, workers: int = 0) -> None:
        self.workers = workers or available_cores()
        self._pool: ProcessPoolExecutor | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop(kill=kind is not None)

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the result for each item; at most two items a worker are in flight.

        Workers that are not started yet are forked of a process that has imported what `function.preload` names.
        """
        if self.workers == 1:
            yield from map(function, items)
            return
        pool = self._started([*_PRELOAD, *getattr(function, "preload", ())])
        running: dict[Future[R], T] = {}
        try:
            for item in items:
                with put_off():  # left while it asks for a worker, what forks workers would end with a traceback
                    running[pool.submit(function, item)] = item
                if len(running) >= 2 * self.workers:
                    yield from _finished(running)
            while running:
                yield from _finished(running)
        except BrokenProcessPool as error:
            raise WorkerError(
                f"a worker process died (out of memory, or a crash in a library) while these were in flight: "
                f"{list(running.values())}; run again to go on, with fewer workers if memory was short"
            ) from error
        finally:
            # An error, an interrupt, or nobody wants the rest. Futures are not cancelled one by one: the thread of
            # a pool that breaks then ends with a traceback.
            if running:
                self._stop(kill=True)

    def _started(self, preload: list[str]) -> ProcessPoolExecutor:
        if self._pool is None:
            context = multiprocessing.get_context("forkserver" if sys.platform == "linux" else "spawn")
            if sys.platform == "linux":
                context.set_forkserver_preload(preload)
            self._pool = ProcessPoolExecutor(self.workers, mp_context=context, initializer=_follow_parent)
        return self._pool

    def _stop(self, *, kill: bool) -> None:
        pool, self._pool = self._pool, None
        if pool is None:
            return
        if kill:
            for process in list((getattr(pool, "_processes", None) or {}).values()):
                process.kill()
        pool.shutdown(wait=True, cancel_futures=True)


def _finished(running: dict[Future[R], T]) -> Iterator[R]:
    """Wait until something is done, forget it and yield its result."""
    done, _ = wait(running, return_when=FIRST_COMPLETED)
    for future in done:
        result = future.result()
        del running[future]
        yield result


def _follow_parent() -> None:
    """Leave interrupts to the parent, and die when it dies: a killed parent must leave no worker behind."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    signal.signal(signal.SIGTERM, signal.SIG_DFL)
    parent = multiprocessing.parent_process()
    if parent is not None:
        threading.Thread(target=_exit_with, args=(parent.sentinel,), daemon=True).start()


def _exit_with(sentinel: int) -> None:
    wait_sentinels([sentinel])
    os._exit(1)
