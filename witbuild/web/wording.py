"""The value of an attribute to a caption or an address, as a compiled loop: what `escapes.unescape` and `caption` do.

A value is bytes of a page in UTF-8. It is read once, character by character; its character references stand for theirs.
"""

from __future__ import annotations

from html.entities import html5
from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner
from witbuild.web.caption import MAX_CHARACTERS, MAX_READ
from witbuild.web.escapes import unescape

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Numbers = npt.NDArray[np.int64]

RARE: Final = -2
"""Longer than the loop cares for: the end of a caption is to be cut off."""
MAX_CAPTION_BYTES: Final = 4 * MAX_CHARACTERS
BROKEN: Final = 0xFFFD
_SLOTS: Final = 4_096
_SIZE: Final = 3
_AMPERSAND, _SEMICOLON, _EQUALS, _HASH, _X, _ZERO, _SPACE, _DELETE = (ord(char) for char in "&;=#x0 \x7f")
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_MOST_DIGITS: Final = 7
_LAST: Final = 0x10FFFF
_CONTROLS: Final = np.array([ord(unescape(f"&#{code};")) for code in range(0x80, 0xA0)], np.int64)


def _hash(name: bytes) -> int:
    value = 0
    for byte in name:
        value = ((value ^ byte) + 1) * int(_PRIME) & 0xFFFFFFFFFFFFFFFF
    return value - (value >> 63 << 64)


def _table() -> Numbers:
    """Return the names of characters: their hashes, and one or two characters of each, in an open table."""
    table = np.zeros((_SLOTS, _SIZE), np.int64)
    for name, text in html5.items():
        key = _hash(name.encode())
        slot = key >> 16 & (_SLOTS - 1)
        while table[slot, 1]:
            slot = (slot + 1) & (_SLOTS - 1)
        table[slot, 0] = key
        table[slot, 1 : 1 + len(text)] = [ord(char) for char in text]
    return table.ravel()


NAMED: Final = _table()
"""int64 of shape (3 * 4,096,): see `_table`."""


@inner
def caption_into(data: Bytes, start: int, stop: int, named: Numbers, out: Bytes, at: int) -> int:  # noqa: PLR0913, PLR0917
    """Write a value as a caption; return where it ends, or RARE.

    Args:
        data: bytes of a page, a pointer as all below.
        start: of the value.
        stop: of the value.
        named: NAMED.
        out: with room for MAX_CAPTION_BYTES and eight more from `at` on.
        at: where to write.
    """
    if stop - start > MAX_READ:
        return RARE
    place, begin, characters, blank = start, at, 0, False
    while place < stop:
        code, second, place = _character(data, place, stop, named)
        while code > 0:
            if is_blank(code):
                blank = at > begin
            elif not _is_removed(code):
                characters += 1 + blank
                if characters > MAX_CHARACTERS:
                    return RARE
                if blank:
                    out[at] = _SPACE
                    at, blank = at + 1, False
                at = _written(code, out, at)
            code, second = second, 0
    return at


@inner
def unescaped_into(  # noqa: PLR0913, PLR0917
    data: Bytes, start: int, stop: int, named: Numbers, out: Bytes, at: int
) -> tuple[int, int, int]:
    """Write a value; return where it begins and ends without the white space around it, and where it ends with it.

    Args:
        data: bytes of a page, a pointer as all below.
        start: of the value.
        stop: of the value.
        named: NAMED.
        out: with room for three bytes for each of the value's.
        at: where to write.
    """
    place, begin, end = start, at, at
    while place < stop:
        code, second, place = _character(data, place, stop, named)
        while code > 0:
            blank = is_blank(code)
            begin = at if begin == end and not blank else begin
            at = _written(code, out, at)
            end = end if blank else at
            code, second = second, 0
    return begin, end, at


@inner
def is_plain(data: Bytes, start: int, stop: int) -> bool:
    """Say whether a value is of ASCII alone, without white space, controls and character references."""
    for place in range(start, stop):
        byte = data[place]
        if byte <= _SPACE or byte >= _DELETE or byte == _AMPERSAND:
            return False
    return True


@inner
def _character(data: Bytes, place: int, stop: int, named: Numbers) -> tuple[int, int, int]:
    """Return the character at a place, another one or 0, and the place after it."""
    byte = int(data[place])
    if byte == _AMPERSAND and place + 1 < stop:
        return _reference(data, place, stop, named)
    if byte == 0:
        return BROKEN, 0, place + 1
    if byte < 0x80:
        return byte, 0, place + 1
    if byte < 0xE0:
        return (byte & 0x1F) << 6 | data[place + 1] & 0x3F, 0, place + 2
    tail = (data[place + 1] & 0x3F) << 6 | data[place + 2] & 0x3F
    if byte < 0xF0:
        return (byte & 0x0F) << 12 | tail, 0, place + 3
    return (byte & 0x07) << 18 | tail << 6 | data[place + 3] & 0x3F, 0, place + 4


@inner
def _reference(data: Bytes, start: int, stop: int, named: Numbers) -> tuple[int, int, int]:
    """Return what stands for the `&` at a place, as `_character` does: itself where no reference begins there."""
    if data[start + 1] == _HASH:
        return _numbered(data, start, stop)
    key, before, place = np.uint64(0), np.uint64(0), start + 1
    while place < stop and _is_alphanumeric(data[place]):
        key, before = _step(key, data[place]), key
        place += 1
    ended = place < stop and data[place] == _SEMICOLON
    if ended:
        key = _step(key, _SEMICOLON)
    elif place < stop and data[place] == _EQUALS:  # as `escapes` has it: then the name may lack its last letter
        key, place = before, place - 1
    slot = _find(named, np.int64(key))  # type: ignore[arg-type]
    if slot < 0 or place == start + 1:
        return _AMPERSAND, 0, start + 1
    return named[slot + 1], named[slot + 2], place + ended


@inner
def _find(named: Numbers, key: int) -> int:
    """Return where a name stands in the table, or -1."""
    slot = key >> 16 & (_SLOTS - 1)
    while named[_SIZE * slot + 1] != 0:
        if named[_SIZE * slot] == key:
            return _SIZE * slot
        slot = (slot + 1) & (_SLOTS - 1)
    return -1


@inner
def _step(key: np.uint64, byte: int) -> np.uint64:
    return ((key ^ np.uint64(byte)) + np.uint64(1)) * _PRIME


@inner
def _is_alphanumeric(byte: int) -> bool:
    return 48 <= byte <= 57 or 97 <= byte | 32 <= 122


@inner
def _numbered(data: Bytes, start: int, stop: int) -> tuple[int, int, int]:
    """Read `&#233;` or `&#xE9;`, with or without its end."""
    first = start + 2
    base = 16 if first < stop and data[first] | 32 == _X else 10
    first += base == 16
    place, code, digits = first, 0, 0
    while place < stop:
        digit = _digit(data[place])
        if digit >= base:
            break
        digits += digits > 0 or digit > 0
        if digits <= _MOST_DIGITS:
            code = code * base + digit
        place += 1
    if place == first:
        return _AMPERSAND, 0, start + 1
    place += place < stop and data[place] == _SEMICOLON
    if digits > _MOST_DIGITS or code == 0 or code > _LAST or 0xD800 <= code <= 0xDFFF:
        return BROKEN, 0, place
    return _CONTROLS[code - 0x80] if 0x80 <= code < 0xA0 else code, 0, place


@inner
def _digit(byte: int) -> int:
    """Return what a digit to base 16 counts; 99 for another character."""
    if 48 <= byte <= 57:
        return byte - 48
    small = byte | 32
    return small - 87 if 97 <= small <= 102 else 99


@inner
def is_blank(code: int) -> bool:
    """Say whether a character is white space, as `str.isspace` does."""
    if code <= _SPACE:
        return code == _SPACE or 0x09 <= code <= 0x0D or 0x1C <= code <= 0x1F
    if code < 0x1680:
        return code in (0x85, 0xA0)
    return code == 0x1680 or 0x2000 <= code <= 0x200A or code in (0x2028, 0x2029, 0x202F, 0x205F, 0x3000)


@inner
def _is_removed(code: int) -> bool:
    """Say whether a character may not stand in a caption; white space aside, see witbuild.web.caption."""
    if code < 0x600:
        return code < _SPACE or 0x7F <= code < 0xA0 or code == 0xAD
    if code < 0xFDD0:
        return code in (0x061C, 0x200E, 0x200F) or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069
    return code <= 0xFDEF or code == 0xFEFF or 0xFFF9 <= code <= 0xFFFB or code & 0xFFFE == 0xFFFE


@inner
def _length(code: int) -> int:
    return 1 + (code >= 0x80) + (code >= 0x800) + (code >= 0x10000)


@inner
def _written(code: int, out: Bytes, at: int) -> int:
    """Write a character in UTF-8; return the place after it."""
    if code < 0x80:
        out[at] = code
        return at + 1
    size = _length(code)
    for place in range(at + size - 1, at, -1):
        out[place] = 0x80 | code & 0x3F
        code >>= 6
    out[at] = (0xF00 >> size) & 0xFF | code
    return at + size
