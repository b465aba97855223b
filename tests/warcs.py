"""Archives for tests: built record by record, and the bodies that a real one holds."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

from witbuild.sources.warc import answered
from witbuild.web import urls
from witbuild.web.warc import Record, records


def http(body: bytes, **headers: str) -> bytes:
    """An HTTP answer with status 200; header names with underscores for hyphens."""
    given = {"Content_Type": "text/html; charset=utf-8", **headers}
    lines = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in given.items())
    head = f"HTTP/1.1 200 X\r\n{lines}\r\n"
    return head.encode("latin-1") + body


def record(block: bytes, url: str = "http://a.test/", kind: str = "response", content_type: str = "") -> bytes:
    """A WARC record, not packed."""
    kinds = {"response": "application/http; msgtype=response", "metadata": "application/json"}
    fields = {
        "WARC-Type": kind,
        "WARC-Record-ID": "<urn:uuid:00000000-0000-0000-0000-000000000000>",
        "WARC-Date": "2024-05-18T00:00:00Z",
        "WARC-Target-URI": url,
        "Content-Type": content_type or kinds.get(kind, "text/plain"),
        "Content-Length": str(len(block)),
    }
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return b"WARC/1.0\r\n" + head.encode() + b"\r\n" + block + b"\r\n\r\n"


def page(html: str, url: str = "http://a.test/", **headers: str) -> bytes:
    """A WARC record of an HTML page, not packed."""
    return record(http(html.encode(), **headers), url)


def packed(*parts: bytes) -> bytes:
    """An archive of one gzip member a record, the same bytes each time."""
    return b"".join(gzip.compress(part, mtime=0) for part in parts)


def bodies(path: Path) -> dict[str, tuple[str, bytes]]:
    """URL -> (content type, body) of every answer with status 200 in an archive, for a server to serve."""
    found: dict[str, tuple[str, bytes]] = {}
    for item in records(io.BytesIO(path.read_bytes())):
        answer = answered(item) if isinstance(item, Record) else None
        if isinstance(item, Record) and answer and answer.status == 200 and (parsed := urls.parse(item.url)):
            found[parsed.href] = (answer.header("content-type"), answer.body(64_000_000))
    return found
