"""A server of files on loopback that answers ranges, as dumps.wikimedia.org does, and refuses its first requests."""

from __future__ import annotations

import re
import threading
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING, Any, Self

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileServer:
    """Serves content by path; `requests` counts what was asked, `octets` what was sent."""

    def __init__(self, files: Mapping[str, bytes], refusals: int = 0) -> None:
        self.files, self.refusals = files, refusals
        self.requests = self.octets = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), partial(_Handler, self))

    def answer(self, path: str, asked: str) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers."""
        self.requests += 1
        content = self.files.get(path)
        if self.requests <= self.refusals:
            return 503, b"", {}
        if content is None:
            return 404, b"", {}
        found = re.fullmatch(r"bytes=(\d+)-(\d+)", asked)
        if not found:
            return 200, content, {"Accept-Ranges": "bytes"}
        start, stop = int(found[1]), min(int(found[2]) + 1, len(content))
        return 206, content[start:stop], {"Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self._server.server_port}{path}"

    def __enter__(self) -> Self:
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *error: object) -> None:
        self._server.shutdown()
        self._server.server_close()


class _Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def __init__(self, server_of_files: FileServer, *arguments: Any) -> None:
        self.served = server_of_files
        super().__init__(*arguments)

    def do_HEAD(self) -> None:
        self.send(*self.served.answer(self.path, ""), head=True)

    def do_GET(self) -> None:
        self.send(*self.served.answer(self.path, self.headers.get("Range", "")))

    def send(self, code: int, body: bytes, headers: dict[str, str], *, head: bool = False) -> None:
        self.send_response(code)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if not head:
            self.wfile.write(body)
            self.served.octets += len(body)
        self.close_connection = True

    def log_message(self, *_: Any) -> None:
        return
