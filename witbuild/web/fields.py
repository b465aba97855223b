"""Fields of a record's or an answer's head, found by a compiled loop: `Name: value` a line (ISO 28500; RFC 9112).

Only heads as nearly all are: names of visible characters right before the colon, no line that goes on in the next one.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner, kernel
from witbuild.web.elements import name_hash
from witbuild.web.markup import Page, find, hash_of, pointer

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.web.elements import Numbers

    Bytes = npt.NDArray[np.uint8]

_LINE, _RETURN, _COLON, _SPACE, _TAB, _DELETE = (ord(char) for char in "\n\r: \t\x7f")
_OTHER, _ODD = -1, -2


class Fields:
    r"""Finds some fields in heads.

    Args:
        names: of the fields, in lower case.

    Example:
        >>> fields = Fields(("content-type", "x-robots-tag"))
        >>> head = b"HTTP/1.1 200 OK\r\nContent-Type:  a/b \r\nX: y\r\nx-robots-tag: no\r\n\r\n<p>"
        >>> end, found = fields.of(head, 0, 1_000)
        >>> head[end:], [(name, head[start:stop]) for name, start, stop in found]
        (b'<p>', [('content-type', b'a/b'), ('x-robots-tag', b'no')])
        >>> fields.of(b"a\r\nb: c\r\n d\r\n\r\n", 0, 1_000)
    """

    MOST: Final = 64

    def __init__(self, names: tuple[str, ...]) -> None:
        self._names = names
        self._hashes = np.array([name_hash(name) for name in names], np.int64)

    def of(self, data: bytes | memoryview, start: int, limit: int) -> tuple[int, list[tuple[str, int, int]]] | None:
        """Return where what follows a head begins, and name, start and stop of those fields in it.

        Args:
            data: with a head in it.
            start: of the line before the first field.
            limit: most bytes of the head.

        Returns:
            None where the head is not as nearly all are, or longer.
        """
        out = np.empty((self.MOST, 3), np.int64)
        end, count = _fields(np.frombuffer(data, np.uint8), start, limit, self._hashes, out)
        if end < 0:
            return None
        return end, [(self._names[name], first, last) for name, first, last in out[:count].tolist()]


@kernel
def _fields(data: Bytes, start: int, limit: int, names: Numbers, out: Numbers) -> tuple[int, int]:
    """Write number, start and stop of the fields; return the place after the head, or -1, and how many there are."""
    page = Page(
        pointer(data), min(data.size, start + limit), pointer(names), pointer(data), pointer(names), pointer(out),
        pointer(out),
    )  # fmt: skip
    count, place, colon = 0, find(page, start, _LINE) + 1, -1
    while place < page.size:
        end = find(page, place, _LINE)
        stop = end - (end > place and page.data[end - 1] == _RETURN)
        if stop == place:
            return (end + 1, count) if end < page.size else (-1, 0)
        if colon < place:  # else lines without one would each be searched to the end of the head
            colon = find(page, place, _COLON)
        if page.data[place] in (_SPACE, _TAB) or count == len(out):
            return -1, 0
        name = _number(page, place, colon, names) if colon < stop else _OTHER
        if name != _OTHER:
            first, last = _trimmed(page, colon + 1, stop)
            if name == _ODD or first < 0:
                return -1, 0
            out[count, 0], out[count, 1], out[count, 2] = name, first, last
            count += 1
        place = end + 1
    return -1, 0


@inner
def _number(page: Page, start: int, stop: int, names: Numbers) -> int:
    """Return which of the names stands at a place, OTHER, or ODD where what is around it might be white space."""
    if stop == start or not (_is_visible(page.data[start]) and _is_visible(page.data[stop - 1])):
        return _ODD
    key = hash_of(page, start, stop)
    for number in range(len(names)):
        if names[number] == key and _all_visible(page, start, stop):
            return number
    return _OTHER


@inner
def _all_visible(page: Page, start: int, stop: int) -> bool:
    """Say whether there is no control in a name: to its hash, the end of a line is a hyphen."""
    for place in range(start, stop):  # noqa: SIM110 a generator is not compiled
        if not _is_visible(page.data[place]):
            return False
    return True


@inner
def _is_visible(byte: int) -> bool:
    return _SPACE < byte < _DELETE


@inner
def _trimmed(page: Page, start: int, stop: int) -> tuple[int, int]:
    """Return where a value begins and ends without the blanks around it; -1 where it begins or ends oddly."""
    while start < stop and page.data[start] in (_SPACE, _TAB):
        start += 1
    while start < stop and page.data[stop - 1] in (_SPACE, _TAB):
        stop -= 1
    sure = start == stop or (_is_visible(page.data[start]) and _is_visible(page.data[stop - 1]))
    return (start, stop) if sure else (-1, -1)
