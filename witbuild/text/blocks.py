"""The blocks of wikitext that are passed as a whole: template calls and tables. Part of `witbuild.text.wikitext`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int64]

OPEN: Final = 1
"""Marks each byte of the ``{{`` of a template call that is closed; XML does not allow this character."""
CLOSE: Final = 2
"""Marks each byte of the ``}}`` of such a call."""

_NEWLINE, _SPACE, _TAB = ord("\n"), ord(" "), ord("\t")
_OPENING, _CLOSING, _PIPE, _COLON, _EQUALS = ord("{"), ord("}"), ord("|"), ord(":"), ord("=")


def marked(characters: bytes) -> Bytes:
    """Return a table of bytes in which some are 1: uint8 of shape (256,)."""
    out = np.zeros(256, np.uint8)
    out[list(characters)] = 1
    return out


@inner
def byte_at(text: Bytes, place: int, stop: int) -> int:
    """Return the byte at a place, 0 from the stop on."""
    return int(text[place]) if place < stop else 0


@inner
def mark_templates(text: Bytes, stop: int, stack: Offsets) -> None:
    """Mark the braces of closed template calls in place; `stack` has room for stop / 2 positions."""
    top = 0
    place = 0
    while place + 1 < stop:
        byte = text[place]
        if byte == _OPENING and text[place + 1] == _OPENING:
            stack[top] = place
            top += 1
            place += 2
        elif byte == _CLOSING and text[place + 1] == _CLOSING and top:
            top -= 1
            text[stack[top]] = text[stack[top] + 1] = OPEN
            text[place] = text[place + 1] = CLOSE
            place += 2
        else:
            place += 1


@inner
def after_template(text: Bytes, place: int, stop: int) -> int:
    """Return the place after the template call that starts here; marks are balanced."""
    depth = 0
    while place < stop:
        if text[place] == OPEN:
            depth += 1
        elif text[place] == CLOSE:
            depth -= 1
            if depth == 0:
                return place + 1
        place += 1
    return stop


@inner
def after_line(text: Bytes, place: int, stop: int) -> int:
    """Return the end of the line, which a template call may lengthen."""
    while place < stop and text[place] != _NEWLINE:
        place = after_template(text, place, stop) if text[place] == OPEN else place + 1
    return place


@inner
def after_table(text: Bytes, place: int, stop: int) -> int:
    """Return the place after the table that starts here, tables in it included, or the heading that ends it first."""
    depth = 1
    place += 2
    while place < stop:
        if text[place] == OPEN:
            place = after_template(text, place, stop)
            continue
        if text[place] != _NEWLINE:
            place += 1
            continue
        if byte_at(text, place + 1, stop) == _EQUALS and byte_at(text, place + 2, stop) == _EQUALS:
            return place
        place += 1
        while place < stop and text[place] in (_SPACE, _TAB, _COLON):
            place += 1
        first, second = byte_at(text, place, stop), byte_at(text, place + 1, stop)
        if first == _OPENING and second == _PIPE:
            depth += 1
            place += 2
        elif first == _PIPE and second == _CLOSING:
            depth -= 1
            place += 2
            if depth == 0:
                return place
    return stop
