"""ARC, the format before WARC (Internet Archive, version 1 and 2): a line, then as many bytes as it says.

http://example.com/ 93.184.216.119 20140216050221 text/html 1591
"""

from __future__ import annotations

import io
import re
import zlib
from typing import IO, TYPE_CHECKING, NamedTuple

from witbuild.web.warc import MAX_RECORD_BYTES, Damage, Record, find

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP = re.compile(rb"\x1f\x8b\x08")
_MAGIC = b"filedesc:"
_DATE = re.compile(rb"[0-9]{8,17}")
_MAX_LINE_BYTES = 16_384
_MOST_DIGITS = 15
_BLOCK_BYTES = 1 << 16


class _Head(NamedTuple):
    url: str
    content_type: str
    length: int


def is_arc(stream: IO[bytes]) -> bool:
    """Say whether a stream holds an ARC file; leaves it at its first byte."""
    stream.seek(0)
    head = stream.read(512)
    stream.seek(0)
    if head.startswith(b"\x1f\x8b"):
        try:
            head = zlib.decompressobj(31).decompress(head, len(_MAGIC))
        except zlib.error:
            return False
    return head.startswith(_MAGIC)


def records(stream: IO[bytes]) -> Iterator[Record | Damage]:
    """Yield every record of an ARC file as if it were a WARC response, and a Damage for what cannot be read."""
    stream.seek(0)
    if stream.read(2) != b"\x1f\x8b":
        stream.seek(0)
        yield from _parse(stream, None)
        return
    for start, end, content in members(stream):
        if content is None:
            yield Damage("record_damaged", start)
        else:
            yield from _parse(io.BytesIO(content), (start, end - start))


def _parse(stream: IO[bytes], place: tuple[int, int] | None) -> Iterator[Record | Damage]:
    """Read records one after the other; all of them have the place of the packed block they lie in, if any."""
    while True:
        offset = stream.tell()
        line = stream.readline(_MAX_LINE_BYTES)
        if not line:
            return
        if line.isspace():
            continue
        head = _head(line)
        if head is None:
            yield Damage("record_damaged", place[0] if place else offset)
            return
        block = stream.read(min(head.length, MAX_RECORD_BYTES + 1))
        yield _record(head, block, place or (offset, stream.tell() - offset))
        stream.seek(head.length - len(block), 1)


def _head(line: bytes) -> _Head | None:
    """Read a record's first line: URL (spaces and all), address, date, type, ... and, last, the length."""
    fields = line.split()
    date = next((i for i, field in enumerate(fields) if i >= 2 and _DATE.fullmatch(field)), None)
    if date is None or date + 2 >= len(fields) or not fields[-1].isdigit() or len(fields[-1]) > _MOST_DIGITS:
        return None
    url = b" ".join(fields[: date - 1]).decode("utf-8", "replace")
    return _Head(url, fields[date + 1].decode("latin-1"), int(fields[-1]))


def _record(head: _Head, block: bytes, place: tuple[int, int]) -> Record | Damage:
    if len(block) > MAX_RECORD_BYTES:
        return Damage("record_too_large", place[0])
    if len(block) < head.length:
        return Damage("record_truncated", place[0])
    kind = "warcinfo" if head.url.startswith("filedesc:") else "response" if block[:5] == b"HTTP/" else "resource"
    content_type = "" if kind == "response" else head.content_type
    return Record(kind=kind, url=head.url, content_type=content_type, content=block, offset=place[0], length=place[1])


def members(stream: IO[bytes]) -> Iterator[tuple[int, int, bytes | None]]:
    """Yield (first byte, byte after the last, content) of each gzip member; content is None when it is damaged.

    Example:
        >>> import gzip
        >>> list(members(io.BytesIO(gzip.compress(b"a") + gzip.compress(b"b"))))[1]
        (21, 42, b'b')
    """
    start = find(stream, _GZIP, 0)
    while start is not None:
        end, content = _member(stream, start)
        yield start, end, content
        start = find(stream, _GZIP, end)


def _member(stream: IO[bytes], start: int) -> tuple[int, bytes | None]:
    machine = zlib.decompressobj(31)
    content = bytearray()
    stream.seek(start)
    while not machine.eof and len(content) <= MAX_RECORD_BYTES:
        block = machine.unconsumed_tail or stream.read(_BLOCK_BYTES)
        if not block:
            return start + 1, None
        try:
            content += machine.decompress(block, MAX_RECORD_BYTES + 1 - len(content))
        except zlib.error:
            return start + 1, None
    if not machine.eof:
        return start + 1, None
    return stream.tell() - len(machine.unused_data), bytes(content)
