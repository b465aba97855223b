"""Remote files read by range requests, with patience: a busy server is asked again, later and later.

Common Crawl answers 503 to whoever asks too fast, and a file of a gigabyte outlives many connections.
"""

from __future__ import annotations

import sys
import time
from typing import IO, TYPE_CHECKING

from witbuild.errors import InputError, RetryLaterError
from witbuild.io import store
from witbuild.web.positioned import Positioned

if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import TypeVar

    Result = TypeVar("Result")

TRIES = 9
FIRST_PAUSE_SECONDS = 1.0
MAX_PAUSE_SECONDS = 60.0
_GONE = frozenset({400, 401, 403, 405, 410, 416, 451})


def open_read(path: str) -> IO[bytes]:
    """Open a file to read bytes, seekable; a remote one is read on after failures that may pass.

    Raises:
        InputError: there is no such file.
        RetryLaterError: a remote one could not be read for some minutes.
    """
    if not store.is_remote(path):
        return store.open_read(path)
    return _Patient(path).buffered()


class _Patient(Positioned):
    """A remote file that is opened again where it broke off."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stream: IO[bytes] | None = None
        super().__init__(self._patiently(lambda stream: stream.seek(0, 2)))

    def _block(self, position: int, size: int) -> bytes:
        def read(stream: IO[bytes]) -> bytes:
            stream.seek(position)
            return stream.read(size)

        return self._patiently(read)

    def _patiently(self, work: Callable[[IO[bytes]], Result]) -> Result:
        for attempt in range(TRIES):
            try:
                self._stream = self._stream or store.open_read(self._path)
                return work(self._stream)
            except _trouble() as error:
                self._forget()
                cause = _root(error)
                if isinstance(cause, FileNotFoundError) or _status(cause) == 404:
                    raise InputError(f"{self._path}: no such file") from error
                if attempt == TRIES - 1 or not _may_pass(cause):
                    raise RetryLaterError(f"{self._path}: {_words(cause)}; run again later") from error
                time.sleep(min(FIRST_PAUSE_SECONDS * 2**attempt, MAX_PAUSE_SECONDS))
        raise AssertionError("unreachable")

    def _forget(self) -> None:
        stream, self._stream = self._stream, None
        if stream:
            stream.close()

    def close(self) -> None:
        self._forget()
        super().close()


def _trouble() -> tuple[type[Exception], ...]:
    """Return what a file system raises that cannot get at a file: the errors of aiohttp, and of the hub's client."""
    import aiohttp

    hub = getattr(sys.modules.get("huggingface_hub.errors"), "HTTPError", None)
    return (aiohttp.ClientError, OSError, InputError, *((hub,) if hub else ()))


def _root(error: BaseException) -> BaseException:
    """Return what an error comes from: fsspec calls any failure to open a file that it is not there."""
    return _root(error.__cause__) if error.__cause__ else error


def _may_pass(error: BaseException) -> bool:
    """Say whether asking again may help: not where access is refused."""
    return _status(error) not in _GONE and not isinstance(error, PermissionError)


def _status(error: BaseException) -> int:
    """Return the HTTP status that an error tells of, as aiohttp or httpx words it; 0 when it tells none."""
    told = getattr(error, "status", 0) or getattr(getattr(error, "response", None), "status_code", 0)
    return int(told or 0)


def _words(error: BaseException) -> str:
    return f"HTTP status {_status(error)}" if _status(error) else f"{type(error).__name__} {error}"
