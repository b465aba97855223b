"""A WAT record read by one compiled pass over its bytes: what `witbuild.web.wat` reads, as places and lengths.

Nothing is copied or parsed twice; the JSON is checked as it is passed over (witbuild.web.json_bytes). Whatever is not
as Common Crawl's own WATs are (white space between tokens, a key twice or with escapes, a value of another kind) makes
the record odd, and `witbuild.web.wat` is to be asked.

state    where the LEAVES stand, start and stop of each (-1: there is none), and IMAGES, ...: how many          int64
images   of each image: start and stop of url, alt, title, width, height (-1: there is none)               int32
notes    kind, and start and stop of two strings: metas and headers (name, content), licence links (rel, url)   int32

Notes of Open Graph (ogp.me) say which property in place of the name; they become images in the end.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.text.kernels import inner
from witbuild.web import usage
from witbuild.web.json_bytes import (
    BACKSLASH,
    CLOSE_LIST,
    COMMA,
    ODD,
    OPEN,
    OPEN_LIST,
    QUOTE,
    SPACE,
    after_value,
    eight_at,
    end_of_string,
    next_key,
    next_special,
)
from witbuild.web.page import MAX_IMAGES

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.int32]

FILENAME, OFFSET, LENGTH, TYPE, TARGET, STATUS, BASE = range(7)
_ROOT, _CONTAINER, _GZIP, _ENVELOPE, _HEADER, _PAYLOAD, _ANSWER, _MESSAGE, _HTML, _HEAD = range(7, 17)
_HEADERS, _METAS, _HEAD_LINKS, _LINKS = range(17, 21)
_LEAVES: Final = 7
_WAYS: Final = (
    (_ROOT, "Container", _CONTAINER),
    (_CONTAINER, "Filename", FILENAME),
    (_CONTAINER, "Offset", OFFSET),
    (_CONTAINER, "Gzip-Metadata", _GZIP),
    (_GZIP, "Deflate-Length", LENGTH),
    (_ROOT, "Envelope", _ENVELOPE),
    (_ENVELOPE, "WARC-Header-Metadata", _HEADER),
    (_HEADER, "WARC-Type", TYPE),
    (_HEADER, "WARC-Target-URI", TARGET),
    (_ENVELOPE, "Payload-Metadata", _PAYLOAD),
    (_PAYLOAD, "HTTP-Response-Metadata", _ANSWER),
    (_ANSWER, "Response-Message", _MESSAGE),
    (_MESSAGE, "Status", STATUS),
    (_ANSWER, "Headers", _HEADERS),
    (_ANSWER, "HTML-Metadata", _HTML),
    (_HTML, "Head", _HEAD),
    (_HEAD, "Base", BASE),
    (_HEAD, "Metas", _METAS),
    (_HEAD, "Link", _HEAD_LINKS),
    (_HTML, "Links", _LINKS),
)
"""What is looked at: in an object, under a key, what."""
IMAGES, GRAPH_IMAGES, NOTES, _SEEN = range(2 * _LEAVES, 2 * _LEAVES + 4)
LEAVES_SIZE: Final = 2 * _LEAVES + 4
_STACK: Final = 20
_ITEM: Final = 30
_NAMES: Final = ("path", "url", "alt", "title", "width", "height", "rel", "property", "name", "content")
_PATH, _URL, _ALT, _TITLE, _WIDTH, _HEIGHT, _REL, _PROPERTY, _NAME, _CONTENT = (
    _ITEM + 2 * place for place in range(len(_NAMES))
)
_ITEM_END: Final = _ITEM + 2 * len(_NAMES)
AGENT: Final = _ITEM_END
"""Where the `agent_number` is given."""
STATE_SIZE: Final = AGENT + 1
IMAGE_SIZE, NOTE_SIZE, MAX_NOTES = 10, 5, 4_096
GRAPH, META, HEADER, LICENCE, COMMONS, HEAD_LICENCE, HEAD_COMMONS = range(7)
"""Kinds of notes; what may be a licence in the end: the links of the body, then those of the head."""
_OG_SIZE: Final = len("og:")
_PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
_EIGHT: Final = 8
_CAPITAL: Final = 32
"""The bit by which a small letter differs from its capital."""


def key_number(name: str, fold: int = 0) -> int:
    """Return the number by which a key is known, see `key_of`."""
    value = 0
    for place, byte in enumerate(octet | fold for octet in name.encode()):
        mixed = (value >> 56) * int(_PRIME) if place >= _EIGHT else 0
        value = ((value << 8) ^ byte ^ mixed) & 0xFFFFFFFFFFFFFFFF
    return value


def agent_number(agent: str) -> np.int64:
    """Return the number by which meta tags are known that name a crawler; no tag's for none."""
    return np.uint64(key_number(agent, _CAPITAL)).astype(np.int64)


def _numbers(names: Iterable[str]) -> npt.NDArray[np.uint64]:
    return np.array([key_number(name) for name in names], np.uint64)


_PARENTS: Final = np.array([parent for parent, _, _ in _WAYS])
_KEYS: Final = _numbers(key for _, key, _ in _WAYS)
_CHILDREN: Final = np.array([child for _, _, child in _WAYS])
_FIELDS: Final = _numbers(_NAMES)
_SPOKEN: Final = _numbers(("robots", "x-robots-tag", "tdm-reservation", *sorted(usage.FIELDS)))
_OG: Final = _numbers(("og:",))[0]
_GRAPH: Final = _numbers(
    ("og:title", "og:image", "og:image:url", "og:image:alt", "og:image:width", "og:image:height")
)  # fmt: skip
_LICENSE: Final = _numbers(("license",))[0]
_LICENSE_SIZE, _L = len("license"), ord("l")
_PATH_KEY, _TEXT_KEY, _IMG, _A, _HTTPS, _CREATIVE, _URL_KEY, _REL_KEY, _ALT_KEY, _HTTP, _WWW = (
    np.uint64(int.from_bytes(one, "little"))
    for one in (
        b'"path":"', b'"text":"', b"IMG@/src", b'A@/href"', b"https://", b"creative", b'"url":"', b'"rel":"',
        b'"alt":"', b"http://", b"www.",
    )
)  # fmt: skip
"""What stands in most links, eight bytes or fewer as a number."""
_OG_TITLE, _, _OG_URL, _OG_ALT = range(4)
"""Places in _GRAPH."""
_SEVEN, _FOUR = np.uint64(0xFFFFFFFFFFFFFF), np.uint64(0xFFFFFFFF)
_ONES, _TOPS, _CAPITALS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080), np.uint64(0x2020202020202020)
_COMMONS: Final = np.frombuffer(b"https://www.creativecommons.org/", np.uint8)
_COMMONS_PARTS: Final = np.array([0, 4, 5, 6, 8, 12, len(_COMMONS)])


class Doc(NamedTuple):
    """Pointers to a record's bytes and to what is written, and where its JSON ends."""

    data: Bytes
    size: int
    state: Ints
    images: Rows
    notes: Rows


@inner
def key_of(data: Bytes, start: int, stop: int, fold: int) -> np.uint64:
    """Return the number by which a key is known: its bytes, mixed beyond eight; `fold` is 32 for small letters."""
    value = np.uint64(0)
    for place in range(start, min(start + _EIGHT, stop)):
        value = value << np.uint64(8) ^ np.uint64(data[place] | fold)
    for place in range(start + _EIGHT, stop):
        value = value << np.uint64(8) ^ np.uint64(data[place] | fold) ^ (value >> np.uint64(56)) * _PRIME
    return value


@inner
def has_byte(word: np.uint64, byte: int) -> bool:
    """Say whether one of a word's eight bytes is a byte (Hacker's Delight, 6-1)."""
    rest = word ^ np.uint64(byte) * _ONES
    return (rest - _ONES) & ~rest & _TOPS != np.uint64(0)


@inner
def _place_of(value: np.uint64, values: npt.NDArray[np.uint64]) -> int:
    for place in range(len(values)):
        if values[place] == value:
            return place
    return -1


@inner
def read(doc: Doc, place: int) -> int:
    """Read the JSON that begins at a place; return the place after it, or ODD."""
    state = doc.state
    for slot in range(2 * _LEAVES):
        state[slot] = -1
    state[IMAGES], state[NOTES], state[_SEEN] = 0, 0, 0
    depth, node, opener = 0, _ROOT, OPEN
    while True:
        place, start, stop = next_key(doc.data, place, doc.size, opener)
        if place < 0:
            return ODD
        opener = COMMA
        if start < 0:
            if depth == 0:
                return place
            depth -= 1
            node = state[_STACK + depth]
            continue
        child = _child(node, key_of(doc.data, start, stop, 0))
        if _ROOT < child <= _HEAD and _enter(doc, place, child, OPEN):
            state[_STACK + depth] = node
            depth, node, opener = depth + 1, child, OPEN
            continue
        place = _value(doc, place, child)
        if place < 0:
            return ODD


@inner
def _child(node: int, key: np.uint64) -> int:
    """Return what stands under a key of an object; -1: nothing that is looked at."""
    for way in range(len(_KEYS)):
        if _KEYS[way] == key and _PARENTS[way] == node:
            return _CHILDREN[way]
    return -1


@inner
def _enter(doc: Doc, place: int, node: int, opener: int) -> bool:
    """Say whether something stands at a place that begins as it should, and stood nowhere before."""
    seen = doc.state[_SEEN] >> node & 1 != 0
    doc.state[_SEEN] |= 1 << node
    return not seen and doc.data[place] == opener


@inner
def _value(doc: Doc, place: int, node: int) -> int:
    """Read a value that holds no others that are known by their keys; return the place after it, or ODD."""
    if node < 0:
        return after_value(doc.data, place, doc.size)
    if node < _LEAVES and _enter(doc, place, node, QUOTE):
        stop = end_of_string(doc.data, place + 1, doc.size)
        doc.state[2 * node], doc.state[2 * node + 1] = place + 1, stop
        return stop + 1 if stop >= 0 else ODD
    if node == _HEADERS and _enter(doc, place, node, OPEN):
        return _headers(doc, place)
    if node > _HEADERS and _enter(doc, place, node, OPEN_LIST):
        return _items(doc, place + 1, node)
    return ODD


@inner
def has_page(doc: Doc) -> bool:
    """Say whether a record that was read tells of a page of HTML."""
    return doc.state[_SEEN] >> _HTML & 1 != 0


@inner
def _headers(doc: Doc, place: int) -> int:
    """Note the headers that speak of rights."""
    data, opener = doc.data, OPEN
    while True:
        place, start, stop = next_key(data, place, doc.size, opener)
        if start < 0:
            return place
        opener, value = COMMA, place
        place = after_value(data, place, doc.size)
        if place < 0 or (start < stop and SPACE in (data[start], data[stop - 1])):
            return ODD
        spoken = _place_of(key_of(data, start, stop, _CAPITAL), _SPOKEN) >= 0
        if spoken and not (data[value] == QUOTE and _note(doc, HEADER, start, stop, value + 1, place - 1)):
            return ODD


@inner
def _items(doc: Doc, place: int, kind: int) -> int:
    """Read a list of objects from behind its bracket on."""
    if doc.data[place] == CLOSE_LIST:
        return place + 1
    while True:
        place = _item(doc, place)
        if place < 0 or not (_note_meta(doc) if kind == _METAS else _note_link(doc, kind)):
            return ODD
        byte = doc.data[place]
        if byte == CLOSE_LIST:
            return place + 1
        if byte != COMMA:
            return ODD
        place += 1


@inner
def _item(doc: Doc, place: int) -> int:
    """Find the strings of an object that are looked at."""
    data, state, size, opener = doc.data, doc.state, doc.size, OPEN
    for slot in range(_ITEM, _ITEM_END, 2):
        state[slot] = -1
    while True:
        place, slot = _key(data, place, size, opener)
        if slot < 0:
            return place
        opener = COMMA
        if data[place] != QUOTE:
            place = after_value(data, place, size) if slot == 0 else ODD
            if place < 0:
                return ODD
            continue
        start = place + 1
        end = end_of_string(data, start, size) if slot != _PATH else next_special(data, start, size)
        if end < 0 or data[end] != QUOTE or (slot > 0 and state[slot] >= 0):
            return ODD
        if slot > 0:
            state[slot], state[slot + 1] = start, end
        place = end + 1


@inner
def _key(data: Bytes, place: int, size: int, opener: int) -> tuple[int, int]:
    """Read a key of an object in a list: return where its value begins and its slot, 0: it is not looked at.

    Less than 0 in place of the slot: the object ends before the place, or that is ODD.
    """
    if data[place] == opener and place + 10 <= size:
        word = eight_at(data, place + 1)
        if word in (_PATH_KEY, _TEXT_KEY):
            return place + 8, _PATH if word == _PATH_KEY else 0
        word &= _SEVEN
        if word in (_URL_KEY, _ALT_KEY):
            return place + 7, _URL if word == _URL_KEY else _ALT
        if word == _REL_KEY:
            return place + 7, _REL
    place, start, stop = next_key(data, place, size, opener)
    if start < 0:
        return place, -1
    field = _place_of(key_of(data, start, stop, 0), _FIELDS)
    return place, _ITEM + 2 * field if field >= 0 else 0


@inner
def _note(doc: Doc, kind: int, start: int, stop: int, begin: int, end: int) -> bool:  # noqa: PLR0913, PLR0917
    """Note two strings; say whether there was room."""
    count, notes = doc.state[NOTES], doc.notes
    if count == MAX_NOTES:
        return False
    row = NOTE_SIZE * count
    notes[row], notes[row + 1], notes[row + 2], notes[row + 3], notes[row + 4] = kind, start, stop, begin, end
    doc.state[NOTES] = count + 1
    return True


@inner
def _note_meta(doc: Doc) -> bool:
    """Note a meta tag that speaks of rights or of an Open Graph image; False: it is odd."""
    data, state = doc.data, doc.state
    named = _PROPERTY if state[_PROPERTY] >= 0 and state[_PROPERTY] < state[_PROPERTY + 1] else _NAME
    start, stop = state[named], state[named + 1]
    if start < 0 or start == stop or state[_CONTENT] < 0:
        return True
    if next_special(data, start, doc.size) != stop or SPACE in (data[start], data[stop - 1]):
        return False
    graph = key_of(data, start, min(start + _OG_SIZE, stop), _CAPITAL) == _OG
    key = key_of(data, start, stop, _CAPITAL)
    place = _place_of(key, _GRAPH if graph else _SPOKEN)
    if place < 0 and np.int64(key) != state[AGENT]:
        return True
    graph &= place >= 0
    return _note(doc, GRAPH if graph else META, place if graph else start, stop, state[_CONTENT], state[_CONTENT + 1])


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


@inner
def _note_link(doc: Doc, kind: int) -> bool:
    """Note a link that is an image or may name a licence; False: it is odd."""
    data, state = doc.data, doc.state
    start, stop, url, end = state[_PATH], state[_PATH + 1], state[_URL], state[_URL + 1]
    rel, fine, head = state[_REL], True, 0 if kind == _LINKS else HEAD_LICENCE - LICENCE
    if rel >= 0 and url >= 0 and _holds_license(data, rel, state[_REL + 1]):
        fine = _note(doc, LICENCE + head, rel, state[_REL + 1], url, end)
    if start < 0 or start + 8 > doc.size:
        return fine
    path = eight_at(data, start)
    if path == _IMG and stop == start + 8 and kind == _LINKS:
        return fine and _note_image(doc)
    if path == _A and url >= 0 and _may_be_commons(data, url, doc.size):
        return fine and _note(doc, COMMONS + head, start, stop, url, end)
    return fine


@inner
def _note_image(doc: Doc) -> bool:
    count, state, images = doc.state[IMAGES], doc.state, doc.images
    if count == MAX_IMAGES:
        return False
    row = IMAGE_SIZE * count
    for place in range(IMAGE_SIZE):
        images[row + place] = state[_URL + place]
    state[IMAGES] = count + 1
    return True


@inner
def _holds_license(data: Bytes, start: int, stop: int) -> bool:
    """Say whether a value holds `license`, or a backslash, behind which it may."""
    for place in range(start, stop):
        byte = data[place]
        if byte == BACKSLASH:
            return True
        near = byte | _CAPITAL == _L and place + _LICENSE_SIZE <= stop
        if near and key_of(data, place, place + _LICENSE_SIZE, _CAPITAL) == _LICENSE:
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
    return word == _CREATIVE or has_byte(word, BACKSLASH | _CAPITAL)


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
        if byte | _CAPITAL != _COMMONS[i] | _CAPITAL:
            return False, False
    return True, False
