"""Archives to records: WARC (ISO 28500) and ARC, plain or compressed, whole or damaged.

    records(stream) ── Record    a block with its URL and its place; witbuild.web.http reads the answer in it
                    └─ Damage    something could not be read, and why; what follows it is read on

A damaged record costs itself and no more: reading goes on at the next place where a record begins.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fastwarc.warc import WarcRecord

MAX_RECORD_BYTES = 64_000_000
"""Of a record after decompression; a larger one is refused."""
BOMB_BYTES, BOMB_RATIO = 10_000_000, 100
"""A record larger than this that unfolds to more than so many times its size is refused."""
MAX_RESTARTS = 1_000
"""Places in a row at which a damaged archive is tried again."""
_BLOCK_BYTES = 1 << 20
_LONGEST_START = 16
_GZIP = b"\x1f\x8b"
GZIP_START = re.compile(rb"\x1f\x8b\x08")
"""What a gzip member begins with; so may bytes within one."""
_STARTS = {
    _GZIP: GZIP_START,
    b"\x28\xb5": re.compile(rb"\x28\xb5\x2f\xfd"),
    b"\x04\x22": re.compile(rb"\x04\x22\x4d\x18"),
}
"""First two bytes of a gzip, zstandard or LZ4 archive -> what its records begin with."""
_HEADERS = (b"WARC-Type", b"WARC-Target-URI", b"Content-Type")
_PLAIN_START = re.compile(rb"(?<![^\n])WARC/[01]\.")


class Record(NamedTuple):
    """A record of an archive.

    Attributes:
        kind: `response`, `resource`, `metadata`, ...: the WARC-Type.
        url: as written.
        content_type: of the block.
        content: decompressed, where it lies.
        offset: byte at which the record begins in the archive; None where records share a compressed block.
        length: its bytes there.
    """

    kind: str
    url: str
    content_type: str
    content: bytes | memoryview
    offset: int | None
    length: int | None

    @property
    def block(self) -> bytes:
        """The content, copied where it lies among others."""
        return bytes(self.content)


@dataclass(frozen=True, slots=True)
class Damage:
    """Something that could not be read.

    Attributes:
        reason: `record_truncated`, `record_damaged`, `record_too_large` or `not_an_archive`.
        offset: near which byte of the archive.
    """

    reason: str
    offset: int


def records(stream: IO[bytes], position: int = 0) -> Iterator[Record | Damage]:
    """Yield every record of a WARC or ARC archive that can be read, and a Damage for each that cannot.

    Args:
        stream: seekable, at the archive's first byte.
        position: byte of a WARC before which everything was read already.
    """
    from witbuild.web import arc

    yield from arc.records(stream) if position == 0 and arc.is_arc(stream) else _warc(stream, position)


def _warc(stream: IO[bytes], begin: int) -> Iterator[Record | Damage]:
    from witbuild.web import whole

    size = stream.seek(0, 2)
    stream.seek(0)
    start = _STARTS.get(stream.read(2), _PLAIN_START)
    position: int | None = begin
    restarts = 0
    members = whole.Again(stream) if start is _STARTS[_GZIP] else None
    if members:
        position = yield from whole.records(stream, begin)
    seen = position != 0
    damage: Damage | None = None  # told when what follows it was read: rubbish from the first byte on is no archive
    while position is not None and restarts < MAX_RESTARTS:
        reader = _Reader(stream, position, size, compressed=start is not _PLAIN_START)
        fast = None
        for item in reader:
            if damage:
                yield damage
            restarts, seen, damage = 0, True, None
            yield item
            fast = members.after(item) if members else None
            if fast:
                break
        if fast:
            position = yield from fast
            continue
        if not reader.failed:
            break
        damage = damage or Damage("record_damaged", reader.position)
        restarts += 1
        position = find(stream, start, reader.position + 1)
    if not seen:
        damage = Damage("not_an_archive", 0) if size else None
    if damage:
        yield damage


class _Reader:
    """Reads records from a position until the end or until something breaks; then `failed` is true.

    A record is told only when the next one was found, because only then its length is known.
    """

    def __init__(self, stream: IO[bytes], position: int, size: int, *, compressed: bool) -> None:
        self.position = position
        self.failed = False
        self._size = size
        self._stream = stream
        self._compressed = compressed

    def __iter__(self) -> Iterator[Record | Damage]:
        from fastwarc.warc import ArchiveIterator

        self._stream.seek(self.position)
        found = iter(ArchiveIterator(self._stream, parse_http=False))
        held: Record | Damage | None = None
        while not self.failed:
            try:
                record = next(found, None)
                block = b"" if record is None else _block(record)
            except (OSError, ValueError):
                self.failed = True
                break
            position = self._size if record is None else record.stream_pos
            if held is not None:
                yield _placed(held, position)
                held = None
            if record is None:
                return
            self.position = max(self.position, min(position, self._size))
            held = _record(record, position, block)
            # The rest of a bomb is not unfolded: the next record is looked for in the packed bytes.
            self.failed = self._compressed and len(block) > MAX_RECORD_BYTES
        if held is not None:
            yield _placed(held, None)


def _block(record: WarcRecord) -> bytes:
    """Read a record's content, and no more than shows that it is too large: room is made for what is asked for."""
    block: bytes = record.reader.read(min(max(record.content_length, 0), MAX_RECORD_BYTES) + 1)
    return block


def _record(record: WarcRecord, position: int, block: bytes) -> Record | Damage:
    if len(block) > MAX_RECORD_BYTES:
        return Damage("record_too_large", position)
    if len(block) < record.content_length:
        return Damage("record_truncated", position)
    header = record.headers.get_bytes
    kind, url, content_type = (header(name) or b"" for name in _HEADERS)
    return Record(
        kind=kind.decode("utf-8", "replace").lower(),
        url=url.decode("utf-8", "replace").strip().removeprefix("<").removesuffix(">"),
        content_type=content_type.decode("utf-8", "replace"),
        content=block,
        offset=position,
        length=None,
    )


def _placed(item: Record | Damage, end: int | None) -> Record | Damage:
    """Give a record its length in the archive, now that its end is known, and refuse a bomb."""
    if isinstance(item, Damage) or item.offset is None or end is None:
        return item
    length = end - item.offset
    if is_bomb(len(item.content), length):
        return Damage("record_too_large", item.offset)
    return item._replace(length=length) if length > 0 else item._replace(offset=None)


def is_bomb(size: int, length: int) -> bool:
    """Say whether a record of so many bytes unfolds to more than is sensible for those that it has in the archive."""
    return size > max(BOMB_BYTES, BOMB_RATIO * max(length, 0))


def find(stream: IO[bytes], pattern: re.Pattern[bytes], position: int) -> int | None:
    """Return where a pattern begins at or after a position, or None.

    Example:
        >>> import io
        >>> find(io.BytesIO(b"abcabc"), re.compile(b"abc"), 1)
        3
    """
    stream.seek(position)
    overlap = b""
    while block := stream.read(_BLOCK_BYTES):
        match = pattern.search(overlap + block)
        if match:
            return position - len(overlap) + match.start()
        position += len(block)
        overlap = (overlap + block)[-_LONGEST_START:]
    return None
