"""The links of a WAT record that tell of images or of a licence, cut out of its JSON before it is parsed.

A page's record is mostly links to other pages, and most of the time of parsing it is theirs. JSON says where a string
ends without looking at anything else, so the others are passed over by one compiled loop.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from witbuild.text.kernels import inner, kernel
from witbuild.web.elements import name_hash
from witbuild.web.markup import Page, find, hash_of, holds_name, pointer

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.web.elements import Numbers

_QUOTE, _BACKSLASH, _COMMA, _SPACE = (ord(char) for char in '"\\, ')
_OPEN, _CLOSE, _OPEN_LIST, _CLOSE_LIST = (ord(char) for char in "{}[]")
_PAGE, _BEGIN = re.compile(rb'"HTML-Metadata"\s{0,9}:\s{0,9}\{'), re.compile(rb'"Links"\s{0,9}:\s{0,9}\[')
_REL, _LICENSE, _IMAGE = (np.int64(name_hash(one)) for one in ("rel", "license", "img@/src"))
_LICENSE_LENGTH = len("license")
_SHORTEST = 4
"""A link is longer than two to this power of bytes: `{"path":"IMG@/src"}` has 19."""


def without_others(block: bytes) -> bytes:
    """Return a record's JSON without the links that are neither images nor named licences; itself where in doubt.

    The links are objects of strings and numbers, in the list `Links` of `HTML-Metadata`.

    Example:
        >>> links = b'{"path":"A@/href","url":"/"},{"path":"IMG@/src","url":"a.jpg"}'
        >>> without_others(b'{"HTML-Metadata":{"Links":[' + links + b']}}')
        b'{"HTML-Metadata":{"Links":[{"path":"IMG@/src","url":"a.jpg"}]}}'
    """
    page = _PAGE.search(block)
    links = _BEGIN.search(block, page.end()) if page else None
    if links is None or b"creativecommons.org" in block:
        return block
    begin = links.end()
    rows, end = np.empty((len(block) >> _SHORTEST, 2), np.int32), np.zeros(1, np.int64)
    count = _cut(np.frombuffer(block, np.uint8), begin, rows, end)
    if count < 0:
        return block
    kept = b",".join([block[start:stop] for start, stop in rows[:count].tolist()])
    return block[:begin] + kept + block[end[0] :]


@kernel
def _cut(data: npt.NDArray[np.uint8], place: int, rows: npt.NDArray[np.int32], end: Numbers) -> int:
    """Note where the links that count stand, and where the list ends; return how many, or -1 for another list."""
    page = Page(
        pointer(data), data.size, pointer(end), pointer(data), pointer(end), pointer(rows), pointer(rows)
    )  # fmt: skip
    count = 0
    while place < page.size and count < len(rows):
        byte = page.data[place]
        if byte == _CLOSE_LIST:
            end[0] = place
            return count
        if byte == _COMMA or byte <= _SPACE:
            place += 1
            continue
        if byte != _OPEN:
            return -1
        start = place
        place, counts = _link(page, start + 1)
        if place < 0:
            return -1
        rows[count, 0], rows[count, 1] = start, place
        count += counts
    return -1


@inner
def _link(page: Page, place: int) -> tuple[int, bool]:
    """Return the place after a link, or -1 where it is no flat object, and whether it counts."""
    counts, key = False, 0
    while place < page.size:
        byte = page.data[place]
        if byte == _CLOSE:
            return place + 1, counts
        if byte in (_OPEN, _OPEN_LIST):
            return -1, False
        place += 1
        if byte == _QUOTE:
            stop = _end_of_string(page, place)
            length = stop - place
            if length == 8 and hash_of(page, place, stop) == _IMAGE:
                counts = True
            elif key == _REL:
                counts |= holds_name(page, place, stop, _LICENSE, _LICENSE_LENGTH)
            key = hash_of(page, place, stop) if length == 3 else 0
            place = stop + 1
    return -1, False


@inner
def _end_of_string(page: Page, start: int) -> int:
    """Return where the quote stands that ends a string: one with an even number of backslashes before it."""
    place = find(page, start, _QUOTE)
    while place < page.size:
        slashes = place
        while slashes > start and page.data[slashes - 1] == _BACKSLASH:
            slashes -= 1
        if (place - slashes) & 1 == 0:
            break
        place = find(page, place + 1, _QUOTE)
    return place
