"""A thousand hosts on loopback that answer late; one in a hundred may be evil.

    with slow_web(folder, delay_seconds=0.05, evil_hosts=(address(50),)) as port: ...

One uvloop process answers for every address of 127.0.0.0/8 with the photographs of a folder, each answer so long after
its question; it parses no more than it must, so that the client has the machine.
"""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import cast

import uvloop

from tests.bench.web_server import free_port, wait_for

ROOT = Path(__file__).resolve().parents[2]
OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"
NOT_FOUND = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


def address(number: int) -> str:
    return f"127.0.{number // 250}.{number % 250 + 1}"


@contextmanager
def slow_web(folder: Path, delay_seconds: float, evil_hosts: tuple[str, ...] = ()) -> Iterator[int]:
    """Serve until the block ends; give the port."""
    port = free_port()
    settings = json.dumps({"folder": str(folder), "port": port, "delay": delay_seconds, "evil": evil_hosts})
    process = subprocess.Popen([sys.executable, "-m", "tests.bench.slow_web", settings], cwd=ROOT)
    try:
        wait_for(port)
        yield port
    finally:
        process.terminate()
        process.wait()


class Late(asyncio.Protocol):
    """One connection."""

    def __init__(self, bodies: dict[bytes, bytes], delay: float, evil: frozenset[bytes]) -> None:
        self.bodies, self.delay, self.evil, self.waiting = bodies, delay, evil, b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self.transport, self.loop = cast("asyncio.Transport", transport), asyncio.get_running_loop()

    def data_received(self, data: bytes) -> None:
        self.waiting += data
        while (end := self.waiting.find(b"\r\n\r\n")) >= 0:
            head, self.waiting = self.waiting[:end].lower(), self.waiting[end + 4 :]
            self.loop.call_later(self.delay, self.answer, head)

    def answer(self, head: bytes) -> None:
        if self.transport.is_closing():
            return
        path = head.split(b" ", 2)[1].partition(b"?")[0]
        host = head.partition(b"host: ")[2].partition(b":")[0]
        if host in self.evil and path in self.bodies:
            EVILS[sorted(self.evil).index(host) % len(EVILS)](self)
            return
        self.transport.write(self.bodies.get(path, NOT_FOUND))
        if b"connection: close" in head:
            self.transport.close()

    def drip(self, piece: bytes, pause: float) -> None:
        """Send a piece again and again."""
        if not self.transport.is_closing():
            self.transport.write(piece)
            self.loop.call_later(pause, self.drip, piece, pause)

    def after(self, beginning: bytes, piece: bytes, pause: float) -> None:
        self.transport.write(beginning)
        self.drip(piece, pause)

    def last(self, content: bytes) -> None:
        self.transport.write(content)
        self.transport.close()


EVILS: tuple[Callable[[Late], None], ...] = (
    lambda _: None,  # silence
    lambda one: one.after(OK + b"Content-Length: 100000\r\n\r\n", b"x", 1.0),  # a byte a second
    lambda one: one.after(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.1),  # no end
    lambda one: one.transport.write(OK + b"Content-Length: 100000\r\n\r\nabc"),  # silence in the body
    lambda one: one.transport.abort(),
    lambda one: one.last(OK + b"Content-Length: 100000\r\n\r\nabc"),  # short
    lambda one: one.last(b"HTTP/1.1 302 Found\r\nLocation: /0.jpg\r\nContent-Length: 0\r\n\r\n"),  # to itself
    lambda one: one.last(b"HTTP/1.1 429 X\r\nRetry-After: 1000000000\r\nContent-Length: 0\r\n\r\n"),
    lambda one: one.last(b"HTTP/1.1 503 X\r\nContent-Length: 0\r\n\r\n"),
    lambda one: one.after(b"HTTP/1.1 200 OK\r\n", b"X-Flood: yes\r\n" * 100, 0.01),
)


def answered(folder: str) -> dict[bytes, bytes]:
    """Return what is sent for each path."""
    bodies = {f"/{path.name}".encode(): path.read_bytes() for path in Path(folder).glob("*.jpg")}
    return {path: OK + b"Content-Length: %d\r\n\r\n" % len(body) + body for path, body in bodies.items()}


async def serve(folder: str, port: int, delay: float, evil: list[str]) -> None:
    answers, hosts = answered(folder), frozenset(host.encode() for host in evil)
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: Late(answers, delay, hosts), "0.0.0.0", port, backlog=4_096)  # noqa: S104
    await server.serve_forever()


if __name__ == "__main__":
    uvloop.run(serve(**json.loads(sys.argv[1])))
