"""The members of a gzip archive one by one, each a record: by ISA-L, which unfolds more than twice as fast as zlib.

Whatever is odd ends it: no gzip, a member that is cut off, damaged or very large. What stands there, and behind it, is
for `witbuild.web.warc` to read.
"""

from __future__ import annotations

from typing import IO, TYPE_CHECKING, Any, Final, cast

from witbuild.web.warc import BOMB_BYTES

if TYPE_CHECKING:
    from collections.abc import Iterator

_GZIP: Final = 31
_FLAGS, _RESERVED = 3, 0xE0
"""Byte of a member's header, and the bits there that must be zero (RFC 1952, 2.3.1.2): ISA-L does not look at them."""
_FIRST, _MORE = 1 << 14, 1 << 16
"""Bytes that are unfolded at a time: what is given beyond a member's end is copied."""
_BLOCK_BYTES: Final = 1 << 20


def members(stream: IO[bytes], most: int = BOMB_BYTES) -> Iterator[tuple[int, int, bytes]]:
    """Yield (offset, length, content) of the members from where the stream stands, up to the first odd one.

    Offset and length are those of its bytes in the archive; none has more than `most` bytes of content.

    Example:
        >>> import gzip, io
        >>> two = gzip.compress(b"one") + gzip.compress(b"two")
        >>> [content for _, _, content in members(io.BytesIO(two + b"rubbish"))]
        [b'one', b'two']
    """
    from isal import isal_zlib

    damage = cast("type[Exception]", isal_zlib.error)
    begin, place, block = stream.tell(), 0, memoryview(b"")
    while True:
        if len(block) - place < _FIRST:
            begin, place, block = begin + place, 0, memoryview(bytes(block[place:]) + stream.read(_BLOCK_BYTES))
        decoder = isal_zlib.decompressobj(wbits=_GZIP)
        first = block[place : place + _FIRST]
        try:
            content = decoder.decompress(first, most)
            end = place + len(first)
            if not decoder.eof:
                more, block, end = _rest(decoder, stream, block, end, most - len(content))
                content += more
        except damage:
            return
        if not decoder.eof or first[_FLAGS] & _RESERVED:
            return
        end -= len(decoder.unused_data)
        yield begin + place, end - place, content
        place = end


def _rest(decoder: Any, stream: IO[bytes], block: memoryview, place: int, room: int) -> tuple[bytes, memoryview, int]:
    """Unfold a member beyond its first bytes; return more content, the block, which may grow, and where it was left."""
    parts: list[bytes] = []
    while not decoder.eof and not decoder.unconsumed_tail and room > 0:
        if place == len(block):
            more = stream.read(_BLOCK_BYTES)
            if not more:
                break
            block = memoryview(bytes(block) + more)
        piece = block[place : place + _MORE]
        place += len(piece)
        parts.append(decoder.decompress(piece, room))
        room -= len(parts[-1])
    return b"".join(parts), block, place
