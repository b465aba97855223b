"""A WAT record read by one compiled pass over its bytes: what `witbuild.web.wat` reads, as places and lengths.

Nothing is copied or parsed twice; the JSON is checked as it is passed over (witbuild.web.json_bytes). Whatever is not
as Common Crawl's own WATs are (white space between tokens, a key twice or with escapes, a value of another kind) makes
the record odd, and `witbuild.web.wat` is to be asked.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inner
from witbuild.web.json_bytes import (
    CLOSE_LIST,
    COMMA,
    ODD,
    OPEN,
    OPEN_LIST,
    QUOTE,
    SPACE,
    after_value,
    end_of_string,
    next_key,
    next_special,
)
from witbuild.web.markup import eight_at
from witbuild.web.wat_fields import (
    ALT,
    BASE,
    CAPITAL,
    FILENAME,
    HEADER,
    IMAGES,
    ITEM,
    ITEM_END,
    LEAVES,
    LENGTH,
    NAMES,
    NOTES,
    OFFSET,
    PATH,
    REL,
    SEEN,
    STACK,
    STATUS,
    TARGET,
    TYPE,
    URL,
    Doc,
    key_of,
    numbers,
    place_of,
)
from witbuild.web.wat_notes import SPOKEN, note, note_link, note_meta

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

_ROOT, _CONTAINER, _GZIP, _ENVELOPE, _HEADER, _PAYLOAD, _ANSWER, _MESSAGE, _HTML, _HEAD = range(7, 17)
_HEADERS, _METAS, _HEAD_LINKS, _LINKS = range(17, 21)
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
_PARENTS: Final = np.array([parent for parent, _, _ in _WAYS])
_KEYS: Final = numbers(key for _, key, _ in _WAYS)
_CHILDREN: Final = np.array([child for _, _, child in _WAYS])
_FIELDS: Final = numbers(NAMES)
_PATH_KEY, _TEXT_KEY, _URL_KEY, _REL_KEY, _ALT_KEY = (
    np.uint64(int.from_bytes(one, "little")) for one in (b'"path":"', b'"text":"', b'"url":"', b'"rel":"', b'"alt":"')
)
"""The keys of most links, eight bytes or fewer as a number."""
_SEVEN: Final = np.uint64(0xFFFFFFFFFFFFFF)


@inner
def read(doc: Doc, place: int) -> int:
    """Read the JSON that begins at a place; return the place after it, or ODD."""
    state = doc.state
    for slot in range(2 * LEAVES):
        state[slot] = -1
    state[IMAGES], state[NOTES], state[SEEN] = 0, 0, 0
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
            node = state[STACK + depth]
            continue
        child = _child(node, key_of(doc.data, start, stop, 0))
        if _ROOT < child <= _HEAD and _enter(doc, place, child, OPEN):
            state[STACK + depth] = node
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
    seen = doc.state[SEEN] >> node & 1 != 0
    doc.state[SEEN] |= 1 << node
    return not seen and doc.data[place] == opener


@inner
def _value(doc: Doc, place: int, node: int) -> int:
    """Read a value that holds no others that are known by their keys; return the place after it, or ODD."""
    if node < 0:
        return after_value(doc.data, place, doc.size)
    if node < LEAVES and _enter(doc, place, node, QUOTE):
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
    return doc.state[SEEN] >> _HTML & 1 != 0


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
        spoken = place_of(key_of(data, start, stop, CAPITAL), SPOKEN) >= 0
        if spoken and not (data[value] == QUOTE and note(doc, HEADER, start, stop, value + 1, place - 1)):
            return ODD


@inner
def _items(doc: Doc, place: int, kind: int) -> int:
    """Read a list of objects from behind its bracket on."""
    if doc.data[place] == CLOSE_LIST:
        return place + 1
    while True:
        place = _item(doc, place)
        if place < 0 or not (note_meta(doc) if kind == _METAS else note_link(doc, kind == _HEAD_LINKS)):
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
    for slot in range(ITEM, ITEM_END, 2):
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
        end = end_of_string(data, start, size) if slot != PATH else next_special(data, start, size)
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
            return place + 8, PATH if word == _PATH_KEY else 0
        word &= _SEVEN
        if word in (_URL_KEY, _ALT_KEY):
            return place + 7, URL if word == _URL_KEY else ALT
        if word == _REL_KEY:
            return place + 7, REL
    place, start, stop = next_key(data, place, size, opener)
    if start < 0:
        return place, -1
    field = place_of(key_of(data, start, stop, 0), _FIELDS)
    return place, ITEM + 2 * field if field >= 0 else 0
