"""Wikitext to plain text, in time linear in its length whatever it holds.

Three passes over bytes, each a numba kernel:

    tags         comments go; so do tags, and of some (ref, math, ...) all that they enclose
    braces       every template call that is closed is marked; an unclosed one is text, as in MediaWiki
    render       templates, tables, file and category links, URLs go; of other links the words stay

What stays is one line a paragraph, heading, list item or line break. A template, table or formula leaves a line
break too, so that words from its two sides are not neighbours; a reference leaves a space; bold, italics and
links leave nothing (``[[dog]]s`` is ``dogs``). Where the markup is broken, the loss is bounded:

- a table ends at its ``|}``, or at the next heading when that is missing; a line that starts with ``|`` outside
  a table is debris of one and goes
- a file or category link ends at its ``]]``, or at the next blank line
- a link without a label whose target has a lower-case prefix (``[[fr:Chien]]``) leads to another wiki and goes

The plain reference for all of this is tests/text/reference_wikitext.py.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np

from witbuild.text.entities import entity
from witbuild.text.kernels import inner, kernel
from witbuild.text.tags import BREAK, strip_tags, tag_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int64]

MEDIA_NAMESPACES: Final = ("file", "image", "media", "category")
"""English names of the namespaces whose links show nothing of the text; a dump's header names the local ones."""

OPEN: Final = 1
"""Marks each byte of the ``{{`` of a template call that is closed; XML does not allow this character."""
CLOSE: Final = 2
"""Marks each byte of the ``}}`` of such a call."""

_NEWLINE, _SPACE, _TAB = ord("\n"), ord(" "), ord("\t")
_LEFT, _RIGHT, _COLON, _PIPE, _HASH = ord("["), ord("]"), ord(":"), ord("|"), ord("#")
_OPENING, _CLOSING, _EQUALS, _QUOTE = ord("{"), ord("}"), ord("="), ord("'")
_AMPERSAND, _UNDERSCORE, _SLASH, _HYPHEN = ord("&"), ord("_"), ord("/"), ord("-")
_ZERO: Any = np.int64(0)  # to numba a literal 0 has a type of its own: all that gets it is compiled once more
_LOWER_A, _LOWER_Z, _UPPER_A, _UPPER_Z = ord("a"), ord("z"), ord("A"), ord("Z")


class Pages(NamedTuple):
    """Texts end to end: `data` uint8, `offsets` int64 of shape (pages + 1,)."""

    data: Bytes
    offsets: Offsets


class Names(NamedTuple):
    """Lower-case names end to end: `data` uint8, `offsets` int64 of shape (names + 1,)."""

    data: Bytes
    offsets: Offsets


class Room(NamedTuple):
    """Room to work in, enough for the longest page: its text, the places of its open braces, its missing tags."""

    text: Bytes
    stack: Offsets
    missing: Bytes


def _table(characters: bytes) -> Bytes:
    out = np.zeros(256, np.uint8)
    out[list(characters)] = 1
    return out


_SPECIAL = _table(b"\n\x01\x02\x0b[]{}|'&_:")
_LINE_MARKS = _table(b" \t*#:;")
_END_OF_URL = _table(bytes(range(33)) + b'\x7f<>"[]{}|')
_END_OF_TARGET = _table(b"|[]{}<>\n\x01\x02\x0b")
_HTTP, _HTTPS, _FTP = (np.frombuffer(name, np.uint8) for name in (b"http", b"https", b"ftp"))


def pack(texts: Iterable[bytes]) -> Pages:
    """Put texts end to end."""
    parts = list(texts)
    offsets = np.concatenate([np.zeros(1, np.int64), np.cumsum([len(part) for part in parts], dtype=np.int64)])
    return Pages(np.frombuffer(b"".join(parts) + b"\0", np.uint8)[:-1], offsets)


def media_names(local: Sequence[str] = ()) -> Names:
    """Return the names of the namespaces whose links go: the English ones and those of a dump's header."""
    given = [name.replace("_", " ") for name in (*MEDIA_NAMESPACES, *local) if name]
    forms = dict.fromkeys(form for name in given for form in (_ascii_lower(name), _ascii_lower(name.lower())))
    return Names(*pack(form.encode() for form in forms))


def _ascii_lower(text: str) -> str:
    return "".join(char.lower() if char.isascii() else char for char in text)


def plain_text(wikitext: str, media: Names | None = None) -> str:
    r"""Return the text of one page.

    Example:
        >>> plain_text("'''Dogs'''{{cn}} and [[cat]]s<ref>x</ref> are [[Pet|pets]].")
        'Dogs\n and cats  are pets.\n'
    """
    out = plain_texts(pack([wikitext.encode()]), media or media_names())
    return out.data.tobytes().decode()


def plain_texts(pages: Pages, media: Names) -> Pages:
    """Return the plain text of each page; each ends with a line break."""
    sizes = np.diff(pages.offsets)
    longest = int(sizes.max(initial=0)) + 1
    room = Room(np.empty(longest, np.uint8), np.empty(longest // 2 + 1, np.int64), np.empty(tag_count(), np.uint8))
    out, offsets = np.empty(pages.data.size + len(sizes), np.uint8), np.zeros(len(sizes) + 1, np.int64)
    _plain_texts(pages, media, room, out, offsets)
    return Pages(out[: offsets[-1]], offsets)


@kernel
def _plain_texts(pages: Pages, media: Names, room: Room, out: Bytes, offsets: Offsets) -> None:
    size = _ZERO
    for page in range(pages.offsets.size - 1):
        stop = strip_tags(pages.data, pages.offsets[page], pages.offsets[page + 1], room.text, room.missing)
        mark_templates(room.text, stop, room.stack)
        size = render(room.text, stop, media, out, size)
        out[size] = _NEWLINE
        size += 1
        offsets[page + 1] = size


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
def render(text: Bytes, stop: int, names: Names, out: Bytes, size: int) -> int:  # noqa: C901, PLR0912 one automaton
    """Write what is plain text of `text[:stop]` to `out` from `size` on; return its new size."""
    place = _ZERO
    fresh = True
    while place < stop:
        if fresh:
            fresh = False
            place, size, done = _start_line(text, place, stop, out, size)
            if done:
                continue
        byte = text[place]
        if not _SPECIAL[byte]:
            out[size] = byte
            size += 1
            place += 1
        elif byte in (_NEWLINE, BREAK):
            out[size] = _NEWLINE
            size += 1
            place += 1
            fresh = byte == _NEWLINE
        elif byte == OPEN:
            place = _after_template(text, place, stop)
            out[size] = _NEWLINE
            size += 1
        elif byte == _LEFT:
            place, size = _open_bracket(text, place, stop, names, out, size)
        elif byte == _RIGHT and _at(text, place + 1, stop) == _RIGHT:
            place += 2
        elif byte == _QUOTE:
            place, size = _quotes(text, place, stop, out, size)
        elif byte == _AMPERSAND:
            place, size = entity(text, place, stop, out, size)
        elif byte == _COLON:
            place, size = _colon(text, place, stop, out, size)
        elif byte == _UNDERSCORE:
            place, size = _underscore(text, place, stop, out, size)
        else:
            out[size] = _SPACE
            size += 1
            place += 1
    return size


@inner
def _at(text: Bytes, place: int, stop: int) -> int:
    return int(text[place]) if place < stop else 0


@inner
def _start_line(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int, bool]:
    """Pass list marks, a table or a table's debris; say whether the line's text is yet to be looked for."""
    while place < stop and _LINE_MARKS[text[place]]:
        place += 1
    if _at(text, place, stop) == _OPENING and _at(text, place + 1, stop) == _PIPE:
        out[size] = _NEWLINE
        return _after_table(text, place, stop), size + 1, True
    if _at(text, place, stop) == _PIPE:
        return _after_line(text, place, stop), size, True
    return place, size, place >= stop


@inner
def _after_template(text: Bytes, place: int, stop: int) -> int:
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
def _after_line(text: Bytes, place: int, stop: int) -> int:
    while place < stop and text[place] != _NEWLINE:
        place = _after_template(text, place, stop) if text[place] == OPEN else place + 1
    return place


@inner
def _after_table(text: Bytes, place: int, stop: int) -> int:
    depth = 1
    place += 2
    while place < stop:
        if text[place] == OPEN:
            place = _after_template(text, place, stop)
            continue
        if text[place] != _NEWLINE:
            place += 1
            continue
        if _at(text, place + 1, stop) == _EQUALS and _at(text, place + 2, stop) == _EQUALS:
            return place
        place += 1
        while place < stop and text[place] in (_SPACE, _TAB, _COLON):
            place += 1
        first, second = _at(text, place, stop), _at(text, place + 1, stop)
        if first == _OPENING and second == _PIPE:
            depth += 1
            place += 2
        elif first == _PIPE and second == _CLOSING:
            depth -= 1
            place += 2
            if depth == 0:
                return place
    return stop


@inner
def _open_bracket(  # noqa: PLR0913, PLR0917 a kernel's state
    text: Bytes, place: int, stop: int, names: Names, out: Bytes, size: int
) -> tuple[int, int]:
    """Pass what a link does not show: its brackets, its target when it has a label, all of it for a file."""
    if _at(text, place + 1, stop) == _LEFT:
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
    if _at(text, end, stop) == _PIPE:
        return end + 1
    if _at(text, end, stop) == _RIGHT and _is_interwiki(text, start, colon, end):
        return end
    first = _at(text, start, stop)
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
        byte, following = text[place], _at(text, place + 1, stop)
        if byte == OPEN:
            place = _after_template(text, place, stop)
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
        if text[place] == _QUOTE and _at(text, place + 1, stop) == _QUOTE:
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
def _quotes(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Pass the marks of bold and italics; a single apostrophe, or one too many, is text."""
    run = 0
    while _at(text, place + run, stop) == _QUOTE:
        run += 1
    shown = run - 5 if run > 5 else int(run in (1, 4))
    for _ in range(shown):
        out[size] = _QUOTE
        size += 1
    return place + run, size


@inner
def _colon(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Pass a bare address, whose scheme is taken back from `out`; any other colon is text."""
    if _at(text, place + 1, stop) == _SLASH and _at(text, place + 2, stop) == _SLASH:
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


@inner
def _underscore(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Pass a behaviour switch such as ``__NOTOC__``; any other underscore is text."""
    if _at(text, place + 1, stop) == _UNDERSCORE:
        end = place + 2
        while _UPPER_A <= _at(text, end, stop) <= _UPPER_Z:
            end += 1
        if end > place + 2 and _at(text, end, stop) == _UNDERSCORE and _at(text, end + 1, stop) == _UNDERSCORE:
            return end + 2, size
    out[size] = _UNDERSCORE
    return place + 1, size + 1
