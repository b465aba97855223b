"""The demo's web on loopback: all hosts behind one port, told apart by the Host header.

    python -m witbuild.demo.server --seed 0 --size 60

prints two lines, the port of all hosts and a port on which nothing listens, and ends with its parent.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import socket
import sys
from collections import Counter
from contextlib import suppress
from typing import TYPE_CHECKING
from urllib.parse import unquote

from witbuild.demo import web
from witbuild.demo.pages import render, robots_txt, sitemap
from witbuild.demo.paint import jpeg
from witbuild.demo.world import build

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.demo.web import Answer
    from witbuild.demo.world import World

LOG = "log.witbuild.test"
"""Host whose only page says what was asked: lines of a count and a URL."""
_LOOKED_AFTER_SECONDS = 0.25
_TYPES = {"html": "text/html; charset=utf-8", "jpg": "image/jpeg", "txt": "text/plain", "xml": "application/xml"}
_BOMB = bytes.fromhex("ffd8ffe000104a46494600010100000100010000ffc0001108ffffffff03012200021101031101")
"""A JPEG's header that says 65,535 x 65,535 pixels."""
_MAX_HEAD = 65_536
Reply = tuple[int, dict[str, str], bytes]


class Site:
    """Answers requests for a world's URLs."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.asked: Counter[str] = Counter()

    def answer(self, host: str, path: str) -> Reply | None:
        """Return status, headers and body; None: never answer."""
        if host == LOG:
            lines = (f"{count} {url}\n" for url, count in sorted(self.asked.items()))
            return 200, {"Content-Type": _TYPES["txt"]}, "".join(lines).encode()
        url = f"http://{host}{unquote(path)}"
        self.asked[url] += 1
        if url in self.world.answers:
            return image(self.world.answers[url])
        return self._page(host, path)

    def _page(self, host: str, path: str) -> Reply:
        page = self.world.pages.get((host, path))
        if page is not None:
            return page.status, {"Content-Type": page.content_type}, render(page).encode()
        if path == "/robots.txt" and host in web.SERVED:
            return 200, {"Content-Type": _TYPES["txt"]}, robots_txt(host).encode()
        if path == "/sitemap.xml" and host == web.BLOG:
            return 200, {"Content-Type": _TYPES["xml"]}, sitemap(self.world).encode()
        return 404, {"Content-Type": _TYPES["html"]}, b"<!doctype html><title>Not here</title>"


def image(answer: Answer) -> Reply | None:
    """Return what an image's address answers; None: never."""
    headers = {"Content-Type": _TYPES["jpg"]} | ({"X-Robots-Tag": answer.opt_out} if answer.opt_out else {})
    if answer.status != 200:
        return answer.status, headers | {"Content-Type": _TYPES["html"]}, b"<!doctype html><title>No more</title>"
    whole = b"" if answer.picture is None else jpeg(answer.picture)
    bodies: Mapping[str, bytes | None] = {
        "": whole,
        "slow": None,
        "truncated": whole[: len(whole) // 2],
        "html": b"<!doctype html><title>Please log in</title>",
        "empty": b"",
        "bomb": _BOMB + whole,
    }
    body = bodies[answer.fault]
    return None if body is None else (200, headers, body)


async def _converse(site: Site, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Answer the requests of a connection until it ends."""
    with suppress(ConnectionError, asyncio.IncompleteReadError, asyncio.LimitOverrunError):
        while head := await reader.readuntil(b"\r\n\r\n"):
            method, host, path = _request(head.decode("latin-1"))
            reply = site.answer(host, path)
            if reply is None:
                await reader.read()  # ends when the client gives up
                break
            status, headers, body = reply
            lines = [f"HTTP/1.1 {status} -", *(f"{name}: {value}" for name, value in headers.items())]
            lines += [f"Content-Length: {len(body)}", "", ""]
            writer.write("\r\n".join(lines).encode() + (b"" if method == "HEAD" else body))
            await writer.drain()
    writer.close()


def _request(head: str) -> tuple[str, str, str]:
    r"""Return method, host without its port, and path of a request.

    Example:
        >>> _request("GET /a HTTP/1.1\r\nHost: A.test:80\r\n\r\n")
        ('GET', 'a.test', '/a')
    """
    first, *lines = head.split("\r\n")
    method, path, *_ = [*first.split(" "), "", ""]
    fields = dict(line.lower().split(":", 1) for line in lines if ":" in line)
    return method, fields.get("host", "").strip().partition(":")[0], path


async def serve(world: World) -> None:
    """Serve a world, say where, and end when the parent does."""
    site, parent = Site(world), os.getppid()
    closed = socket.socket()
    closed.bind(("127.0.0.1", 0))  # taken and never listened on: connections to it are refused
    server = await asyncio.start_server(lambda r, w: _converse(site, r, w), "127.0.0.1", 0, limit=_MAX_HEAD)
    for open_socket in (server.sockets[0], closed):
        sys.stdout.write(f"{open_socket.getsockname()[1]}\n")
    sys.stdout.flush()
    while os.getppid() == parent:  # noqa: ASYNC110 no event tells that a parent died
        await asyncio.sleep(_LOOKED_AFTER_SECONDS)


def main() -> None:
    """Read the command line and serve."""
    parser = argparse.ArgumentParser(prog="witbuild.demo.server", description="Serve the demo's web on loopback.")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--size", type=int, default=60)
    arguments = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(serve(build(arguments.seed, arguments.size)))


if __name__ == "__main__":
    main()
