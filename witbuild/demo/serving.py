"""The server as a process of its own, for as long as a `with` block lasts."""

from __future__ import annotations

import http.client
import subprocess
import sys
from typing import TYPE_CHECKING, Self

from witbuild.demo import web
from witbuild.demo.server import LOG
from witbuild.errors import RetryLaterError

if TYPE_CHECKING:
    from types import TracebackType

_PATIENCE_SECONDS = 10.0


def hosts_at(port: int, closed: int) -> dict[str, str]:
    """Return host -> `address:port` of a server, given the two ports that it printed.

    Example:
        >>> hosts_at(8000, 8001)["blog.picturebook.test"]
        '127.0.0.1:8000'
    """
    return {**dict.fromkeys(web.SERVED, f"127.0.0.1:{port}"), web.REFUSED: f"127.0.0.1:{closed}"}


class Serving:
    """A server of a world's web; it starts at once and is ready when `resolve` or `asked` is.

    Example:
        >>> with Serving(0, 60) as server:
        ...     sorted(server.resolve) == sorted((*web.SERVED, web.REFUSED))
        True
    """

    def __init__(self, seed: int, size: int) -> None:
        self._seed, self._size = seed, size
        self._ports: tuple[int, int] | None = None

    def __enter__(self) -> Self:
        arguments = ["--seed", str(self._seed), "--size", str(self._size)]
        command = [sys.executable, "-m", "witbuild.demo.server", *arguments]
        self._process = subprocess.Popen(command, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL, text=True)
        return self

    @property
    def process_id(self) -> int:
        """Of the server."""
        return self._process.pid

    @property
    def resolve(self) -> dict[str, str]:
        """Host -> `address:port`, the parameter of harvest and fetch; waits until the server is ready."""
        return hosts_at(*self._ready())

    def asked(self) -> dict[str, int]:
        """Return every URL that was asked for, and how often."""
        connection = http.client.HTTPConnection("127.0.0.1", self._ready()[0], timeout=_PATIENCE_SECONDS)
        connection.request("GET", "/", headers={"Host": LOG})
        lines = connection.getresponse().read().decode().splitlines()
        connection.close()
        return {url: int(count) for count, _, url in (line.partition(" ") for line in lines)}

    def _ready(self) -> tuple[int, int]:
        """Return the port of all hosts and the one that is closed."""
        if self._ports is None:
            lines = [self._process.stdout.readline().strip() for _ in range(2)] if self._process.stdout else []
            if not all(line.isdecimal() for line in lines):
                raise RetryLaterError("the demo's server ended before it began; its own words are above")
            self._ports = int(lines[0]), int(lines[1])
        return self._ports

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._process.terminate()
        self._process.wait(_PATIENCE_SECONDS)
        if self._process.stdout:
            self._process.stdout.close()
