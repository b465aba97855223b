"""Archives of a gzip member a record to their records, as fast as ISA-L inflates them; all that is not so is left.

Members are inflated whole, and the head of a record is read where it lies (witbuild.web.fields). What is damaged, too
large or no record of its own is for the reader of `witbuild.web.warc`, from the record before it on, until a record and
the one behind it are members of their own again.
"""

from __future__ import annotations

import os
from typing import IO, TYPE_CHECKING, Final

from witbuild.web.fields import Fields
from witbuild.web.members import members
from witbuild.web.warc import MAX_RECORD_BYTES, Damage, Record, is_bomb

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator

_MAX_HEAD_BYTES: Final = 1 << 16
_STARTS: Final = (b"WARC/1.0\r\n", b"WARC/1.1\r\n")
_END: Final = b"\r\n\r\n"
_LENGTH: Final = b"\r\nContent-Length:"
_MOST_DIGITS: Final = 15
_WORTH_BYTES: Final = 4 << 20
"""Of records in a row that are worth the change from one reader to the other and back: each reads a megabyte or two."""
_MOST_WAIT: Final = 1 << 12
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
    fields, end = Fields(_NAMES), stream.seek(0, os.SEEK_END)
    stream.seek(position)
    held: Record | Damage | None = None
    for offset, length, content in members(stream, MAX_RECORD_BYTES):
        record = _record(content, fields, offset, length)
        if record is None:
            break
        if held is not None:
            yield held
        held, position = record, offset + length
    if position < end:
        return position if held is None else held.offset
    if held is not None:
        yield held
    return None


class Again:
    """Finds where an archive that is read by the other reader can be read by members again.

    Not at every record: each time that it was not worth it, twice as many are waited for.

    Args:
        stream: seekable; where it stands is kept while the other reader goes on.
    """

    def __init__(self, stream: IO[bytes]) -> None:
        self._stream, self._wait, self._passed = stream, 1, 0

    def after(self, told: Record | Damage) -> Generator[Record | Damage, None, int | None] | None:
        """Return what goes on behind a record that the other reader told; None where that has to go on itself.

        Both must find the same record, with the same end, and the next must be a member of its own too.
        """
        self._passed += 1
        if self._passed <= self._wait or not isinstance(told, Record) or told.offset is None:
            return None
        self._passed, self._wait, place = 0, min(2 * self._wait, _MOST_WAIT), self._stream.tell()
        found = records(self._stream, told.offset)
        if next(found, None) == told:
            return self._behind(told.offset, found)
        self._stream.seek(place)
        return None

    def _behind(
        self, offset: int, found: Generator[Record | Damage, None, int | None]
    ) -> Generator[Record | Damage, None, int | None]:
        position = yield from found
        self.went(0 if position is None else position - offset)
        return position

    def went(self, size: int) -> None:
        """Take note of how many bytes were read by members before the next odd one."""
        if size >= _WORTH_BYTES:
            self._wait = 1


def ends(stream: IO[bytes], position: int) -> Iterator[int]:
    """Yield where each record ends, from a position on, as long as each is a member of its own and whole.

    Args:
        stream: seekable.
        position: of the first one.
    """
    fields = Fields(_NAMES)
    stream.seek(position)
    for offset, length, content in members(stream, MAX_RECORD_BYTES):
        if _record(content, fields, offset, length) is None:
            return
        yield offset + length


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
