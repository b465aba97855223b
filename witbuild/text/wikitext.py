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

from witbuild.text.blocks import OPEN, after_line, after_table, after_template, byte_at, mark_templates, marked
from witbuild.text.entities import entity
from witbuild.text.kernels import inner, kernel
from witbuild.text.links import Names, colon_or_url, open_bracket
from witbuild.text.tags import BREAK, strip_tags, tag_count

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int64]

MEDIA_NAMESPACES: Final = ("file", "image", "media", "category")
"""English names of the namespaces whose links show nothing of the text; a dump's header names the local ones."""

_NEWLINE, _SPACE, _LEFT, _RIGHT, _OPENING = ord("\n"), ord(" "), ord("["), ord("]"), ord("{")
_PIPE, _QUOTE, _AMPERSAND, _COLON, _UNDERSCORE = ord("|"), ord("'"), ord("&"), ord(":"), ord("_")
_UPPER_A, _UPPER_Z = ord("A"), ord("Z")
_ZERO: Any = np.int64(0)  # to numba a literal 0 has a type of its own: all that gets it is compiled once more


class Pages(NamedTuple):
    """Texts end to end: `data` uint8, `offsets` int64 of shape (pages + 1,)."""

    data: Bytes
    offsets: Offsets


class Room(NamedTuple):
    """Room to work in, enough for the longest page: its text, the places of its open braces, its missing tags."""

    text: Bytes
    stack: Offsets
    missing: Bytes


_SPECIAL = marked(b"\n\x01\x02\x0b[]{}|'&_:")
_LINE_MARKS = marked(b" \t*#:;")


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
            place = after_template(text, place, stop)
            out[size] = _NEWLINE
            size += 1
        elif byte == _LEFT:
            place, size = open_bracket(text, place, stop, names, out, size)
        elif byte == _RIGHT and byte_at(text, place + 1, stop) == _RIGHT:
            place += 2
        elif byte == _QUOTE:
            place, size = _quotes(text, place, stop, out, size)
        elif byte == _AMPERSAND:
            place, size = entity(text, place, stop, out, size)
        elif byte == _COLON:
            place, size = colon_or_url(text, place, stop, out, size)
        elif byte == _UNDERSCORE:
            place, size = _underscore(text, place, stop, out, size)
        else:
            out[size] = _SPACE
            size += 1
            place += 1
    return size


@inner
def _start_line(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int, bool]:
    """Pass list marks, a table or a table's debris; say whether the line's text is yet to be looked for."""
    while place < stop and _LINE_MARKS[text[place]]:
        place += 1
    if byte_at(text, place, stop) == _OPENING and byte_at(text, place + 1, stop) == _PIPE:
        out[size] = _NEWLINE
        return after_table(text, place, stop), size + 1, True
    if byte_at(text, place, stop) == _PIPE:
        return after_line(text, place, stop), size, True
    return place, size, place >= stop


@inner
def _quotes(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Pass the marks of bold and italics; a single apostrophe, or one too many, is text."""
    run = 0
    while byte_at(text, place + run, stop) == _QUOTE:
        run += 1
    shown = run - 5 if run > 5 else int(run in (1, 4))
    for _ in range(shown):
        out[size] = _QUOTE
        size += 1
    return place + run, size


@inner
def _underscore(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> tuple[int, int]:
    """Pass a behaviour switch such as ``__NOTOC__``; any other underscore is text."""
    if byte_at(text, place + 1, stop) == _UNDERSCORE:
        end = place + 2
        while _UPPER_A <= byte_at(text, end, stop) <= _UPPER_Z:
            end += 1
        if end > place + 2 and byte_at(text, end, stop) == _UNDERSCORE and byte_at(text, end + 1, stop) == _UNDERSCORE:
            return end + 2, size
    out[size] = _UNDERSCORE
    return place + 1, size + 1
