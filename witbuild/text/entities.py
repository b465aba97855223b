"""HTML entities in wikitext: ``&nbsp;``, ``&#233;``, ``&#xE9;``."""

from __future__ import annotations

from html.entities import name2codepoint
from typing import TYPE_CHECKING

import numpy as np

from witbuild.text.kernels import inner, place_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

_LONGEST = 8
_PACKED = {int.from_bytes(name.encode(), "big"): code for name, code in {**name2codepoint, "apos": 39}.items()}
_NAMES = np.array(sorted(_PACKED), np.uint64)
_CODES = np.array([_PACKED[int(name)] for name in _NAMES], np.int64)
_AMPERSAND, _HASH, _SEMICOLON, _SPACE = ord("&"), ord("#"), ord(";"), ord(" ")


@inner
def entity(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Write the character of the entity that starts here, or the ampersand; return the next place and size.

    Known are the 252 names of HTML 4 (section 24), `apos`, and numbers; what XML does not allow becomes a space.
    """
    if place + 1 < stop and text[place + 1] == _HASH:
        code, end = _number(text, place + 2, stop)
    else:
        code, end = _named(text, place + 1, stop)
    if code < 0:
        out[size] = _AMPERSAND
        return place + 1, size + 1
    return end, _put(code, out, size)


@inner
def _named(text: Bytes, place: int, stop: int) -> tuple[int, int]:
    packed = np.uint64(0)
    end = place
    while end < stop and end - place < _LONGEST and text[end] != _SEMICOLON:
        packed = (packed << np.uint64(8)) | np.uint64(text[end])
        end += 1
    if end >= stop or text[end] != _SEMICOLON:
        return -1, end
    found = place_of(packed, _NAMES)
    if found < 0:
        return -1, end
    return _CODES[found], end + 1


@inner
def _number(text: Bytes, place: int, stop: int) -> tuple[int, int]:
    base = 10
    if place < stop and (text[place] | 32) == 120:
        base = 16
        place += 1
    code, first = 0, place
    while place < stop and place - first < 8:
        digit = _digit(text[place], base)
        if digit < 0:
            break
        code = code * base + digit
        place += 1
    if place == first or place >= stop or text[place] != _SEMICOLON:
        return -1, place
    return (code if _is_character(code) else _SPACE), place + 1


@inner
def _digit(byte: int, base: int) -> int:
    if 48 <= byte <= 57:
        return int(byte) - 48
    if base == 16 and 97 <= (byte | 32) <= 102:
        return int(byte | 32) - 87
    return -1


@inner
def _is_character(code: int) -> bool:
    return 32 <= code <= 0xD7FF or 0xE000 <= code <= 0xFFFD or 0x10000 <= code <= 0x10FFFF


@inner
def _put(code: int, out: Bytes, size: int) -> int:
    """Write a character in UTF-8; return the new size."""
    if code < 0x80:
        out[size] = code
        return size + 1
    length = 2 if code < 0x800 else (3 if code < 0x10000 else 4)
    for i in range(length - 1, 0, -1):
        out[size + i] = 0x80 | (code & 0x3F)
        code >>= 6
    out[size] = ((0xF00 >> length) & 0xFF) | code
    return size + length
