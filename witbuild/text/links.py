"""The links and addresses of wikitext: what of them is text, what goes. Part of `witbuild.text.wikitext`."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.text.blocks import OPEN, after_template, byte_at, marked
from witbuild.text.kernels import inner

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int64]

_NEWLINE, _SPACE, _UNDERSCORE, _HYPHEN, _SLASH = ord("\n"), ord(" "), ord("_"), ord("-"), ord("/")
_LEFT, _RIGHT, _COLON, _PIPE, _HASH, _QUOTE = ord("["), ord("]"), ord(":"), ord("|"), ord("#"), ord("'")
_LOWER_A, _LOWER_Z, _UPPER_A, _UPPER_Z = ord("a"), ord("z"), ord("A"), ord("Z")
_END_OF_URL = marked(bytes(range(33)) + b'\x7f<>"[]{}|')
_END_OF_TARGET = marked(b"|[]{}<>\n\x01\x02\x0b")
_HTTP, _HTTPS, _FTP = (np.frombuffer(name, np.uint8) for name in (b"http", b"https", b"ftp"))


class Names(NamedTuple):
    """Lower-case names end to end: `data` uint8, `offsets` int64 of shape (names + 1,)."""

    data: Bytes
    offsets: Offsets


@inner
def open_bracket(  # noqa: PLR0913, PLR0917 a kernel's state
    text: Bytes, place: int, stop: int, names: Names, out: Bytes, size: int
) -> tuple[int, int]:
    """Pass what a link does not show: its brackets, its target when it has a label, all of it for a file."""
    if byte_at(text, place + 1, stop) == _LEFT:
        return _after_link_start(text, place + 2, stop, names), size
    out[size] = _SPACE
    after = _after_url(text, place + 1, stop)
    return after if _is_url(text, place + 1, after) else place + 1, size + 1


@inner
def _after_link_start(text: Bytes, start: int, stop: int, names: Names) -> int:
    """Return where the text of a link starts, or the place after a link that has none; `start` follows ``[[``."""
    end, colon = start, -1
    while end < stop and not _END_OF_TARGET[text[end]]:
        if text[end] == _COLON and colon < 0:
            colon = end
        end += 1
    if colon > start and _is_media(text, start, colon, names):
        return _after_link(text, start, stop)
    if byte_at(text, end, stop) == _PIPE:
        return end + 1
    if byte_at(text, end, stop) == _RIGHT and _is_interwiki(text, start, colon, end):
        return end
    first = byte_at(text, start, stop)
    return start + 1 if first in (_COLON, _HASH) else start


@inner
def _is_media(text: Bytes, start: int, stop: int, names: Names) -> bool:
    while start < stop and text[start] == _SPACE:
        start += 1
    while start < stop and text[stop - 1] == _SPACE:
        stop -= 1
    for name in range(names.offsets.size - 1):
        first, last = names.offsets[name], names.offsets[name + 1]
        same = 0
        while same < min(last - first, stop - start) and _lower(text[start + same]) == names.data[first + same]:
            same += 1
        if same == last - first == stop - start:
            return True
    return False


@inner
def _lower(byte: int) -> int:
    if _UPPER_A <= byte <= _UPPER_Z:
        return byte + 32
    return _SPACE if byte == _UNDERSCORE else byte


@inner
def _is_interwiki(text: Bytes, start: int, colon: int, end: int) -> bool:
    if not 2 <= colon - start <= 12 or colon + 1 >= end or text[colon + 1] == _SPACE:
        return False
    while start < colon and (_LOWER_A <= text[start] <= _LOWER_Z or text[start] == _HYPHEN):
        start += 1
    return start == colon


@inner
def _after_link(text: Bytes, place: int, stop: int) -> int:
    """Return the place after a link, links in it included, or the blank line that ends it first."""
    depth = 1
    while place < stop:
        byte, following = text[place], byte_at(text, place + 1, stop)
        if byte == OPEN:
            place = after_template(text, place, stop)
        elif byte == _LEFT and following == _LEFT:
            depth += 1
            place += 2
        elif byte == _RIGHT and following == _RIGHT:
            depth -= 1
            place += 2
            if depth == 0:
                return place
        elif byte == _NEWLINE and following == _NEWLINE:
            return place
        else:
            place += 1
    return stop


@inner
def _after_url(text: Bytes, place: int, stop: int) -> int:
    while place < stop and not _END_OF_URL[text[place]]:
        if text[place] == _QUOTE and byte_at(text, place + 1, stop) == _QUOTE:
            return place
        place += 1
    return place


@inner
def _is_url(text: Bytes, start: int, stop: int) -> bool:
    """Say whether what stands in a bracket is an address: two slashes at its start or after a scheme."""
    place = start
    while place < stop and _LOWER_A <= (text[place] | 32) <= _LOWER_Z:
        place += 1
    if place > start:
        if place >= stop or text[place] != _COLON:
            return False
        place += 1
    return place + 1 < stop and text[place] == _SLASH and text[place + 1] == _SLASH


@inner
def colon_or_url(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Pass a bare address, whose scheme is taken back from `out`; any other colon is text."""
    if byte_at(text, place + 1, stop) == _SLASH and byte_at(text, place + 2, stop) == _SLASH:
        length = _scheme_length(text, place)
        if length:
            out[size - length] = _SPACE
            return _after_url(text, place, stop), size - length + 1
    out[size] = _COLON
    return place + 1, size + 1


@inner
def _scheme_length(text: Bytes, place: int) -> int:
    """Return how many bytes before a place are a scheme of the web by itself, or 0."""
    length = 0
    while length < min(place, 6) and _LOWER_A <= (text[place - 1 - length] | 32) <= _LOWER_Z:
        length += 1
    known = _is(text, place, length, _HTTPS) or _is(text, place, length, _HTTP) or _is(text, place, length, _FTP)
    return length if known else 0


@inner
def _is(text: Bytes, place: int, length: int, name: Bytes) -> bool:
    same = 0
    while same < min(length, name.size) and (text[place - length + same] | 32) == name[same]:
        same += 1
    return same == length == name.size
