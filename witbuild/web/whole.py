"""Archives of a gzip member a record to their records, as fast as ISA-L inflates them; all that is not so is left.

Members are inflated whole, and the head of a record is read where it lies (witbuild.web.fields). What is damaged, too
large or no record of its own is for the reader of `witbuild.web.warc`, from the record before it on.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Final, cast

from isal import igzip_lib

from witbuild.web.fields import Fields
from witbuild.web.warc import MAX_RECORD_BYTES, Damage, Record, is_bomb

if TYPE_CHECKING:
    import io
    from collections.abc import Generator

_MAX_HEAD_BYTES: Final = 1 << 16
_BLOCK_BYTES: Final = 1 << 20
_MOST_STEP_BYTES, _LEAST_STEP_BYTES = 1 << 15, 1 << 10
"""Given to the machine at a time, more after larger members: what it leaves of it is copied."""
_STARTS: Final = (b"WARC/1.0\r\n", b"WARC/1.1\r\n")
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\nContent-Length:"
_MOST_DIGITS: Final = 15
_NAMES: Final = ("warc-type", "warc-target-uri", "content-type", "content-length")


def records(stream: IO[bytes], position: int) -> Generator[Record | Damage, None, int | None]:
    """Yield records from a position on, as long as each is a member of its own and whole; a Damage for a bomb.

    A record is told when the one after it was read.

    Args:
        stream: seekable.
        position: of the first one.

    Returns:
        Where to go on: at the last record that was read but not told, or else at the position; None at the end.
    """
    members, fields = _Members(stream, position), Fields(_NAMES)
    held: Record | Damage | None = None
    while content := members.next():
        record = _record(content, fields, position, members.position - position)
        if record is None:
            break
        if held is not None:
            yield held
        held, position = record, members.position
    else:
        if content is not None:
            if held is not None:
                yield held
            return None
    return position if held is None else held.offset


class _Members:
    """Inflates one member after the other.

    Attributes:
        position: byte after the last one.
    """

    def __init__(self, stream: IO[bytes], position: int) -> None:
        self.position = position
        self._stream = stream
        self._buffer = bytearray(_BLOCK_BYTES)
        self._view = memoryview(b"")
        self._place = 0
        self._step = _MOST_STEP_BYTES
        stream.seek(position)

    def next(self) -> bytes | None:
        """Return the content of the next member; nothing at the end, None where it is damaged, too large or empty."""
        machine = igzip_lib.IgzipDecompressor(flag=igzip_lib.DECOMP_GZIP)
        parts: list[bytes] = []
        size, begin, step = 0, self.position, self._step
        while not machine.eof:
            piece = self._piece(step)
            step = min(4 * step, _MOST_STEP_BYTES)
            if not piece:
                return b"" if self.position == begin else None
            try:
                parts.append(machine.decompress(piece))
            except igzip_lib.IsalError:  # type: ignore[misc]  # its stub has an instance
                return None
            size += len(parts[-1])
            if size > MAX_RECORD_BYTES:
                return None
        unused = len(machine.unused_data)
        self._place -= unused
        self.position -= unused
        self._step = max(_LEAST_STEP_BYTES, min(_MOST_STEP_BYTES, 2 * (self.position - begin)))
        return b"".join(parts) or None

    def _piece(self, most: int) -> memoryview:
        """Return some of the bytes that come next; none at the end."""
        if self._place == len(self._view):
            size = cast("io.BufferedIOBase", self._stream).readinto(self._buffer)
            self._view, self._place = memoryview(self._buffer)[:size], 0
        piece = self._view[self._place : self._place + most]
        self._place += len(piece)
        self.position += len(piece)
        return piece


def _record(content: bytes, fields: Fields, offset: int, length: int) -> Record | Damage | None:
    """Return the record that a member is; None where it is not one whole record."""
    head = fields.of(content, 0, _MAX_HEAD_BYTES) if content.startswith(_STARTS) else None
    if head is None or content.find(_LENGTH, 0, head[0]) < 0:
        return None
    begin, found = head
    values = {name: content[start:stop].decode("utf-8", "replace") for name, start, stop in found}
    size = values.get("content-length", "")
    if len(values) < len(found) or not size.isdigit() or len(size) > _MOST_DIGITS:
        return None
    stop = begin + int(size)
    if stop + len(_END) != len(content) or not content.endswith(_END):
        return None
    if is_bomb(int(size), length):
        return Damage("record_too_large", offset)
    return Record(
        kind=values.get("warc-type", "").lower(),
        url=values.get("warc-target-uri", "").strip().removeprefix("<").removesuffix(">"),
        content_type=values.get("content-type", ""),
        content=memoryview(content)[begin:stop],
        offset=offset,
        length=length,
    )
