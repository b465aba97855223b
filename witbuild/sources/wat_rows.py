"""The pairs of a WAT record as rows: one compiled pass reads, resolves and cleans them.

What a row says is what `witbuild.sources.candidates` would make of the image. Where a record or one of its images is
unusual, nothing of it is written, and the record is for `witbuild.web.wat` and the candidates to read.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.sources.wat_buffers import (
    BAD_URL,
    BASE_END,
    BLOCK,
    DATA_URL,
    LENGTH,
    MAX_TEXT_BYTES,
    MOST_TEXTS,
    NO_CAPTION,
    NO_URL,
    OFFSET,
    PAGE_END,
    PAGES,
    ROOM,
    ROWS,
    TEXT,
    Room,
    bytes_at,
    ints_at,
    rows_at,
)
from witbuild.text.kernels import copied, inner, kernel
from witbuild.web import rows as row
from witbuild.web import warc_bytes, wat_bytes, wat_fields
from witbuild.web.caption_bytes import MAX_BYTES, clean_into
from witbuild.web.json_bytes import SPACE, next_special, unescape
from witbuild.web.markup import pointer
from witbuild.web.resolve import NONE, absolute_into, parts_of, resolve_into
from witbuild.web.rows import NO_PIXELS, ROW_SIZE
from witbuild.web.wat_fields import GRAPH_IMAGES, IMAGE_SIZE, IMAGES, Doc, key_number, key_of
from witbuild.web.wat_notes import add_graph

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.int32]

NOTHING, TOLD, ODD, UNUSUAL = range(4)
"""What came of a member: no pairs; some; JSON for a parser; a record for `witbuild.web.warc`."""
_AMISS: Final = -100
"""An image is odd; less than any reason of a loss."""
_OG: Final = row.SOURCES.index("og")
_TEXTS, _WIDTH, _HEIGHT = 2, 6, 8
"""Where in what is known of an image texts and lengths begin, behind the address."""
_SCHEME_BYTES: Final = len("data:")
_LONGEST: Final = 3_900
"""A longer address or text is unusual; the rooms for what it says are larger."""
_PLACE_DIGITS, _PIXEL_DIGITS, _PIXEL_BYTES = 15, 9, 32
_RESPONSE, _DATA = np.uint64(key_number("response")), np.uint64(key_number("data:"))
_OK, _NON_AUTHORITATIVE = np.uint64(key_number("200")), np.uint64(key_number("203"))
_DELETE: Final = 0x7F
_ZERO, _NINE, _DOT, _PLUS, _P, _X = (ord(char) for char in "09.+px")


@kernel
def gather(content: bytes, addresses: Ints) -> int:
    """Read a member of an archive: the bytes of one whole record; say what came of it.

    Args:
        content: of the member.
        addresses: of the buffers, see `addresses_of`: as arrays they would take longer than a small record.
    """
    a, data, size = addresses, pointer(content), len(content)
    told = ints_at(a[0])
    kind, block = warc_bytes.block_of(data, size)
    if kind != warc_bytes.METADATA:
        return NOTHING if kind == warc_bytes.OTHER else UNUSUAL
    told[BLOCK] = block
    stop = size - warc_bytes.END
    doc = Doc(data, stop, ints_at(a[6]), rows_at(a[7]), rows_at(a[8]))
    end = wat_bytes.read(doc, block)
    if end < 0 or not _is_blank(data, end, stop) or not add_graph(doc):
        return ODD
    judged = _judged(doc)
    if judged != TOLD:
        return judged
    room = Room(
        told, ints_at(a[1]), rows_at(a[2]), bytes_at(a[3]), bytes_at(a[4]), bytes_at(a[5]), bytes_at(a[9]),
        ints_at(a[10]),
    )  # fmt: skip
    if not _place(doc, room.told) or not _page(doc, room):
        return ODD
    return _images(doc, room)


@inner
def _is_blank(data: Bytes, start: int, stop: int) -> bool:
    for place in range(start, stop):  # noqa: SIM110 a generator is not compiled
        if data[place] not in (9, 10, 13, SPACE):
            return False
    return True


@inner
def _judged(doc: Doc) -> int:
    """Say whether the record tells of a page that was answered."""
    data, state = doc.data, doc.state
    kind, kind_end = state[2 * wat_fields.TYPE], state[2 * wat_fields.TYPE + 1]
    status, end = state[2 * wat_fields.STATUS], state[2 * wat_fields.STATUS + 1]
    if kind < 0 or not wat_bytes.has_page(doc):
        return NOTHING
    if key_of(data, kind, kind_end, 0) != _RESPONSE:
        return NOTHING if next_special(data, kind, doc.size) == kind_end else ODD
    if status < 0:
        return NOTHING
    if next_special(data, status, doc.size) != end or end - status > 3:
        return ODD
    code = key_of(data, status, end, 0)
    return TOLD if code in (_OK, _NON_AUTHORITATIVE) else NOTHING


@inner
def _place(doc: Doc, told: Ints) -> bool:
    """Read where the page lies in its WARC; False: it is odd."""
    state = doc.state
    name, end = state[2 * wat_fields.FILENAME], state[2 * wat_fields.FILENAME + 1]
    if not 0 <= name < end or next_special(doc.data, name, doc.size) != end or not SPACE < doc.data[name] < _DELETE:
        return False
    for leaf, slot in ((wat_fields.OFFSET, OFFSET), (wat_fields.LENGTH, LENGTH)):
        start, stop = state[2 * leaf], state[2 * leaf + 1]
        if start >= 0 and next_special(doc.data, start, doc.size) != stop:
            return False
        told[slot] = _whole_number(doc.data, start, stop, _PLACE_DIGITS) if start >= 0 else -1
    return True


@inner
def _whole_number(data: Bytes, start: int, stop: int, digits: int) -> int:
    """Return a number of so many digits at most; -1: it is none."""
    value = 0
    for place in range(start, min(stop, start + digits)):
        if not _ZERO <= data[place] <= _NINE:
            return -1
        value = 10 * value + data[place] - _ZERO
    return value if 0 < stop - start <= digits else -1


@inner
def _page(doc: Doc, room: Room) -> bool:
    """Write address and base of the page; False: one is odd."""
    state, told, parts = doc.state, room.told, room.parts
    scratch, page, base = room.scratch, room.page, room.base
    start, stop = state[2 * wat_fields.TARGET], state[2 * wat_fields.TARGET + 1]
    if start < 0 or stop - start > _LONGEST:
        return False
    end = absolute_into(scratch, 0, unescape(doc.data, start, stop, scratch, 0), page, 0)
    if end < 0:
        return False
    told[PAGE_END], size = end, NONE
    start, stop = state[2 * wat_fields.BASE], state[2 * wat_fields.BASE + 1]
    if 0 <= start < stop:
        if stop - start > _LONGEST:
            return False
        parts_of(page, end, parts)
        size = resolve_into(scratch, 0, unescape(doc.data, start, stop, scratch, 0), page, parts, base, 0)
    if size == NONE:
        size = copied(page, 0, end, base, 0)
    told[BASE_END] = size
    parts_of(base, size, parts)
    return size >= 0


@inner
def _images(doc: Doc, room: Room) -> int:
    """Write the rows of a page's images, and count those that have none."""
    told, losses = room.told, room.losses
    for reason in range(NO_URL, NO_CAPTION + 1):
        losses[reason] = 0
    count, at = told[ROWS], told[TEXT]
    for number in range(doc.state[IMAGES] + doc.state[GRAPH_IMAGES]):
        if at + 2 * ROOM > MAX_TEXT_BYTES:
            return ODD
        rows, at = _image(doc, room, number, count, at)
        if rows < 0:
            return ODD
        count += rows
    for reason in range(NO_URL, NO_CAPTION + 1):
        told[reason] += losses[reason]
    if count == told[ROWS]:
        return NOTHING
    told[ROWS], told[TEXT], told[PAGES] = count, at, told[PAGES] + 1
    return TOLD


@inner
def _image(doc: Doc, room: Room, number: int, first: int, at: int) -> tuple[int, int]:
    """Write the rows of an image from a row on, their text from a place on; return how many, or _AMISS, and its end."""
    image, graph = IMAGE_SIZE * number, number >= doc.state[IMAGES]
    if graph and doc.images[image + _TEXTS] == doc.images[image + _TEXTS + 1]:
        return 0, at
    end = _address(doc, room, image, at)
    if end == _AMISS:
        return _AMISS, at
    if end < 0:
        if graph and not _says_something(doc, room, image, at):
            return _AMISS, at
        room.losses[-end] += not graph or end != -NO_URL
        return 0, at
    rows, last = _captions(doc, room, image, first, at, end)
    if graph:
        room.rows[ROW_SIZE * first + row.SOURCE] = _OG
        return rows if rows > 0 else _AMISS, last
    room.losses[NO_CAPTION] += rows == 0
    return rows, last


@inner
def _says_something(doc: Doc, room: Room, image: int, at: int) -> bool:
    """Say whether the first text of an image is one for sure; nothing is written that stays."""
    begin, stop = doc.images[image + _TEXTS], doc.images[image + _TEXTS + 1]
    if stop - begin > MAX_BYTES:
        return False
    size = unescape(doc.data, begin, stop, room.scratch, 0)
    last, _ = clean_into(room.scratch, 0, size, room.text, at)
    return last > at


@inner
def _address(doc: Doc, room: Room, image: int, at: int) -> int:
    """Write the address of an image; return where it ends, or less than 0: why there is none, or _AMISS."""
    start, stop = doc.images[image], doc.images[image + 1]
    scratch = room.scratch
    cut = stop - start > _LONGEST
    end = unescape(doc.data, start, start + _SCHEME_BYTES if cut else stop, scratch, 0) if start >= 0 else 0
    first = 0
    while first < end and _is_space(scratch[first]):
        first += 1
    while end > first and _is_space(scratch[end - 1]):
        end -= 1
    if first == end:
        return _AMISS if cut else -NO_URL
    if scratch[first] > 127 or scratch[end - 1] > 127:  # there may be white space beyond ASCII
        return _AMISS
    is_data = end - first >= _SCHEME_BYTES and key_of(scratch, first, first + _SCHEME_BYTES, 32) == _DATA
    if cut:
        return -DATA_URL if is_data else _AMISS
    found = resolve_into(scratch, first, end, room.base, room.parts, room.text, at)
    if found == NONE:
        return -DATA_URL if is_data else -BAD_URL
    return found if found >= 0 else _AMISS


@inner
def _is_space(byte: int) -> bool:
    """Say whether a byte is white space to Python."""
    return 9 <= byte <= 13 or 28 <= byte <= SPACE


@inner
def _captions(doc: Doc, room: Room, image: int, first: int, start: int, at: int) -> tuple[int, int]:  # noqa: PLR0913, PLR0917
    """Write a row for each text of an image, whose address stands from `start` to `at`.

    Returns:
        How many, or _AMISS, and where their text ends.
    """
    rows, url_end = 0, at
    width, height = _pixels(doc, image + _WIDTH), _pixels(doc, image + _HEIGHT)
    for source in range(MOST_TEXTS):
        begin, stop = doc.images[image + _TEXTS + 2 * source], doc.images[image + _TEXTS + 2 * source + 1]
        if begin < 0:
            continue
        if stop - begin > MAX_BYTES or width < 0 or height < 0:
            return _AMISS, at
        size = unescape(doc.data, begin, stop, room.scratch, 0)
        last, replaced = clean_into(room.scratch, 0, size, room.text, at)
        if replaced:
            return _AMISS, at
        if last == at or (rows > 0 and _same(room.text, url_end, at, last)):
            continue
        _write(room.rows, ROW_SIZE * (first + rows), start, url_end, at, last, source, width, height, room.told[PAGES])
        rows, at = rows + 1, last
    return rows, at


@inner
def _write(  # noqa: PLR0913, PLR0917 numbers
    rows: Rows, at: int, start: int, url_end: int, begin: int, end: int, source: int, width: int, height: int, page: int
) -> None:
    rows[at + row.URL_START], rows[at + row.URL_STOP] = start, url_end
    rows[at + row.CAPTION_START], rows[at + row.CAPTION_STOP] = begin, end
    rows[at + row.SOURCE], rows[at + row.OWN] = source, page
    rows[at + row.WIDTH] = width if width > 0 else NO_PIXELS
    rows[at + row.HEIGHT] = height if height > 0 else NO_PIXELS


@inner
def _same(data: Bytes, start: int, stop: int, end: int) -> bool:
    """Say whether what lies from `start` to `stop` is what lies from there to `end`."""
    if stop - start != end - stop:
        return False
    for place in range(start, stop):  # noqa: SIM110 a generator is not compiled
        if data[place] != data[place + stop - start]:
            return False
    return True


@inner
def _pixels(doc: Doc, slot: int) -> int:
    """Return a declared length as `witbuild.web.page.pixels` does, 0 for none; -1: it is odd."""
    data, place, stop = doc.data, doc.images[slot], doc.images[slot + 1]
    if place < 0 or place == stop:
        return 0
    if stop - place > _PIXEL_BYTES or next_special(data, place, doc.size) != stop:
        return -1
    place = _after_spaces(data, place)
    place += data[place] == _PLUS
    start = place
    while _ZERO <= data[place] <= _NINE:
        place += 1
    value = _whole_number(data, start, place, _PIXEL_DIGITS)
    if data[place] == _DOT:
        place += 1
        while _ZERO <= data[place] <= _NINE:
            place += 1
    place = _after_spaces(data, place)
    if data[place] | 32 == _P and data[place + 1] | 32 == _X:
        place = _after_spaces(data, place + 2)
    return value if value > 0 and place == stop else 0


@inner
def _after_spaces(data: Bytes, place: int) -> int:
    while data[place] == SPACE:
        place += 1
    return place
