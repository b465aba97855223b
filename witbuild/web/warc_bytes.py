"""The head of a WARC record (ISO 28500, section 4) by a compiled loop: what it is, and where its block lies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner
from witbuild.web.wat_fields import key_number, key_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

OTHER, METADATA, UNUSUAL = range(3)
"""What a record is: of no interest, metadata in JSON, or to be read by `witbuild.web.warc`."""
END: Final = 4
"""Bytes of the two line ends behind a block."""
_TYPE, _CONTENT, _LENGTH, _ANY, _ODD = range(5)
_NAMES: Final = np.array([key_number(one) for one in ("warc-type", "content-type", "content-length")], np.uint64)
_METADATA, _JSON = np.uint64(key_number("metadata")), np.uint64(key_number("json"))
_START: Final = np.frombuffer(b"WARC/1.", np.uint8)
_RETURN, _FEED, _COLON, _SPACE, _ZERO, _NINE = (ord(char) for char in "\r\n: 09")
_CAPITAL: Final = 32
_MOST_DIGITS: Final = 9


@inner
def block_of(data: Bytes, size: int) -> tuple[int, int]:
    """Return what a record is that fills so many bytes, and where its block begins, which ends END before them."""
    seen, metadata, is_json, length = 0, False, False, -1
    place = len(_START) + 1 if _starts(data, size) else size
    while True:
        start, place = place + 2, _end_of_line(data, place, size)
        if place <= start:
            break
        field, value = _field(data, start, place)
        if field == _ODD or seen >> field & 1 != 0:
            return UNUSUAL, 0
        if field == _TYPE:
            metadata = key_of(data, value, place, _CAPITAL) == _METADATA
        elif field == _CONTENT:
            is_json = _holds_json(data, value, place)
        elif field == _LENGTH:
            length = _whole_number(data, value, place)
        seen |= 1 << field & ~(1 << _ANY)
    block = start + 2
    whole = place == start and seen == (1 << _ANY) - 1 and length >= 0 and block + length + END == size
    if not whole or not _is_end(data, block + length) or not _is_end(data, block + length + 2):
        return UNUSUAL, 0
    return METADATA if metadata and is_json else OTHER, block


@inner
def _starts(data: Bytes, size: int) -> bool:
    """Say whether a record begins with its version, and a line end behind it."""
    if size < len(_START) + 3:
        return False
    for place in range(len(_START)):
        if data[place] != _START[place]:
            return False
    return _is_end(data, len(_START) + 1)


@inner
def _is_end(data: Bytes, place: int) -> bool:
    return data[place] == _RETURN and data[place + 1] == _FEED


@inner
def _end_of_line(data: Bytes, place: int, size: int) -> int:
    """Return where the line ends that begins behind the line end at a place; -1: it does not."""
    place += 2
    while place + 1 < size:
        if _is_end(data, place):
            return place
        place += 1
    return -1


@inner
def _field(data: Bytes, start: int, stop: int) -> tuple[int, int]:
    """Return which field a line is, and where its value begins."""
    colon = start
    while colon < stop and data[colon] != _COLON:
        colon += 1
    value = colon + 2
    if value >= stop or data[start] <= _SPACE or data[colon + 1] != _SPACE:
        return _ODD, value
    name = key_of(data, start, colon, _CAPITAL)
    for field in range(len(_NAMES)):
        if _NAMES[field] == name:
            return field if data[value] > _SPACE and data[stop - 1] > _SPACE else _ODD, value
    return _ANY, value


@inner
def _holds_json(data: Bytes, start: int, stop: int) -> bool:
    for place in range(start, stop - 3):  # noqa: SIM110 a generator is not compiled
        if key_of(data, place, place + 4, 0) == _JSON:
            return True
    return False


@inner
def _whole_number(data: Bytes, start: int, stop: int) -> int:
    """Return a number of up to nine digits; -1: it is none."""
    value = 0
    for place in range(start, stop):
        digit = data[place] - _ZERO
        if not 0 <= digit <= 9:
            return -1
        value = 10 * value + digit
    return value if 0 < stop - start <= _MOST_DIGITS else -1
