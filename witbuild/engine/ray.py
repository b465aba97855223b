"""The Ray engine: tasks on all machines of a Ray cluster.

    driver ──submit, bounded──> Ray ──one task a slot──> worker on any node ──result──> driver
                                 └── worker or node lost: its tasks are given to others, up to `retries` times

Workers read and write the run directory themselves, so with more than one machine it must be one that all of them see:
an object store or a shared file system. witbuild has to be installed on every machine.
"""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING, Any, TypeVar

from witbuild.engine.local import available_cores
from witbuild.errors import MissingExtraError, WorkerError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from types import TracebackType
    from typing import Self

T = TypeVar("T")
R = TypeVar("R")


class RayEngine:
    """Runs tasks on a Ray cluster, each on the CPUs and the memory that it declares.

    Args:
        address: of the cluster, `auto` for the one on this machine; empty: Ray is started here and stopped again.
        workers: tasks that run at a time, at most; 0: as many as the cluster has room for.
        cpus: that a task declares.
        memory_bytes: that a task declares; 0: none, and memory does not limit how many run on a machine.
        retries: how often a task is given to another worker when its own was lost.

    Raises:
        MissingExtraError: Ray is not installed.
        WorkerError: there is no cluster at the address.
    """

    def __init__(
        self, address: str = "", *, workers: int = 0, cpus: float = 1.0, memory_bytes: int = 0, retries: int = 3
    ) -> None:
        self.ray = _imported()
        self.address, self.workers = address, workers
        self.cpus, self.memory_bytes, self.retries = cpus, memory_bytes, retries
        self._ours = False
        self._left: list[Any] = []

    def __enter__(self) -> Self:
        if not self.ray.is_initialized():
            self._join()
            self._ours = True
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._ours:
            self._left = []
            self.ray.shutdown()
            self._ours = False

    def map(self, function: Callable[[T], R], items: Iterable[T]) -> Iterator[R]:
        """Yield the result for each item; at most two items a slot of the cluster are in flight."""
        self._outwait()
        call, shared = self._remote(), self.ray.put(function)
        running: dict[Any, T] = {}
        try:
            for item in items:
                running[call.remote(shared, item)] = item
                if len(running) >= 2 * self._slots():
                    yield from self._finished(running)
            while running:
                yield from self._finished(running)
        finally:
            self._left = list(running)

    def _outwait(self) -> None:
        """Let what an error or an early end left in flight come to its end; leaving the engine ends it at once.

        It is not cancelled: a cancelled task that ends at that moment aborts the driver (Ray 2.60; pull request 54798
        tells of the race).
        """
        left, self._left = self._left, []
        if left:
            self.ray.wait(left, num_returns=len(left), fetch_local=False)

    def _join(self) -> None:
        _knock(self.address)
        options: dict[str, Any] = {"log_to_driver": False, "configure_logging": False}
        if self.address:
            options["address"] = self.address
        else:
            options |= {"num_cpus": self.workers or available_cores(), "include_dashboard": False}
        try:
            self.ray.init(**options)
        except ConnectionError as error:
            raise _nobody(self.address, error) from error

    def _remote(self) -> Any:
        declared = {"num_cpus": self.cpus, "max_retries": self.retries, "retry_exceptions": False}
        if self.memory_bytes:
            declared["memory"] = self.memory_bytes
        return self.ray.remote(_call).options(**declared)

    def _slots(self) -> int:
        """Return how many tasks the cluster runs at a time; machines may have come and gone since the last look."""
        if self.workers:
            return self.workers
        has = self.ray.cluster_resources()
        rooms = [has.get("CPU", 0.0) / self.cpus] if self.cpus else []
        rooms += [has.get("memory", 0.0) / self.memory_bytes] if self.memory_bytes else []
        return max(1, int(min(rooms, default=1)))

    def _finished(self, running: dict[Any, T]) -> Iterator[R]:
        """Wait until something is done, forget it and yield its result."""
        (future,), _ = self.ray.wait(list(running), num_returns=1)
        yield self._result(future, running)
        del running[future]

    def _result(self, future: Any, running: dict[Any, T]) -> Any:
        problems = self.ray.exceptions
        try:
            return self.ray.get(future)
        except problems.RayTaskError as error:
            raise error.cause from None
        except problems.RayError as error:
            raise WorkerError(
                f"{running[future]} was lost with its worker {self.retries + 1} times ({type(error).__name__}: "
                f"{error}); run again to go on, with more memory declared a task if memory was short"
            ) from error


def _call(function: Callable[[T], R], item: T) -> R:
    return function(item)


def _knock(address: str) -> None:
    """Find out in seconds whether anybody listens at HOST:PORT; Ray itself tries for minutes."""
    host, colon, port = address.rpartition(":")
    if not colon or not port.isdecimal() or "//" in host:
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=10).close()
    except OSError as error:
        raise _nobody(address, error) from error


def _nobody(address: str, error: Exception) -> WorkerError:
    return WorkerError(f"--address {address}: no Ray cluster answers ({error})")


def _imported() -> Any:
    """Return the module ray, told to report nothing about its use to anybody."""
    os.environ.setdefault("RAY_USAGE_STATS_ENABLED", "0")
    try:
        import ray
    except ModuleNotFoundError as error:
        raise MissingExtraError("--engine ray", "ray") from error
    return ray
