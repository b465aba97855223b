"""Texts to captions as `witbuild.web.caption` cleans them, by a compiled loop over UTF-8."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner, kernel
from witbuild.web.caption import MAX_CHARACTERS
from witbuild.web.markup import pointer

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

MAX_BYTES: Final = MAX_CHARACTERS
"""Of a text that is cleaned here: a longer one may have to be cut."""
_KEPT, _BLANK, _REMOVED, _REPLACEMENT = range(4)
_SPACE: Final = ord(" ")


def clean(text: str) -> tuple[str, bool] | None:
    r"""Return a text as a caption, and whether it holds a replacement character; None: it is too long for this loop.

    Example:
        >>> clean(" a\u202e red\n\t square "), clean("\ufffd"), clean("x" * 2_001)
        (('a red square', False), ('\ufffd', True), None)
    """
    data = np.frombuffer(text.encode(), np.uint8)
    if data.size > MAX_BYTES:
        return None
    out = np.empty(data.size + 1, np.uint8)
    size, replaced = _clean(data, out)
    return bytes(out[:size]).decode(), bool(replaced)


@kernel
def _clean(data: Bytes, out: Bytes) -> tuple[int, bool]:
    return clean_into(pointer(data), 0, data.size, pointer(out), 0)


@inner
def clean_into(data: Bytes, start: int, stop: int, out: Bytes, at: int) -> tuple[int, bool]:
    """Write a text of valid UTF-8 as a caption; return where it ends, and whether it holds a replacement character."""
    begin, blank, replaced = at, False, False
    place = start
    while place < stop:
        byte = data[place]
        size, kind = 1, _KEPT
        if byte <= _SPACE or byte >= 0x7F:
            size, code = _character(data, place)
            kind = _kind(code)
        if kind == _BLANK:
            blank = True
        elif kind != _REMOVED:
            if blank and at > begin:
                out[at] = _SPACE
                at += 1
            blank = False
            replaced |= kind == _REPLACEMENT
            for more in range(size):
                out[at + more] = data[place + more]
            at += size
        place += size
    return at, replaced


@inner
def _character(data: Bytes, place: int) -> tuple[int, int]:
    """Return how many bytes a character has, and its number."""
    lead = int(data[place])
    if lead < 0x80:
        return 1, lead
    second = int(data[place + 1]) & 63
    if lead < 0xE0:
        return 2, (lead & 31) << 6 | second
    third = int(data[place + 2]) & 63
    if lead < 0xF0:
        return 3, (lead & 15) << 12 | second << 6 | third
    return 4, (lead & 7) << 18 | second << 12 | third << 6 | int(data[place + 3]) & 63


@inner
def _kind(code: int) -> int:
    """Return what becomes of a character: it is kept, stands for a space, or goes."""
    if code < 0xA1:
        return _BLANK if 9 <= code <= 13 or 28 <= code <= 32 or code in (0x85, 0xA0) else _kind_of_control(code)
    if code < 0x2000:
        return _BLANK if code == 0x1680 else _REMOVED if code in (0xAD, 0x61C) else _KEPT
    if code < 0x3001:
        return _kind_of_mark(code)
    if code & 0xFFFE == 0xFFFE or 0xFDD0 <= code <= 0xFDEF or code == 0xFEFF or 0xFFF9 <= code <= 0xFFFB:
        return _REMOVED
    return _REPLACEMENT if code == 0xFFFD else _KEPT


@inner
def _kind_of_control(code: int) -> int:
    return _KEPT if _SPACE < code < 0x7F else _REMOVED


@inner
def _kind_of_mark(code: int) -> int:
    """Return what becomes of a character from U+2000 to U+3000."""
    if code <= 0x200A or code in (0x2028, 0x2029, 0x202F, 0x205F, 0x3000):
        return _BLANK
    return _REMOVED if code in (0x200E, 0x200F) or 0x202A <= code <= 0x202E or 0x2066 <= code <= 0x2069 else _KEPT
