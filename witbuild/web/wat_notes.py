"""What a WAT record says, noted by a compiled pass: metas, headers, images, links that may name a licence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner
from witbuild.web import usage
from witbuild.web.json_bytes import BACKSLASH, SPACE, next_special
from witbuild.web.markup import eight_at
from witbuild.web.page import MAX_IMAGES
from witbuild.web.wat_fields import (
    AGENT,
    CAPITAL,
    COMMONS,
    CONTENT,
    GRAPH,
    GRAPH_IMAGES,
    HEAD_LICENCE,
    IMAGE_SIZE,
    IMAGES,
    LICENCE,
    MAX_NOTES,
    META,
    NAME,
    NOTE_SIZE,
    NOTES,
    PATH,
    PROPERTY,
    REL,
    URL,
    Doc,
    has_byte,
    key_of,
    numbers,
    place_of,
)

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

SPOKEN: Final = numbers(("robots", "x-robots-tag", "tdm-reservation", *sorted(usage.FIELDS)))
"""Names of headers and meta tags that speak of rights, in small letters."""
_OG: Final = numbers(("og:",))[0]
_OG_SIZE: Final = len("og:")
_GRAPH: Final = numbers(
    ("og:title", "og:image", "og:image:url", "og:image:alt", "og:image:width", "og:image:height")
)  # fmt: skip
_OG_TITLE, _, _OG_URL, _OG_ALT = range(4)
"""Places in _GRAPH."""
_LICENSE: Final = numbers(("license",))[0]
_LICENSE_SIZE, _L = len("license"), ord("l")
IMAGE_PATH, LINK_PATH, _HTTPS, _CREATIVE, _HTTP, _WWW = (
    np.uint64(int.from_bytes(one, "little"))
    for one in (b"IMG@/src", b'A@/href"', b"https://", b"creative", b"http://", b"www.")
)
"""Eight bytes or fewer as a number."""
_SEVEN, _FOUR = np.uint64(0xFFFFFFFFFFFFFF), np.uint64(0xFFFFFFFF)
_CAPITALS: Final = np.uint64(0x2020202020202020)
_COMMONS: Final = np.frombuffer(b"https://www.creativecommons.org/", np.uint8)
_COMMONS_PARTS: Final = np.array([0, 4, 5, 6, 8, 12, len(_COMMONS)])


@inner
def note(doc: Doc, kind: int, start: int, stop: int, begin: int, end: int) -> bool:  # noqa: PLR0913, PLR0917
    """Note two strings; say whether there was room."""
    count, notes = doc.state[NOTES], doc.notes
    if count == MAX_NOTES:
        return False
    row = NOTE_SIZE * count
    notes[row], notes[row + 1], notes[row + 2], notes[row + 3], notes[row + 4] = kind, start, stop, begin, end
    doc.state[NOTES] = count + 1
    return True


@inner
def note_meta(doc: Doc) -> bool:
    """Note a meta tag that speaks of rights or of an Open Graph image; False: it is odd."""
    data, state = doc.data, doc.state
    named = PROPERTY if state[PROPERTY] >= 0 and state[PROPERTY] < state[PROPERTY + 1] else NAME
    start, stop = state[named], state[named + 1]
    if start < 0 or start == stop or state[CONTENT] < 0:
        return True
    if next_special(data, start, doc.size) != stop or SPACE in (data[start], data[stop - 1]):
        return False
    graph = key_of(data, start, min(start + _OG_SIZE, stop), CAPITAL) == _OG
    key = key_of(data, start, stop, CAPITAL)
    place = place_of(key, _GRAPH if graph else SPOKEN)
    if place < 0 and np.int64(key) != state[AGENT]:
        return True
    graph &= place >= 0
    return note(doc, GRAPH if graph else META, place if graph else start, stop, state[CONTENT], state[CONTENT + 1])


@inner
def note_link(doc: Doc, head: bool) -> bool:  # noqa: FBT001
    """Note a link, of the head or not, that is an image or may name a licence; False: it is odd."""
    data, state = doc.data, doc.state
    start, stop, url, end = state[PATH], state[PATH + 1], state[URL], state[URL + 1]
    rel, fine, where = state[REL], True, HEAD_LICENCE - LICENCE if head else 0
    if rel >= 0 and url >= 0 and _holds_license(data, rel, state[REL + 1]):
        fine = note(doc, LICENCE + where, rel, state[REL + 1], url, end)
    if start < 0 or start + 8 > doc.size:
        return fine
    path = eight_at(data, start)
    if path == IMAGE_PATH and stop == start + 8 and not head:
        return fine and _note_image(doc)
    if path == LINK_PATH and url >= 0 and _may_be_commons(data, url, doc.size):
        return fine and note(doc, COMMONS + where, start, stop, url, end)
    return fine


@inner
def _note_image(doc: Doc) -> bool:
    count, state, images = doc.state[IMAGES], doc.state, doc.images
    if count == MAX_IMAGES:
        return False
    row = IMAGE_SIZE * count
    for place in range(IMAGE_SIZE):
        images[row + place] = state[URL + place]
    state[IMAGES] = count + 1
    return True


@inner
def _holds_license(data: Bytes, start: int, stop: int) -> bool:
    """Say whether a value holds `license`, or a backslash, behind which it may."""
    for place in range(start, stop):
        byte = data[place]
        if byte == BACKSLASH:
            return True
        near = byte | CAPITAL == _L and place + _LICENSE_SIZE <= stop
        if near and key_of(data, place, place + _LICENSE_SIZE, CAPITAL) == _LICENSE:
            return True
    return False


@inner
def _may_be_commons(data: Bytes, place: int, size: int) -> bool:
    """Say whether a string may be an address of Creative Commons: true where white space or escapes hide that."""
    if place + 32 > size:
        return _resembles_commons(data, place)
    word = eight_at(data, place) | _CAPITALS
    if word == _HTTPS:
        place += 8
    elif word & _SEVEN == _HTTP:
        place += 7
    else:
        return _resembles_commons(data, place)
    word = eight_at(data, place) | _CAPITALS
    if word & _FOUR == _WWW:
        word = eight_at(data, place + 4) | _CAPITALS
    return word == _CREATIVE or has_byte(word, BACKSLASH | CAPITAL)


@inner
def _resembles_commons(data: Bytes, place: int) -> bool:
    """Say the same, byte by byte."""
    if data[place] <= SPACE or data[place] > 126 or data[place] == BACKSLASH:
        return True
    for part in range(len(_COMMONS_PARTS) - 1):
        same, hidden = _like(data, place, _COMMONS_PARTS[part], _COMMONS_PARTS[part + 1])
        if hidden:
            return True
        if same:
            place += _COMMONS_PARTS[part + 1] - _COMMONS_PARTS[part]
        elif part in (3, 5):  # the slashes and the name must be there; scheme and `www.` need not
            return False
    return True


@inner
def _like(data: Bytes, place: int, start: int, stop: int) -> tuple[bool, bool]:
    """Say whether a piece of the pattern stands at a place, and whether a backslash hides what stands there."""
    for i in range(start, stop):
        byte = data[place + i - start]
        if byte == BACKSLASH:
            return False, True
        if byte | CAPITAL != _COMMONS[i] | CAPITAL:
            return False, False
    return True, False


@inner
def add_graph(doc: Doc) -> bool:
    """Add the Open Graph images to the others, as `witbuild.web.html.og_images` finds them; False: they are odd."""
    state, notes, title, row = doc.state, doc.notes, -1, -1
    state[GRAPH_IMAGES] = 0
    for note in range(0, NOTE_SIZE * state[NOTES], NOTE_SIZE):
        if notes[note] != GRAPH:
            continue
        what, start, stop = notes[note + 1], notes[note + 3], notes[note + 4]
        if what == _OG_TITLE:
            title = note + 3 if title < 0 or notes[title] == notes[title + 1] else title
        elif what > _OG_URL:
            slot = row + 2 * (what - _OG_URL) + (2 if what > _OG_ALT else 0)
            if row >= 0 and doc.images[slot] < 0:
                doc.images[slot], doc.images[slot + 1] = start, stop
        elif row < 0 or not _same(doc.data, doc.images[row], doc.images[row + 1], start, stop):
            if _holds_backslash(doc.data, start, stop) or not _new_image(doc, start, stop):
                return False
            row = IMAGE_SIZE * (state[IMAGES] + state[GRAPH_IMAGES] - 1)
    _entitle(doc, title)
    _leave_others(doc)
    return True


@inner
def _leave_others(doc: Doc) -> None:
    """Leave the notes that are not of Open Graph."""
    kept = 0
    for note in range(0, NOTE_SIZE * doc.state[NOTES], NOTE_SIZE):
        if doc.notes[note] != GRAPH:
            for slot in range(NOTE_SIZE):
                doc.notes[kept + slot] = doc.notes[note + slot]
            kept += NOTE_SIZE
    doc.state[NOTES] = kept // NOTE_SIZE


@inner
def _new_image(doc: Doc, start: int, stop: int) -> bool:
    """Add an image with an address and nothing else; say whether there was room."""
    row = IMAGE_SIZE * (doc.state[IMAGES] + doc.state[GRAPH_IMAGES])
    if row == IMAGE_SIZE * MAX_IMAGES:
        return False
    for slot in range(row, row + IMAGE_SIZE):
        doc.images[slot] = -1
    doc.images[row], doc.images[row + 1] = start, stop
    doc.state[GRAPH_IMAGES] += 1
    return True


@inner
def _entitle(doc: Doc, title: int) -> None:
    """Give the Open Graph images without a text of their own that of the note at a place, if there is one."""
    first = IMAGE_SIZE * doc.state[IMAGES]
    for row in range(first, first + IMAGE_SIZE * doc.state[GRAPH_IMAGES], IMAGE_SIZE):
        if title >= 0 and doc.images[row + 2] == doc.images[row + 3]:
            doc.images[row + 2], doc.images[row + 3] = doc.notes[title], doc.notes[title + 1]


@inner
def _same(data: Bytes, start: int, stop: int, other: int, end: int) -> bool:
    if stop - start != end - other:
        return False
    for place in range(stop - start):  # noqa: SIM110 a generator is not compiled
        if data[start + place] != data[other + place]:
            return False
    return True


@inner
def _holds_backslash(data: Bytes, start: int, stop: int) -> bool:
    for place in range(start, stop):  # noqa: SIM110 a generator is not compiled
        if data[place] == BACKSLASH:
            return True
    return False
