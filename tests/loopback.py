"""What the servers of the tests share: on loopback, as long as a `with` lasts; a subclass says what is answered."""

from __future__ import annotations

import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping

Reply = tuple[int, bytes, "Mapping[str, str]"]
"""Status, body, headers; Content-Length is added where it is not told."""


class Loopback:
    """Gives every request to `reply`."""

    def __init__(self) -> None:
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))

    @property
    def port(self) -> int:
        return self._server.server_port

    def reply(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Answer a request; names of headers are in lower case."""
        raise NotImplementedError

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    wbufsize = 1 << 16  # head and body in one packet

    def __init__(self, answering: Loopback, *arguments: Any) -> None:
        self.answering = answering
        super().__init__(*arguments)

    def do_GET(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        headers = {name.lower(): value for name, value in self.headers.items()}
        status, content, told = self.answering.reply(self.command, self.path, headers, body)
        self.send_response(status)
        for name, value in {"Content-Length": str(len(content)), **told}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(content)

    do_HEAD = do_POST = do_GET  # noqa: N815 what http.server looks for

    def log_message(self, *_: Any) -> None:
        return
