"""The largest candidate of a `srcset` by a compiled loop: what `witbuild.web.srcset` finds, or that one must ask it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from witbuild.text.kernels import inner
from witbuild.web.srcset import MAX_CANDIDATES, MAX_CHARACTERS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

RARE: Final = -2.0
"""Not for this loop: parentheses, odd characters, long numbers."""
_COMMA, _SPACE, _DOT, _ZERO, _NINE, _OPEN, _W, _X = (ord(char) for char in ", .09(wx")
_MOST_DIGITS: Final = 15
"""As many as a float holds exactly."""
_LONGEST: Final = 24


@inner
def largest(  # noqa: PLR0913, PLR0917
    text: Bytes, place: int, limit: int, best: float, start: int, stop: int
) -> tuple[float, int, int]:
    """Return width or density of the largest candidate, and where its address stands.

    Args:
        text: UTF-8, a pointer.
        place: where the attribute's value begins.
        limit: where it ends.
        best: width or density of the largest candidate before; -1 when there is none.
        start: of that one's address.
        stop: of that one's address; these three are returned where none is larger.

    Returns:
        RARE instead of a number where `witbuild.web.srcset` must be asked.
    """
    if limit - place > MAX_CHARACTERS:
        return RARE, 0, 0
    for _ in range(MAX_CANDIDATES):
        while place < limit and (_is_space(text[place]) or text[place] == _COMMA):
            place += 1
        begin = place
        while place < limit and not _is_space(text[place]):
            place += 1
        end, value = place, 1.0
        if end == begin:
            break
        if text[end - 1] != _COMMA:
            value, place = _described(text, place, limit)
            if value == RARE:
                return RARE, 0, 0
        while text[end - 1] == _COMMA:
            end -= 1
        if value > best:
            best, start, stop = value, begin, end
    return best, start, stop


@inner
def _is_space(byte: int) -> bool:
    return byte <= _SPACE and byte in (_SPACE, 9, 10, 12, 13)


@inner
def _described(text: Bytes, place: int, limit: int) -> tuple[float, int]:
    """Return the first width or density up to the next comma, 1 where there is none, and the place after the comma."""
    value, known = 1.0, False
    while place < limit and text[place] != _COMMA:
        if _is_space(text[place]):
            place += 1
            continue
        begin = place
        while place < limit and text[place] != _COMMA and not _is_space(text[place]):
            if text[place] <= _SPACE or text[place] >= 0x7F or text[place] == _OPEN:
                return RARE, place
            place += 1
        if place - begin > _LONGEST:
            return RARE, place
        if not known:
            found = _number(text, begin, place)
            if found == RARE:
                return RARE, place
            value, known = (found, True) if found >= 0 else (value, False)
    return value, place + 1


@inner
def _number(text: Bytes, start: int, stop: int) -> float:
    """Return the number of `300w` or `1.5x`; -1 for what is neither, RARE for more digits than are exact."""
    whole, power, digits, dot, place = 0, 1.0, 0, start - 1, start
    while place < stop - 1:
        byte = text[place]
        if byte == _DOT and dot < start < place:
            dot = place
        elif _ZERO <= byte <= _NINE:
            if digits == _MOST_DIGITS:
                return RARE
            whole, digits = 10 * whole + byte - _ZERO, digits + 1
            power = power * 10.0 if dot >= start else power
        else:
            return -1.0
        place += 1
    if digits == 0 or dot == stop - 2 or text[stop - 1] not in (_W, _X):
        return -1.0
    return whole / power
