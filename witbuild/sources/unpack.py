"""Compressed files as a stream of chunks, from any place in them: bzip2 (also multistream), gzip, xz, or plain.

A bzip2 file of many streams can be read in ranges. A range owns the streams that start in it; a reader that has to
finish what such a stream began reads on into the next range, and `Chunk.own` says where that begins.
"""

from __future__ import annotations

import bz2
import lzma
import re
import zlib
from typing import IO, TYPE_CHECKING, Final, NamedTuple, Protocol

from witbuild.errors import InputError
from witbuild.web.remote import open_read

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

_BLOCK: Final = 1 << 18
_STREAM: Final = re.compile(rb"BZh[1-9](?:1AY&SY|\x17rE8P\x90)")  # then a block's magic, or the end's
_STREAM_BYTES: Final = 10
MAX_LINE_BYTES: Final = 1 << 24
"""Longest line that `lines` holds."""


class Chunk(NamedTuple):
    """Some bytes of the content: `offset` is that of the compressed stream in the file."""

    data: bytes
    offset: int
    own: bool


class Codec(Protocol):
    """A decoder of one compressed stream, as `bz2` and `lzma` have them."""

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""

    @property
    def needs_input(self) -> bool:
        """Whether it can go on without more bytes."""

    @property
    def unused_data(self) -> bytes:
        """What was given after the stream's end."""

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most so many bytes of content."""


class Gunzip:
    """A Codec for gzip."""

    def __init__(self) -> None:
        self._inner = zlib.decompressobj(wbits=31)

    @property
    def eof(self) -> bool:
        """Whether the stream has ended."""
        return self._inner.eof

    @property
    def needs_input(self) -> bool:
        """Whether it can go on without more bytes."""
        return not self._inner.unconsumed_tail

    @property
    def unused_data(self) -> bytes:
        """What was given after the stream's end."""
        return self._inner.unused_data

    def decompress(self, data: bytes, max_length: int) -> bytes:
        """Return at most so many bytes of content."""
        return self._inner.decompress(self._inner.unconsumed_tail + data, max_length)


_CODECS: Final[tuple[tuple[re.Pattern[bytes], Callable[[], Codec]], ...]] = (
    (_STREAM, bz2.BZ2Decompressor),
    (re.compile(rb"\x1f\x8b"), Gunzip),
    (re.compile(rb"\xfd7zXZ\0"), lzma.LZMADecompressor),
)


def chunks(path: str, start: int = 0, stop: int | None = None) -> Iterator[Chunk]:
    """Yield the content of the streams that start in a range of a file's bytes, then of those after it.

    Only bzip2 files can be read from elsewhere than their start; any other file belongs to the range that begins at 0.

    Raises:
        InputError: the file is truncated or corrupt; names the file and the byte.

    Example:
        >>> import pathlib, tempfile
        >>> path = pathlib.Path(tempfile.mkdtemp()) / "two.bz2"
        >>> _ = path.write_bytes(bz2.compress(b"one") + bz2.compress(b"two"))
        >>> [(chunk.data, chunk.own) for chunk in chunks(str(path), 0, 20)]
        [(b'one', True), (b'two', False)]
    """
    with open_read(path) as stream:
        head = stream.read(_STREAM_BYTES)
        codec = next((codec for magic, codec in _CODECS if magic.match(head)), None)
        offset = _next_stream(stream, start, stop) if codec is bz2.BZ2Decompressor else (None if start else 0)
        if offset is None:
            return
        stream.seek(offset)
        if codec is not None:
            yield from _unpacked(path, stream, codec, stop)
            return
        while block := stream.read(_BLOCK):
            yield Chunk(block, 0, own=True)


def lines(path: str) -> Iterator[bytes]:
    """Yield the lines of a file, compressed or not, without their ends.

    Raises:
        InputError: a line is longer than 16 MB, or the file cannot be read.
    """
    rest = b""
    for chunk in chunks(path):
        whole = (rest + chunk.data).split(b"\n")
        rest = whole.pop()
        if len(rest) > MAX_LINE_BYTES:
            raise InputError(f"{path}: a line of more than {MAX_LINE_BYTES:,} bytes; is it a text file?")
        yield from whole
    if rest:
        yield rest


def _unpacked(path: str, stream: IO[bytes], codec: Callable[[], Codec], stop: int | None) -> Iterator[Chunk]:
    """Yield the content of one compressed stream after the other, from where the file stands."""
    offset, rest = stream.tell(), stream.read(_BLOCK)
    while rest:
        own = stop is None or offset < stop
        place = f"{path}: compressed stream at byte {offset}"
        decoder = codec()
        while not decoder.eof:
            yield Chunk(_decompress(decoder, rest, place), offset, own)
            hungry = decoder.needs_input and not decoder.eof
            rest = stream.read(_BLOCK) if hungry else b""
            if hungry and not rest:
                raise InputError(f"{place}: the file ends within it; it is truncated: fetch it again")
        rest = decoder.unused_data
        offset = stream.tell() - len(rest)
        rest = rest or stream.read(_BLOCK)


def _decompress(decoder: Codec, block: bytes, place: str) -> bytes:
    try:
        return decoder.decompress(block, 4 * _BLOCK)
    except (OSError, zlib.error, lzma.LZMAError) as error:
        raise InputError(f"{place}: {error}; the file is corrupt: fetch it again") from error


def _next_stream(stream: IO[bytes], start: int, stop: int | None) -> int | None:
    """Return where the first stream of a range starts."""
    stream.seek(start)
    at, window = start, b""
    while (stop is None or at < stop) and (block := stream.read(_BLOCK)):
        window += block
        found = _STREAM.search(window)
        if found:
            place = at + found.start()
            return place if stop is None or place < stop else None
        at += len(window) - (_STREAM_BYTES - 1)
        window = window[-(_STREAM_BYTES - 1) :]
    return None
