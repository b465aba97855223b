r"""JSON as bytes (RFC 8259), by compiled loops that copy nothing: where values end, and what strings say.

Compact JSON alone is read, as programs write it: no white space between tokens, no lone surrogates, numbers without
fraction and exponent. All of it is checked, UTF-8 included, so that what is read here is JSON to every parser; where a
function returns ODD, a parser is to be asked. Whoever calls keeps MARGIN bytes that are no JSON behind the text.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import ir
from numba.core import types
from numba.extending import intrinsic

from witbuild.text.kernels import inner, kernel
from witbuild.text.simd import lowest_bit
from witbuild.web.markup import pointer

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

ODD: Final = -1
MARGIN: Final = 4
"""Bytes behind the text that may be looked at."""
WIDE: Final = 64
QUOTE, BACKSLASH, COMMA, COLON, OPEN, CLOSE, OPEN_LIST, CLOSE_LIST, SPACE = (ord(char) for char in '"\\,:{}[] ')
_U, _MINUS, _ZERO, _NINE, _D = (ord(char) for char in "u-09d")
_DEEPEST: Final = 60
"""Levels of values that are passed over: one bit each says whether it is an object."""
_NOTHING: Final = np.uint64(0)


def _plain_escapes() -> npt.NDArray[np.uint8]:
    """Return what the letter behind a backslash means; 0: it is no escape, or one of four digits."""
    means = np.zeros(256, np.uint8)
    for letter, meaning in zip(b'"\\/bfnrt', b'"\\/\b\f\n\r\t', strict=True):
        means[letter] = meaning
    return means


def _digits() -> npt.NDArray[np.uint8]:
    values = np.full(256, 255, np.uint8)
    for value, letter in enumerate("0123456789abcdef"):
        values[[ord(letter), ord(letter.upper())]] = value
    return values


_ESCAPES: Final = _plain_escapes()
_DIGITS: Final = _digits()
_LITERALS: Final = np.frombuffer(b"truefalsenull", np.uint8)


def is_compact(text: bytes) -> bool:
    r"""Say whether a text is one JSON value as it is read here: False says no more than that it may be none.

    Example:
        >>> is_compact(rb'{"a":[1,"\u00e9",{}]}'), is_compact(b'{"a": 1}'), is_compact(b'{"a":1,}')
        (True, False, False)
    """
    return bool(_is_value(np.frombuffer(text + bytes(MARGIN), np.uint8)))


@kernel
def _is_value(data: Bytes) -> bool:
    return after_value(pointer(data), 0, data.size - MARGIN) == data.size - MARGIN


def said(text: bytes) -> bytes:
    r"""Return what the characters between a string's quotes say, as UTF-8.

    Example:
        >>> said(rb"caf\u00e9 <\/b>").decode()
        'café </b>'
    """
    out = np.empty(len(text) + 1, np.uint8)
    return bytes(out[: _unescaped(np.frombuffer(text, np.uint8), out)])


@kernel
def _unescaped(data: Bytes, out: Bytes) -> int:
    return unescape(pointer(data), 0, data.size, pointer(out), 0)


@intrinsic
def specials_at(_context: Any, data: Any, place: Any) -> Any:
    """Return 64 bits for the 64 bytes at a place: whether each is a quote, a backslash, a control or not ASCII."""

    def make(_target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        octets = ir.VectorType(ir.IntType(8), WIDE)
        address = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), octets.as_pointer())
        loaded = builder.load(address, align=1)
        same = [builder.icmp_unsigned("==", loaded, ir.Constant(octets, [byte] * WIDE)) for byte in (QUOTE, BACKSLASH)]
        low = builder.icmp_signed("<", loaded, ir.Constant(octets, [SPACE] * WIDE))
        return builder.bitcast(builder.or_(builder.or_(*same), low), ir.IntType(WIDE))

    return types.uint64(data, place), make


@inner
def next_special(data: Bytes, place: int, size: int) -> int:
    """Return where the next quote, backslash, control or byte that is not ASCII stands, or the end."""
    while place + WIDE <= size:
        bits = specials_at(data, place)
        if bits != _NOTHING:
            return place + lowest_bit(bits)
        place += WIDE
    while place < size:
        byte = data[place]
        if byte < SPACE or byte > 127 or byte in (QUOTE, BACKSLASH):
            return place
        place += 1
    return size


@inner
def end_of_string(data: Bytes, place: int, size: int) -> int:
    """Return where the quote stands that ends a string, of which `place` is the first character; or ODD."""
    while True:
        place = next_special(data, place, size)
        if place >= size:
            return ODD
        byte = data[place]
        if byte == QUOTE:
            return place
        place = _after_escape(data, place) if byte == BACKSLASH else after_character(data, place)
        if place < 0:
            return ODD


@inner
def _after_escape(data: Bytes, place: int) -> int:
    if data[place + 1] != _U:
        return place + 2 if _ESCAPES[data[place + 1]] != 0 else ODD
    for digit in range(place + 2, place + 6):
        if _DIGITS[data[digit]] > 15:
            return ODD
    surrogate = data[place + 2] | 32 == _D and _DIGITS[data[place + 3]] >= 8
    return ODD if surrogate else place + 6


@inner
def after_character(data: Bytes, place: int) -> int:
    """Return the place after a character of two to four bytes, or ODD: bytes that are no UTF-8, or a control."""
    lead, second = data[place], data[place + 1]
    if not 0x80 <= second <= 0xBF or not 0xC2 <= lead <= 0xF4:
        return ODD
    if lead < 0xE0:
        return place + 2
    third = data[place + 2]
    if not 0x80 <= third <= 0xBF:
        return ODD
    if lead < 0xF0:
        wrong = (lead == 0xE0 and second < 0xA0) or (lead == 0xED and second > 0x9F)
        return ODD if wrong else place + 3
    wrong = (lead == 0xF0 and second < 0x90) or (lead == 0xF4 and second > 0x8F)
    return ODD if wrong or not 0x80 <= data[place + 3] <= 0xBF else place + 4


@inner
def next_key(data: Bytes, place: int, size: int, opener: int) -> tuple[int, int, int]:
    """Read a key: `place` is at the `{` or the comma, as `opener` says, or at the `}`.

    Returns:
        Where its value begins, or ODD; where the key begins, or -1 where the object ends: then the place is after it;
        where the key ends.
    """
    byte = data[place]
    if byte == CLOSE and opener == COMMA:
        return place + 1, -1, -1
    if byte != opener:
        return ODD, -1, -1
    if data[place + 1] == CLOSE and opener == OPEN:
        return place + 2, -1, -1
    start = place + 2
    if data[place + 1] != QUOTE:
        return ODD, -1, -1
    stop = next_special(data, start, size)
    if stop >= size or data[stop] != QUOTE or data[stop + 1] != COLON:
        return ODD, -1, -1
    return stop + 2, start, stop


@inner
def after_value(data: Bytes, place: int, size: int) -> int:
    """Return the place after a value of any kind, or ODD."""
    objects, depth = 0, 0
    while True:
        byte = data[place]
        if byte == OPEN_LIST and data[place + 1] != CLOSE_LIST and depth < _DEEPEST:
            objects, depth, place = objects << 1, depth + 1, place + 1
            continue
        opener = COMMA
        if byte == OPEN and depth < _DEEPEST:
            objects, depth, opener = objects << 1 | 1, depth + 1, OPEN
        elif byte == OPEN_LIST and depth < _DEEPEST:
            place += 2
        else:
            place = end_of_string(data, place + 1, size) + 1 if byte == QUOTE else _after_scalar(data, place)
        if place <= 0 and opener == COMMA:
            return ODD
        place, objects, depth = _closed(data, place, size, opener, objects, depth)
        if depth <= 0:
            return place


@inner
def _closed(  # noqa: PLR0913, PLR0917 numbers
    data: Bytes, place: int, size: int, opener: int, objects: int, depth: int
) -> tuple[int, int, int]:
    """Go on to the next value within lists and objects that are open: return where it is, or ODD, and what is open."""
    while depth > 0:
        start = -1
        if objects & 1 != 0:
            place, start, _ = next_key(data, place, size, opener)
        elif data[place] in (COMMA, CLOSE_LIST):
            start = -int(data[place] == CLOSE_LIST)
            place += 1
        else:
            place = ODD
        if place < 0:
            return ODD, 0, 0
        if start >= 0:
            break
        objects, depth, opener = objects >> 1, depth - 1, COMMA
    return place, objects, depth


@inner
def _after_scalar(data: Bytes, place: int) -> int:
    """Return the place after `true`, `false`, `null` or a whole number of up to 15 digits, or ODD."""
    first = data[place]
    if first in (116, 102, 110):  # t, f, n
        start, size = (0, 4) if first == 116 else (4, 5) if first == 102 else (9, 4)
        for i in range(size):
            if data[place + i] != _LITERALS[start + i]:
                return ODD
        return place + size
    place += first == _MINUS
    start = place
    while _ZERO <= data[place] <= _NINE and place - start < 16:
        place += 1
    leading = data[start] == _ZERO and place > start + 1
    return ODD if place == start or place - start > 15 or leading else place


@inner
def unescape(data: Bytes, start: int, stop: int, out: Bytes, at: int) -> int:
    """Write what a checked string says, in UTF-8; return where it ends; it is never longer than the string."""
    place = start
    while place < stop:
        byte = data[place]
        if byte != BACKSLASH:
            out[at] = byte
            at, place = at + 1, place + 1
        elif data[place + 1] != _U:
            out[at] = _ESCAPES[data[place + 1]]
            at, place = at + 1, place + 2
        else:
            code = 0
            for digit in range(place + 2, place + 6):
                code = code << 4 | _DIGITS[data[digit]]
            at, place = _write(code, out, at), place + 6
    return at


@inner
def _write(code: int, out: Bytes, at: int) -> int:
    """Write a character of the basic plane in UTF-8."""
    if code < 0x80:
        out[at] = code
        return at + 1
    if code < 0x800:
        out[at], out[at + 1] = 0xC0 | code >> 6, 0x80 | code & 63
        return at + 2
    out[at], out[at + 1], out[at + 2] = 0xE0 | code >> 12, 0x80 | code >> 6 & 63, 0x80 | code & 63
    return at + 3
