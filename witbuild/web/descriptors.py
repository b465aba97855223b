"""Open files: what a process may have, and how many connections may stay open for a host's next request."""

from __future__ import annotations

import socket
import sys
from collections import OrderedDict
from contextlib import contextmanager, suppress
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Iterator

RESERVED = 200
"""Open files for all else: tables, decoding processes, lookups."""
_KEPT = 2
"""Connections kept for each one in use."""


def room(connections: int) -> int:
    """Return how many connections may be kept beside those in use; this process's limit is raised where need be.

    Args:
        connections: in use at once.

    Raises:
        RecipeError: the machine allows too few open files: how many, and what to do.
    """
    if sys.platform == "win32":
        return _KEPT * connections
    import resource

    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    endless = resource.RLIM_INFINITY
    wanted = (1 + _KEPT) * connections + RESERVED
    if soft != endless and soft < wanted:
        soft = wanted if hard == endless else min(wanted, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
    free = wanted if soft == endless else soft
    return _beside(connections, free - RESERVED)


def _beside(connections: int, files: int) -> int:
    """Return how many of so many open files are left for connections that are kept.

    Example:
        >>> _beside(256, 800), _beside(256, 400)
        (512, 144)
    """
    if connections > files:
        raise RecipeError(
            f"connections: found {connections}, but this machine allows a process {max(files, 0) + RESERVED} open "
            f"files (`ulimit -Hn`), {RESERVED} of which are for other things: give at most {max(files, 0)}"
        )
    return min(_KEPT * connections, files - connections)


@dataclass(slots=True)
class _Line:
    """The connections of a host."""

    asked: int = 0
    sockets: list[socket.socket] = field(default_factory=list)


_line: ContextVar[_Line] = ContextVar("line")


class Kept:
    """Connections that nothing is asked on; beyond a bound those of the host that was asked longest ago are closed.

    Args:
        most: of them.

    Attributes:
        count: of them now, those included that their servers have closed meanwhile.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self.count = 0
        self._busy: dict[str, _Line] = {}
        self._idle: OrderedDict[str, _Line] = OrderedDict()

    @contextmanager
    def asking(self, host: str) -> Iterator[None]:
        """Take a host's connections as in use, those too that are opened in the block."""
        line = self._busy.get(host) or self._taken(host)
        line.asked += 1
        token = _line.set(line)
        try:
            yield
        finally:
            _line.reset(token)
            line.asked -= 1
            if not line.asked:
                self._put(host, line)

    def opened(self, connection: socket.socket) -> socket.socket:
        """Return a socket that was made within `asking`, once it is noted."""
        _line.get().sockets.append(connection)
        return connection

    def _taken(self, host: str) -> _Line:
        line = self._busy[host] = self._idle.pop(host) if host in self._idle else _Line()
        self.count -= len(line.sockets)
        return line

    def _put(self, host: str, line: _Line) -> None:
        del self._busy[host]
        line.sockets = [one for one in line.sockets if one.fileno() >= 0]
        if line.sockets:
            self._idle[host] = line
            self.count += len(line.sockets)
        while self.count > self._most:
            _, oldest = self._idle.popitem(last=False)
            self.count -= len(oldest.sockets)
            for one in oldest.sockets:
                _hang_up(one)


def _hang_up(connection: socket.socket) -> None:
    """Shut a connection down; who holds it sees its end and closes it."""
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
