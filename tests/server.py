"""A web site on loopback that behaves as told, and misbehaves in every way that the wild has shown.

    with Site({"http://a.test/x.jpg": Reply(b"..."), "http://a.test/slow": drip}) as site:
        settings = Settings(user_agent=..., allow_private=True, resolve=site.resolve("a.test"), ...)
        ...
        assert site.hits["http://a.test/x.jpg"] == 1

It runs in a thread of its own, so that synchronous code can be tested against it.
"""

from __future__ import annotations

import asyncio
import contextlib
import gzip
import itertools
import socket
import struct
import time
from collections import Counter, defaultdict
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import Self

from tests.loop_server import LoopServer

Behaviour = Callable[[asyncio.StreamWriter], Awaitable[None]]


@dataclass(frozen=True)
class Reply:
    """A well-behaved answer."""

    body: bytes = b""
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    delay_seconds: float = 0.0

    def encode(self) -> bytes:
        lines = {"Content-Length": str(len(self.body)), **self.headers}
        head = "".join(f"{name}: {value}\r\n" for name, value in lines.items())
        return f"HTTP/1.1 {self.status} X\r\n{head}\r\n".encode("latin-1") + self.body


class Site(LoopServer):
    """Answers by URL, or by path for any host; what it does not know is 404.

    Attributes:
        hits: URL -> requests seen.
        starts: host -> times at which requests came, seconds of time.monotonic.
        peak: host -> most requests in progress at once.
        agents: User-Agent headers seen.
    """

    def __init__(self, pages: Mapping[str, Reply | Behaviour]) -> None:
        self.pages = dict(pages)
        self.hits: Counter[str] = Counter()
        self.starts: dict[str, list[float]] = defaultdict(list)
        self.peak: Counter[str] = Counter()
        self.headers: list[dict[str, str]] = []
        self._now: Counter[str] = Counter()
        super().__init__()
        self._socket = socket.create_server(("127.0.0.1", 0), backlog=1024)
        self.port: int = self._socket.getsockname()[1]

    def resolve(self, *hosts: str) -> dict[str, str]:
        return dict.fromkeys(hosts, f"127.0.0.1:{self.port}")

    def __enter__(self) -> Self:
        self._thread.start()
        starting = asyncio.run_coroutine_threadsafe(
            asyncio.start_server(self._serve, sock=self._socket, limit=1 << 20), self._loop
        )
        self._server = starting.result(10)
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError):
            while await self._answer(reader, writer):
                pass
        writer.transport.abort()

    async def _answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        lines = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
        headers = dict(line.lower().split(": ", 1) for line in lines[1:] if ": " in line)
        host, path = headers["host"], lines[0].split(" ")[1]
        page = self.pages.get(f"http://{host}{path}") or self.pages.get(path) or Reply(status=404)
        self._note(host, f"http://{host}{path}", headers)
        try:
            return await self._send(page, reader, writer)
        finally:
            self._now[host] -= 1

    def _note(self, host: str, url: str, headers: dict[str, str]) -> None:
        self.hits[url] += 1
        self.starts[host].append(time.monotonic())
        self.headers.append(headers)
        self._now[host] += 1
        self.peak[host] = max(self.peak[host], self._now[host])

    @staticmethod
    async def _send(page: Reply | Behaviour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> bool:
        if not isinstance(page, Reply):
            await _until_hung_up(page, reader, writer)
            return False
        await asyncio.sleep(page.delay_seconds)
        writer.write(page.encode())
        await writer.drain()
        return True


async def _until_hung_up(behave: Behaviour, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Behave until the client closes, so that no connection outlives it."""
    both = {asyncio.ensure_future(behave(writer)), asyncio.ensure_future(reader.read())}
    await asyncio.wait(both, return_when=asyncio.FIRST_COMPLETED)
    for task in both:
        task.cancel()
    await asyncio.gather(*both, return_exceptions=True)


def redirect(location: str, status: int = 302) -> Reply:
    return Reply(status=status, headers={"Location": location})


OK = b"HTTP/1.1 200 OK\r\nContent-Type: image/jpeg\r\n"


async def _forever(writer: asyncio.StreamWriter, first: bytes, piece: bytes, seconds: float) -> None:
    writer.write(first)
    while True:
        writer.write(piece)
        await writer.drain()
        await asyncio.sleep(seconds)


def endless(first: bytes, piece: bytes, seconds: float = 0.0) -> Behaviour:
    return lambda writer: _forever(writer, first, piece, seconds)


def once(content: bytes) -> Behaviour:
    """Send some bytes and close."""

    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        with contextlib.suppress(OSError):
            writer.write_eof()

    return behave


def then_silence(content: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await asyncio.sleep(3600)

    return behave


def then_reset(content: bytes) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        writer.write(content)
        await writer.drain()
        await asyncio.sleep(0.05)
        connection = writer.get_extra_info("socket")
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return behave


def letter_by_letter(content: bytes, seconds: float) -> Behaviour:
    async def behave(writer: asyncio.StreamWriter) -> None:
        for octet in itertools.cycle(content):
            writer.write(bytes([octet]))
            await writer.drain()
            await asyncio.sleep(seconds)

    return behave


def _bomb() -> bytes:
    return gzip.compress(bytes(200_000_000), compresslevel=1, mtime=0)


def _encoded(body: bytes, encoding: str) -> Reply:
    return Reply(body, headers={"Content-Encoding": encoding, "Content-Type": "image/jpeg"})


EVILS: dict[str, tuple[Reply | Behaviour, str]] = {
    "drip": (endless(OK + b"Content-Length: 100000\r\n\r\n", b"x", 0.05), "timeout"),
    "silence": (then_silence(b""), "timeout"),
    "silence_after_status": (then_silence(b"HTTP/1.1 200 OK\r\n"), "timeout"),
    "silence_after_headers": (then_silence(OK + b"Content-Length: 5\r\n\r\n"), "timeout"),
    "silence_in_body": (then_silence(OK + b"Content-Length: 5\r\n\r\nabc"), "timeout"),
    "headers_letter_by_letter": (letter_by_letter(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 100_000, 0.02), "timeout"),
    "chunks_without_end": (endless(OK + b"Transfer-Encoding: chunked\r\n\r\n", b"1\r\nx\r\n", 0.01), "timeout"),
    "body_without_end": (endless(OK + b"\r\n", b"x" * 65_536), "too_large"),
    "ten_gigabytes_announced": (then_silence(OK + b"Content-Length: 10737418240\r\n\r\n"), "too_large"),
    "short_body": (once(OK + b"Content-Length: 100\r\n\r\nabc"), "short_body"),
    "short_chunk": (once(OK + b"Transfer-Encoding: chunked\r\n\r\nff\r\nabc"), "short_body"),
    "bad_chunk": (once(OK + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n"), "bad_http"),
    "reset": (then_reset(b""), "reset"),
    "reset_in_body": (then_reset(OK + b"Content-Length: 100\r\n\r\nabc"), "short_body"),
    "closed": (once(b""), "reset"),
    "garbage": (once(b"\x00\xff\x16\x03\x01 no protocol at all\r\n\r\n"), "bad_http"),
    "http_0_9": (once(b"<html>an answer without headers</html>"), "bad_http"),
    "header_flood": (endless(b"HTTP/1.1 200 OK\r\n", b"X-Flood: yes\r\n" * 100), "bad_http"),
    "header_of_a_megabyte": (once(OK + b"X-Long: " + b"y" * 1_000_000 + b"\r\n\r\n"), "bad_http"),
    "two_lengths": (once(OK + b"Content-Length: 3\r\nContent-Length: 30\r\n\r\nabc"), "bad_http"),
    "negative_length": (once(OK + b"Content-Length: -3\r\n\r\nabc"), "bad_http"),
    "continues_for_ever": (endless(b"", b"HTTP/1.1 100 Continue\r\n\r\n", 0.01), "timeout"),
    "redirect_to_itself": (redirect("/evil/redirect_to_itself"), "redirect_loop"),
    "redirect_back_and_forth": (redirect("/evil/redirect_back_and_forth_2"), "redirect_loop"),
    "redirect_back_and_forth_2": (redirect("/evil/redirect_back_and_forth"), "redirect_loop"),
    "redirect_to_metadata": (redirect("http://169.254.169.254/latest/meta-data/"), "private_address"),
    "redirect_to_mapped": (redirect("http://[::ffff:169.254.169.254]/"), "private_address"),
    "redirect_to_file": (redirect("file:///etc/passwd"), "bad_redirect"),
    "redirect_to_port": (redirect("http://a.test:22/"), "port"),
    "redirect_nowhere": (Reply(status=302), "bad_redirect"),
    "too_many_requests": (Reply(status=429, headers={"Retry-After": "1000000000"}), "http_429"),
    "unavailable": (Reply(status=503, headers={"Retry-After": "soon"}), "http_503"),
    "gone": (Reply(status=410), "http_410"),
    "no_content": (Reply(status=204), "http_204"),
    "part_unasked": (Reply(b"abc", status=206, headers={"Content-Range": "bytes 0-2/10"}), "http_206"),
    "unasked_not_modified": (Reply(status=304), "http_304"),
    "status_999": (Reply(status=999), "http_999"),
    "gzip_bomb": (_encoded(_bomb(), "gzip"), "too_large"),
    "gzip_that_is_none": (_encoded(b"no gzip", "gzip"), "bad_encoding"),
    "gzip_cut": (_encoded(gzip.compress(b"text" * 1000)[:20], "gzip"), "bad_encoding"),
    "unknown_encoding": (_encoded(b"abc", "zstd, gzip"), "bad_encoding"),
}  # fmt: skip
"""Name -> (what is answered at /evil/name, the reason that the client must give)."""


def evil_pages() -> dict[str, Reply | Behaviour]:
    return {f"/evil/{name}": page for name, (page, _) in EVILS.items()}
