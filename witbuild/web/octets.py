"""Bytes of a page: ASCII, UTF-8 or neither, by a compiled loop; what `bytes.isascii` and `bytes.decode` say."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import eight_at, inner, kernel
from witbuild.web import charset

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

ASCII, UTF8, OTHER = range(3)
_TOPS, _NONE = np.uint64(0x8080808080808080), np.uint64(0)
_AT_ONCE: Final = 32


def in_utf8(body: bytes | memoryview, content_type: str = "") -> bytes | memoryview:
    r"""Return what `witbuild.web.charset.utf8` does; the bytes themselves, where they lie, in most cases.

    Example:
        >>> in_utf8(b"caf\xe9"), in_utf8(memoryview("café".encode())).tobytes().decode()
        (b'caf\xc3\xa9', 'café')
    """
    kind = kind_of(np.frombuffer(body, np.uint8))
    if kind == OTHER or charset.is_marked(body) or (kind == ASCII and not charset.is_ascii(body, content_type)):
        return charset.utf8(bytes(body), content_type)
    return body


@kernel
def kind_of(data: Bytes) -> int:
    r"""Return ASCII, UTF8 or OTHER.

    Example:
        >>> [kind_of(np.frombuffer(text, np.uint8)) for text in (b"a", "é".encode(), b"\xe9")]
        [0, 1, 2]
    """
    place, kind, size = 0, ASCII, len(data)
    while place < size:
        while place + _AT_ONCE <= size and _tops(data, place) == _NONE:
            place += _AT_ONCE
        if place < size and data[place] >= 0x80:
            length = _length(data, place)
            if length == 0:
                return OTHER
            place, kind = place + length, UTF8
        else:
            place += 1
    return kind


@inner
def _tops(data: Bytes, place: int) -> np.uint64:
    """Return a number that is 0 where the next bytes are all ASCII."""
    first = eight_at(data, place) | eight_at(data, place + 8)
    return (first | eight_at(data, place + 16) | eight_at(data, place + 24)) & _TOPS


@inner
def _length(data: Bytes, place: int) -> int:
    """Return the bytes of a character beyond ASCII, 0 where there is none (Unicode, table 3-7)."""
    lead = data[place]
    length = (lead >= 0xC2) + (lead >= 0xE0) + (lead >= 0xF0) + 1
    if length == 1 or lead > 0xF4 or place + length > len(data):
        return 0
    for after in range(place + 1, place + length):
        if data[after] & 0xC0 != 0x80:
            return 0
    second = data[place + 1]
    least = 0xA0 if lead == 0xE0 else 0x90 if lead == 0xF0 else 0x80
    most = 0x9F if lead == 0xED else 0x8F if lead == 0xF4 else 0xBF
    return length if least <= second <= most else 0
