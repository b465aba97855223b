"""Gzip archives in pieces, each of which is read as a part of the whole: every record once, whatever the pieces.

A piece begins where a record does, as far as can be known without reading all before: at the end of LEAD bytes of
records without a gap. The piece before finds the same place, and ends there. Bytes of another archive that lie packed
in a record are no such run: where what is packed stays as it is, a block of deflate holds 65,535 bytes at most (RFC
1951, 3.2.4), and only a member longer than LEAD, made for the purpose, holds a longer run some other way. Within LEAD
bytes behind damage no piece begins, and the one before reads that too: what is damaged may be read on into what follows
it, of which a header takes up to 65,535 bytes. Archives that are not of gzip members, a record each, are one piece: in
plain ones, what a page says may look like what stands around it.
"""

from __future__ import annotations

import os
from typing import IO, Final

from witbuild.web import arc, whole
from witbuild.web.positioned import Positioned
from witbuild.web.warc import GZIP_START, find

LEAST_BYTES: Final = 1 << 25
"""Of a piece: several times what is read to find its ends."""
LEAD: Final = 1 << 23
"""More than a record of Common Crawl has (5 MiB)."""
_MOST_GAPS: Final = 1_000


def piece_of(stream: IO[bytes], number: int, pieces: int) -> tuple[IO[bytes], int] | None:
    """Return an archive up to the end of a piece, and where the piece begins; None where nothing of it is its own.

    Args:
        stream: seekable, an archive.
        number: of the piece, from 0.
        pieces: of the archive in all.
    """
    size = stream.seek(0, os.SEEK_END)
    if not _is_divisible(stream):
        return (stream, 0) if number == 0 else None
    begin, end = (boundary(stream, size * one // pieces, size) for one in (number, number + 1))
    if begin == end:
        return None
    return stream if end == size else _Beginning(stream, end).buffered(), begin


def _is_divisible(stream: IO[bytes]) -> bool:
    stream.seek(0)
    return GZIP_START.match(stream.read(3)) is not None and not arc.is_arc(stream)


def boundary(stream: IO[bytes], position: int, size: int) -> int:
    """Return where the first record begins, at or after a position, of which that is sure; the size if none is.

    Args:
        stream: an archive of gzip members.
        position: byte of it.
        size: bytes of it.
    """
    if position in (0, size):
        return position
    start = find(stream, GZIP_START, max(0, position - LEAD))
    for _ in range(_MOST_GAPS):
        if start is None:
            return size
        begin = start
        for end in whole.ends(stream, start):
            if begin >= position and (start == 0 or begin - start >= LEAD):
                return begin
            begin = end
        start = find(stream, GZIP_START, begin + 1)
    return size


class _Beginning(Positioned):
    """The first bytes of a stream."""

    def __init__(self, stream: IO[bytes], size: int) -> None:
        super().__init__(size)
        self._stream = stream

    def _block(self, position: int, size: int) -> bytes:
        self._stream.seek(position)
        return self._stream.read(max(0, min(size, self._size - position)))
