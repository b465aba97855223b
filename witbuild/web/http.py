"""An HTTP answer as an archive holds it: head, transfer coding, content coding, and whether it is a page."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from witbuild.web import encodings, rights
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from witbuild.web.fields import Fields

    Octets = bytes | memoryview

MAX_HEAD_BYTES = 1 << 18
_END = re.compile(rb"\r?\n\r?\n")
_STATUS = re.compile(rb"HTTP/[0-9.]{1,5}\s+([0-9]{3})\b")
_CHUNK = re.compile(rb"(?:\r?\n)?([0-9A-Fa-f]{1,16})[ \t]{0,64}(?:;[^\n]{0,4096})?\r?\n")
_HTML = ("text/html", "application/xhtml+xml")
_LOOKS_HTML = re.compile(
    rb"(?:\xef\xbb\xbf)?\s*+(?:<!--(?:(?!-->).)*+-->\s*+)*+<(?:!doctype\s+html|html|head|body)",
    re.IGNORECASE | re.DOTALL,
)
_MAX_CODINGS = 3
READ = ("content-type", "transfer-encoding", "content-encoding", *rights.SPOKEN)
"""The headers that anything here looks at."""


@dataclass(frozen=True, slots=True)
class Answer:
    """Status, headers in order, at least those that are READ, and the body as sent."""

    status: int
    headers: tuple[tuple[str, str], ...]
    raw: Octets

    def header(self, name: str) -> str:
        """Return the first header of a name, in any case; empty when there is none."""
        name = name.lower()
        for one, value in self.headers:
            if one.lower() == name:
                return value
        return ""

    @property
    def is_html(self) -> bool:
        """Say whether the body is a page, by its type or, when it has none, by how it begins."""
        kind = self.header("content-type").partition(";")[0].strip().lower()
        return kind in _HTML if kind else _LOOKS_HTML.match(self.raw[:4096]) is not None

    def body(self, limit: int) -> bytes:
        """Return what `view` does, as bytes of its own."""
        return bytes(self.view(limit))

    def view(self, limit: int) -> Octets:
        """Return the body without its transfer and content codings, at most `limit` bytes.

        Archives keep headers that no longer hold: a body that begins like a page is taken as it is.

        Raises:
            FetchError: bad_encoding, or too_large.
        """
        body = self.raw
        if "chunked" in self.header("transfer-encoding").lower():
            body = dechunk(bytes(body))
        encoding = self.header("content-encoding")
        codings = [one.strip() for one in encoding.split(",")] if encoding else []
        if len(codings) > _MAX_CODINGS:
            raise FetchError("bad_encoding", f"{len(codings)} content codings")
        for coding in reversed(codings):
            body = _decoded(bytes(body), coding, limit)
        return body


def _decoded(body: bytes, coding: str, limit: int) -> bytes:
    try:
        return encodings.decode(body, coding, limit)
    except FetchError as error:
        if error.reason == "bad_encoding" and body.lstrip()[:1] == b"<":
            return body
        raise


def parse(block: Octets) -> Answer | None:
    r"""Return the answer in a record's block, or None when it is none.

    Example:
        >>> answer = parse(b"HTTP/1.1 200 OK\r\nContent-Type: text/html\r\n\r\n<p>")
        >>> answer.status, answer.is_html, answer.body(10)
        (200, True, b'<p>')
    """
    status = _STATUS.match(block)
    if not status:
        return None
    read = _fields().of(block, 0, MAX_HEAD_BYTES)
    if read:
        start, found = read
        headers = [(name, str(block[first:last], "latin-1")) for name, first, last in found]
        return Answer(int(status[1]), tuple(headers), block[start:])
    block = bytes(block)
    end = _END.search(block, 0, MAX_HEAD_BYTES)
    head, raw = (block[: end.start()], block[end.end() :]) if end else (block[:MAX_HEAD_BYTES], b"")
    return Answer(int(status[1]), _headers(head), raw)


@lru_cache(maxsize=1)
def _fields() -> Fields:
    from witbuild.web.fields import Fields

    return Fields(READ)


def _headers(head: bytes) -> tuple[tuple[str, str], ...]:
    found: list[tuple[str, str]] = []
    for line in head.decode("latin-1").split("\n")[1:]:
        if line[:1] in (" ", "\t") and found:  # a folded header goes on (RFC 9112, section 5.2)
            name, value = found.pop()
            found.append((name, f"{value} {line.strip()}"))
        elif ":" in line:
            name, _, value = line.partition(":")
            found.append((name.strip(), value.strip()))
    return tuple(found)


def dechunk(body: bytes) -> bytes:
    r"""Return a body without its chunked coding (RFC 9112, section 7.1); as it is where it is not chunked.

    Example:
        >>> dechunk(b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"), dechunk(b"<html>"), dechunk(b"5\r\nab")
        (b'abcde', b'<html>', b'ab')
    """
    parts: list[bytes] = []
    position = 0
    while match := _CHUNK.match(body, position):
        size = int(match[1], 16)
        parts.append(body[match.end() : match.end() + size])
        position = match.end() + size
        if not size:
            break
    return b"".join(parts) if parts else body
