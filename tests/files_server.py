"""A server of files on loopback that answers ranges, as dumps.wikimedia.org does, and refuses its first requests."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.loopback import Loopback, Reply

if TYPE_CHECKING:
    from collections.abc import Mapping


class FileServer(Loopback):
    """Serves content by path; `requests` counts what was asked, `octets` what was sent."""

    def __init__(self, files: Mapping[str, bytes], refusals: int = 0) -> None:
        self.files, self.refusals = files, refusals
        self.requests = self.octets = 0
        super().__init__()

    def reply(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        is_head = method == "HEAD"
        status, content, told = self.answer(path, "" if is_head else headers.get("range", ""))
        self.octets += 0 if is_head else len(content)
        return status, content, {**told, "Connection": "close"}

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
        return f"http://127.0.0.1:{self.port}{path}"
