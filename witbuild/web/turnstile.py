"""Politeness across processes: so many requests at once to a host, whatever runs on this machine.

A place is a file; who holds its lock may ask. The lock goes with the process, so that a killed one leaves none behind.
The file's time of change is when the place was last used, which paces all processes together.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, Self

if TYPE_CHECKING:
    from types import TracebackType

_LOOK_AGAIN_SECONDS = 0.02
MAX_WAIT_SECONDS = 120.0
"""Longest wait for a place's turn: a clock that was set back must not stop anybody."""


def places_folder() -> Path:
    """Return the folder of this user's places."""
    return Path(tempfile.gettempdir()) / f"witbuild-places-{os.getuid()}"


class Turnstile:
    """Lets requests to a host through; `async with turnstile:` holds one of its places, one at a time.

    Args:
        host: that is asked.
        places: requests at once, of all processes of this user.
        delay_seconds: from the start of a request in a place to the start of the next one there.
        folder: where the places lie; by default the user's own.
    """

    def __init__(self, host: str, *, places: int, delay_seconds: float, folder: Path | None = None) -> None:
        self._folder = folder or places_folder()
        name = re.sub(r"[^\w.-]", "_", host)
        self._paths = [self._folder / f"{name}.{place}" for place in range(places)]
        self._delay = delay_seconds
        self._held = -1

    async def __aenter__(self) -> Self:
        self._make()
        while (place := self._free()) is None:  # noqa: ASYNC110 - no event goes from process to process
            await asyncio.sleep(_LOOK_AGAIN_SECONDS)
        self._held = place
        try:
            while (left := os.fstat(place).st_mtime + self._delay - time.time()) > 0:
                await asyncio.sleep(min(left, MAX_WAIT_SECONDS))
                if left > MAX_WAIT_SECONDS:
                    break
            os.utime(place)
        except BaseException:
            self._leave()
            raise
        return self

    def _make(self) -> None:
        """Make the places that are not there, as if never used."""
        self._folder.mkdir(mode=0o700, parents=True, exist_ok=True)
        for path in self._paths:
            try:
                path.touch(mode=0o600, exist_ok=False)
                os.utime(path, (0, 0))
            except FileExistsError:
                continue

    def _free(self) -> int | None:
        """Take the free place that was used longest ago, as a file descriptor; None when all are taken."""
        for path in sorted(self._paths, key=_last_used):
            place = os.open(path, os.O_RDWR | os.O_CLOEXEC)
            try:
                fcntl.flock(place, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                os.close(place)
            else:
                return place
        return None

    def rest(self, seconds: float) -> None:
        """Let nobody through for some seconds, in any process."""
        until = time.time() + min(seconds, MAX_WAIT_SECONDS) - self._delay
        self._make()
        for path in self._paths:
            if _last_used(path) < until:
                os.utime(path, (until, until))

    def _leave(self) -> None:
        os.close(self._held)
        self._held = -1

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._leave()


def _last_used(path: Path) -> float:
    return path.stat().st_mtime
