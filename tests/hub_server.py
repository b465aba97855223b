"""A Hugging Face hub on loopback: data sets as files by revision, listed, described and read by ranges.

What is answered is what huggingface_hub asks for: repository, revision, tree, paths-info, resolve.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from typing import Any
from urllib.parse import parse_qs, unquote, urlsplit

from tests.loopback import Loopback, Reply

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Hub(Loopback):
    """Serves data sets: "owner/name" -> revision -> path -> content.

    Attributes:
        token: that a client must show; "": none.
        requests: (method, path, Range, Authorization) of each request.
        refusals: how many requests for content are answered by 503 first.
    """

    def __init__(
        self, sets: Mapping[str, Mapping[str, Mapping[str, bytes]]], token: str = "", refusals: int = 0
    ) -> None:
        self.sets, self.token, self.refusals = sets, token, refusals
        self.requests: list[tuple[str, str, str, str]] = []
        super().__init__()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def reply(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        token = headers.get("authorization", "")
        self.requests.append((method, path, headers.get("range", ""), token))
        status, value, told = self.answer(path, headers, token, body)
        return status, value if isinstance(value, bytes) else json.dumps(value).encode(), told

    def answer(  # noqa: PLR0911 - a line an endpoint
        self, path: str, asked: dict[str, str], token: str, body: bytes
    ) -> tuple[int, Any, dict[str, str]]:
        """Return status, JSON or bytes, headers."""
        url = urlsplit(path)
        found = re.match(
            r"/(?:api/)?datasets/([^/]+/[^/]+)(?:/(revision|tree|paths-info|resolve)/([^/]+)(?:/(.*))?)?$", url.path
        )
        if not found or found[1] not in self.sets:
            return 404, b"", {"X-Error-Code": "RepoNotFound"}
        if self.token and token != f"Bearer {self.token}":
            return 401, b"", {"X-Error-Code": "GatedRepo"}
        revision, name = unquote(found[3] or "main"), unquote(found[4] or "")
        files = self.sets[found[1]].get(revision)
        if files is None:
            return 404, b"", {"X-Error-Code": "RevisionNotFound"}
        if found[2] == "resolve":
            return self._content(files.get(name), asked.get("range", ""))
        if found[2] == "tree":
            told = _tree(files, name)
            return (200, told, {}) if told else (404, b"", {"X-Error-Code": "EntryNotFound"})
        if found[2] == "paths-info":
            return 200, [one for path in _paths(body) for one in _tree(files, "") if one["path"] == path], {}
        return 200, {"id": found[1], "sha": COMMIT, "siblings": [{"rfilename": name} for name in files]}, {}

    def _content(self, content: bytes | None, asked: str) -> tuple[int, Any, dict[str, str]]:
        if self.refusals:
            self.refusals -= 1
            return 503, b"", {}
        if content is None:
            return 404, b"", {"X-Error-Code": "EntryNotFound"}
        told = {"ETag": f'"{_oid(content)}"', "X-Repo-Commit": COMMIT, "Accept-Ranges": "bytes"}
        found = re.fullmatch(r"bytes=(\d+)-(\d*)", asked)
        if not found:
            return 200, content, told
        start, stop = int(found[1]), min(int(found[2] or len(content)) + 1, len(content))
        return 206, content[start:stop], {**told, "Content-Range": f"bytes {start}-{stop - 1}/{len(content)}"}


def _oid(content: bytes) -> str:
    return hashlib.sha1(content, usedforsecurity=False).hexdigest()


def _paths(body: bytes) -> list[str]:
    text = body.decode()
    found = json.loads(text)["paths"] if text.startswith("{") else parse_qs(text)["paths"]
    return [found] if isinstance(found, str) else found


def _tree(files: Mapping[str, bytes], below: str) -> list[dict[str, Any]]:
    start = f"{below}/" if below else ""
    inside = {path: content for path, content in files.items() if path.startswith(start)}
    folders = sorted({path[: i + len(start)] for path in inside for i, c in enumerate(path[len(start) :]) if c == "/"})
    told: list[dict[str, Any]] = [{"type": "directory", "oid": "0" * 40, "size": 0, "path": path} for path in folders]
    return told + [
        {"type": "file", "oid": _oid(content), "size": len(content), "path": path} for path, content in inside.items()
    ]
