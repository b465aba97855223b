"""An https server on loopback that speaks HTTP/2 as told, and misbehaves in its ways."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import Self

import h2.config
import h2.connection
import h2.events

from tests.loop_server import LoopServer
from tests.server import Reply

TLS = Path(__file__).parent / "web" / "tls"
CERTIFICATE = TLS / "cert.pem"


class Stream:
    """One request, for a behaviour that answers it."""

    def __init__(self, connection: h2.connection.H2Connection, writer: asyncio.StreamWriter, number: int) -> None:
        self.h2, self.writer, self.number = connection, writer, number

    async def flush(self) -> None:
        self.writer.write(self.h2.data_to_send())
        await self.writer.drain()

    async def head(self, status: int = 200, headers: Mapping[str, str] | None = None, *, last: bool = False) -> None:
        fields = [(":status", str(status)), *((headers or {}).items())]
        self.h2.send_headers(self.number, fields, end_stream=last)
        await self.flush()

    async def data(self, content: bytes, *, last: bool = False) -> None:
        for start in range(0, max(len(content), 1), 16_000):
            piece = content[start : start + 16_000]
            while self.h2.local_flow_control_window(self.number) < len(piece):  # noqa: ASYNC110 - a window has no event
                await asyncio.sleep(0.005)
            self.h2.send_data(self.number, piece, end_stream=last and start + 16_000 >= len(content))
            await self.flush()


H2Behaviour = Callable[[Stream], Awaitable[None]]


class H2Site(LoopServer):
    """Answers by path; what it does not know is 404.

    Attributes:
        connections: that were made.
        protocols: that they agreed on.
        paths: asked for, in order.
    """

    def __init__(
        self, pages: Mapping[str, Reply | H2Behaviour], protocols: tuple[str, ...] = ("h2", "http/1.1")
    ) -> None:
        self.pages, self.connections, self.paths = dict(pages), 0, list[str]()
        self.protocols: list[str | None] = []
        self._context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        self._context.load_cert_chain(CERTIFICATE, TLS / "key.pem")
        self._context.set_alpn_protocols(list(protocols))
        super().__init__()

    def __enter__(self) -> Self:
        self._thread.start()
        start = asyncio.start_server(self._serve, "127.0.0.1", 0, ssl=self._context)
        self._server = asyncio.run_coroutine_threadsafe(start, self._loop).result(10)
        self.port = self._server.sockets[0].getsockname()[1]
        return self

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        protocol = writer.get_extra_info("ssl_object").selected_alpn_protocol()
        self.protocols.append(protocol)
        with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.CancelledError, ssl.SSLError):
            await (self._h2(reader, writer) if protocol == "h2" else self._h1(reader, writer))
        writer.transport.abort()

    async def _h1(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        path = (await reader.readuntil(b"\r\n\r\n")).split(b" ")[1].decode()
        self.paths.append(path)
        page = self.pages.get(path, Reply(status=404))
        assert isinstance(page, Reply)
        writer.write(page.encode())
        await writer.drain()

    async def _h2(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connection = h2.connection.H2Connection(h2.config.H2Configuration(client_side=False, header_encoding="utf-8"))
        connection.initiate_connection()
        writer.write(connection.data_to_send())
        answers: set[asyncio.Task[None]] = set()
        try:
            while data := await reader.read(65_536):
                for event in connection.receive_data(data):
                    if isinstance(event, h2.events.RequestReceived):
                        answers.add(asyncio.ensure_future(self._answer(connection, writer, event)))
                writer.write(connection.data_to_send())
        finally:
            for answer in answers:
                answer.cancel()
            await asyncio.gather(*answers, return_exceptions=True)

    async def _answer(
        self, connection: h2.connection.H2Connection, writer: asyncio.StreamWriter, event: h2.events.RequestReceived
    ) -> None:
        path = dict(event.headers)[":path"]
        self.paths.append(str(path))
        stream, page = Stream(connection, writer, event.stream_id or 0), self.pages.get(str(path), Reply(status=404))
        if not isinstance(page, Reply):
            await page(stream)
            return
        await asyncio.sleep(page.delay_seconds)
        await stream.head(page.status, {"content-length": str(len(page.body)), **page.headers})
        await stream.data(page.body, last=True)


async def silence(stream: Stream) -> None:
    await asyncio.sleep(3_600)


async def silence_in_body(stream: Stream) -> None:
    await stream.head()
    await stream.data(b"abc")
    await asyncio.sleep(3_600)


async def drip(stream: Stream) -> None:
    await stream.head()
    while True:
        await stream.data(b"x")
        await asyncio.sleep(0.02)


async def endless(stream: Stream) -> None:
    await stream.head()
    while True:
        await stream.data(b"x" * 16_000)


async def reset(stream: Stream) -> None:
    stream.h2.reset_stream(stream.number)
    await stream.flush()


async def reset_in_body(stream: Stream) -> None:
    await stream.head()
    await stream.data(b"abc")
    await reset(stream)


async def short(stream: Stream) -> None:
    await stream.head(200, {"content-length": "1000"})
    await stream.data(b"abc", last=True)


async def go_away(stream: Stream) -> None:
    stream.h2.close_connection()
    await stream.flush()


async def hang_up(stream: Stream) -> None:
    stream.writer.transport.abort()


async def garbage(stream: Stream) -> None:
    stream.writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    await stream.writer.drain()


async def header_flood(stream: Stream) -> None:
    stream.h2.send_headers(stream.number, [(":status", "200"), *((f"x-{i}", "y" * 900) for i in range(200))])
    await stream.flush()


async def continued_for_ever(stream: Stream) -> None:
    """CONTINUATION frames without an end (CVE-2024-27316 and its kin)."""
    number = stream.number.to_bytes(4, "big")
    stream.writer.write(b"\x00\x00\x01\x01\x00" + number + b"\x88")
    while True:
        stream.writer.write((b"\x00\x00\x01\x09\x00" + number + b"\x88") * 100)
        await stream.writer.drain()
        await asyncio.sleep(0.001)


async def pings(stream: Stream) -> None:
    while True:
        stream.h2.ping(b"01234567")
        await stream.flush()
        await asyncio.sleep(0)


H2_EVILS: dict[str, tuple[Reply | H2Behaviour, set[str]]] = {
    "silence": (silence, {"timeout"}),
    "silence_in_body": (silence_in_body, {"timeout"}),
    "drip": (drip, {"timeout"}),
    "endless": (endless, {"too_large"}),
    "reset": (reset, {"bad_http"}),
    "reset_in_body": (reset_in_body, {"short_body"}),
    "short": (short, {"short_body"}),
    "go_away": (go_away, {"bad_http", "reset"}),
    "hang_up": (hang_up, {"reset"}),
    "garbage": (garbage, {"bad_http", "reset", "timeout"}),
    "header_flood": (header_flood, {"bad_http"}),
    "continued_for_ever": (continued_for_ever, {"bad_http"}),
    "pings": (pings, {"timeout"}),
    "redirect_to_itself": (Reply(status=302, headers={"location": "/redirect_to_itself"}), {"redirect_loop"}),
    "redirect_to_metadata": (Reply(status=302, headers={"location": "https://169.254.169.254/"}), {"private_address"}),
    "too_many_requests": (Reply(status=429, headers={"retry-after": "1000000000"}), {"http_429"}),
    "ten_gigabytes": (Reply(b"x", headers={"content-length": "10737418240"}), {"too_large"}),
    "gzip_that_is_none": (Reply(b"no gzip", headers={"content-encoding": "gzip"}), {"bad_encoding"}),
    "gone": (Reply(status=410), {"http_410"}),
}
"""Name -> (what is answered at /name, the reasons that the client may give)."""
