"""The images of a scanned page to pairs by a compiled loop: the usual ones; for the others Python is to be asked.

Not usual are images in a `<picture>` or in a figure with a caption, addresses and lists of addresses that their own
loops (witbuild.web.resolve, witbuild.web.choosing) leave to Python, and captions of which the end is to be cut off.

text     URLs and captions of images, each once                                              uint8
rows     the pairs, see witbuild.web.rows; their own number says which address it is         int32
told     how far the loop came, and what was lost, see NEXT and those after it               int64
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

from witbuild.text.kernels import inlined, inner, kernel
from witbuild.web import choosing, elements, opened, resolve, wording
from witbuild.web import rows as row
from witbuild.web.markup import is_letter, pointer
from witbuild.web.resolve import NONE, resolve_into
from witbuild.web.urls import MAX_CHARACTERS

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from witbuild.web.elements import Numbers

    Bytes = npt.NDArray[np.uint8]
    Rows = npt.NDArray[np.int32]

NEXT, RARELY, ROWS, TEXT_BYTES, NO_URL, DATA_URL, BAD_URL, NO_CAPTION = range(8)
"""Event that is to be looked at next; whether it is one for Python; rows and bytes written; images lost, by reason."""
TOLD: Final = 8
"""So many numbers."""
TOLD_SIZE: Final = 256
_VALUES, _URLS, _WHICH, _CAPTIONS = 16, 64, 72, 80
"""Where, in the same array, an image's values, addresses and captions are noted."""
_MOST_URLS: Final = 3
_MOST_CAPTIONS: Final = 8
MOST_IMAGE_ROWS: Final = _MOST_URLS * _MOST_CAPTIONS
MOST_IMAGE_BYTES: Final = (_MOST_URLS + 1) * MAX_CHARACTERS + (_MOST_CAPTIONS + 1) * wording.MAX_CAPTION_BYTES
MOST_VALUE_BYTES: Final = 3 * MAX_CHARACTERS
"""Of an address or list of addresses."""
SCRATCH_BYTES: Final = 3 * 3 * MOST_VALUE_BYTES
FIRST, LAZY, LARGEST = range(3)
"""Which of an image's addresses a row has: its `src`, that of a lazy loader, the largest of its `srcset`."""
_ALT, _TITLE_SOURCE = row.SOURCES.index("alt"), row.SOURCES.index("title")
_SRC, _ALT_VALUE, _TITLE, _WIDTH, _HEIGHT, _FIRST_SET = (
    elements.ATTRIBUTES.index(name) for name in ("src", "alt", "title", "width", "height", "srcset")
)
_FIRST_LAZY, _END_LAZY = elements.ATTRIBUTES.index("data-src"), elements.ATTRIBUTES.index("href")
_DATA: Final = tuple(b"data:")
_ZERO, _NINE, _SPACE, _P, _X, _PERCENT, _DELETE = (ord(char) for char in "09 px%\x7f")
_MOST_DIGITS: Final = 9


class Work(NamedTuple):
    """What the loop reads and writes, as pointers."""

    data: Bytes
    events: Rows
    values: Rows
    named: Numbers
    base: Bytes
    parts: Numbers
    scratch: Bytes
    text: Bytes
    rows: Rows
    told: Numbers


@kernel
def pair(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    data: Bytes,
    events: Rows,
    values: Rows,
    named: Numbers,
    base: Bytes,
    parts: Numbers,
    scratch: Bytes,
    text: Bytes,
    rows: Rows,
    told: Numbers,
) -> None:
    """Write the pairs of the images from an event on, up to one that is for Python, or until there is no more room.

    Args:
        data: the page's bytes, uint8.
        events: of its scan (witbuild.web.outline), int32 of shape (n, COLUMNS).
        values: of its scan, int32 of shape (m, 3).
        named: witbuild.web.wording.NAMED.
        base: of the page's references, uint8, see witbuild.web.resolve.
        parts: of that, int64.
        scratch: uint8 of shape (SCRATCH_BYTES,), written.
        text: uint8, written; room for MOST_IMAGE_BYTES or more.
        rows: int32 of shape (k, ROW_SIZE), written; room for MOST_IMAGE_ROWS or more.
        told: int64 of shape (TOLD_SIZE,), written, but NEXT says where to begin.
    """
    work = Work(
        pointer(data), pointer(events), pointer(values), pointer(named), pointer(base), pointer(parts),
        pointer(scratch), pointer(text), pointer(rows), pointer(told),
    )  # fmt: skip
    event, told[RARELY], told[ROWS], told[TEXT_BYTES] = told[NEXT], 0, 0, 0
    most_rows, most_bytes = len(rows) - MOST_IMAGE_ROWS, text.size - MOST_IMAGE_BYTES
    while event < len(events) and told[ROWS] <= most_rows and told[TEXT_BYTES] <= most_bytes:
        if events[event, 0] == elements.IMG and not _is_paired(work, opened.COLUMNS * event):
            told[RARELY] = 1
            break
        event += 1
    told[NEXT] = event


@inlined
def _is_paired(work: Work, event: int) -> bool:
    """Write an image's pairs, or count why it has none; say whether that could be done."""
    told, events = work.told, work.events
    figure = events[event + opened.HELD]
    if events[event + opened.PICTURED] >= 0 or (figure >= 0 and events[opened.COLUMNS * figure + opened.START] >= 0):
        return False
    _note_values(work, event)
    width, height = _pixels(work, _WIDTH), _pixels(work, _HEIGHT)
    if resolve.RARE in (width, height):
        return False
    end = told[TEXT_BYTES]
    loss, urls, end = _addresses(work, end)
    if loss != 0:
        told[loss] += loss > 0
        return loss > 0
    captions, end = _captions(work, event, end)
    if captions <= 0:
        told[NO_CAPTION] += captions == 0
        return captions == 0
    told[TEXT_BYTES] = end
    for url in range(urls):
        for caption in range(_CAPTIONS, _CAPTIONS + 3 * captions, 3):
            _add(work, url, caption, width, height)
    return True


@inlined
def _note_values(work: Work, event: int) -> None:
    """Note where the values of an image's tag stand, by attribute; those that it lacks are empty."""
    told = work.told
    for attribute in range(_END_LAZY):
        told[_VALUES + 2 * attribute] = told[_VALUES + 2 * attribute + 1] = 0
    for value in range(3 * work.events[event + opened.FIRST], 3 * work.events[event + opened.LAST], 3):
        attribute = work.values[value]
        if attribute < _END_LAZY:
            told[_VALUES + 2 * attribute] = work.values[value + 1]
            told[_VALUES + 2 * attribute + 1] = work.values[value + 2]


@inlined
def _value(work: Work, attribute: int) -> tuple[int, int]:
    """Return where an attribute's value begins and ends."""
    return work.told[_VALUES + 2 * attribute], work.told[_VALUES + 2 * attribute + 1]


@inlined
def _addresses(work: Work, end: int) -> tuple[int, int, int]:
    """Write an image's addresses; return why there is none, 0 or RARE, how many there are, and where they end."""
    loss, urls = NO_URL, 0
    for which in range(LARGEST + 1):
        if which == LARGEST:
            begin, stop, in_page = _largest(work)
        else:
            begin, stop, in_page = _stripped(work, *_first(work, which))
        if begin == stop:
            continue
        if begin < 0:
            return begin, 0, end
        source = work.data if in_page else work.scratch
        found = resolve_into(source, begin, stop, work.base, work.parts, work.text, end)
        if found == resolve.RARE:
            return found, 0, end
        if found == NONE:
            loss = DATA_URL if loss == DATA_URL or _is_data(source, begin, stop) else BAD_URL
        elif not _is_known(work, _URLS, 2, urls, end, found):
            work.told[_URLS + 2 * urls], work.told[_URLS + 2 * urls + 1] = end, found
            work.told[_WHICH + urls] = which
            urls, end = urls + 1, found
    return 0 if urls > 0 else loss, urls, end


@inlined
def _first(work: Work, which: int) -> tuple[int, int]:
    """Return where the `src` stands, or the first of a lazy loader's addresses."""
    if which == FIRST:
        return _value(work, _SRC)
    for attribute in range(_FIRST_LAZY, _END_LAZY):
        start, stop = _value(work, attribute)
        if stop > start:
            return start, stop
    return 0, 0


@inlined
def _stripped(work: Work, start: int, stop: int) -> tuple[int, int, bool]:
    """Return where an address stands without white space around it and references in it, and whether in the page."""
    if wording.is_plain(work.data, start, stop):
        return start, stop, True
    if stop - start > MOST_VALUE_BYTES:
        return resolve.RARE, 0, True
    begin, end, _ = wording.unescaped_into(work.data, start, stop, work.named, work.scratch, 0)
    return begin, end, False


@inlined
def _largest(work: Work) -> tuple[int, int, bool]:
    """Return where the largest of the image's candidates stands, as `_stripped` does."""
    best, begin, end, at = -1.0, 0, 0, 0
    for number in range(_FIRST_SET, _FIRST_LAZY):
        start, stop = _value(work, number)
        if stop - start > MOST_VALUE_BYTES:
            return resolve.RARE, 0, False
        if stop > start:
            _, _, after = wording.unescaped_into(work.data, start, stop, work.named, work.scratch, at)
            best, begin, end = choosing.largest(work.scratch, at, after, best, begin, end)
            if best == choosing.RARE:
                return resolve.RARE, 0, False
            at = after
    if end > begin and not (_is_visible(work.scratch[begin]) and _is_visible(work.scratch[end - 1])):
        return resolve.RARE, 0, False
    return begin, end, False


@inlined
def _is_visible(byte: int) -> bool:
    """Say whether a byte is a character of ASCII that no white space is."""
    return _SPACE < byte < _DELETE


@inlined
def _is_data(text: Bytes, start: int, stop: int) -> bool:
    """Say whether an address is a `data:` URL."""
    if stop - start < len(_DATA):
        return False
    for place in range(len(_DATA)):
        byte = text[start + place]
        if (byte | 32 if byte != _DATA[-1] else byte) != _DATA[place]:
            return False
    return True


@inlined
def _is_known(work: Work, first: int, step: int, count: int, start: int, stop: int) -> bool:  # noqa: PLR0913, PLR0917
    """Say whether one of the texts noted from a place on is the same as another one."""
    told, text = work.told, work.text
    for at in range(first, first + step * count, step):
        size = told[at + 1] - told[at]
        same = 0
        while size == stop - start and same < size and text[told[at] + same] == text[start + same]:
            same += 1
        if same == size == stop - start:
            return True
    return False


@inner
def _captions(work: Work, event: int, end: int) -> tuple[int, int]:
    """Write an image's captions; return how many there are, or RARE, and where they end."""
    count, end = _caption(work, *_value(work, _ALT_VALUE), _ALT, 0, end)
    count, end = _caption(work, *_value(work, _TITLE), _TITLE_SOURCE, count, end)
    link = work.events[event + opened.LINKED]
    while link >= 0 and count >= 0:
        event = opened.COLUMNS * link
        for value in range(3 * work.events[event + opened.FIRST], 3 * work.events[event + opened.LAST], 3):
            if work.values[value] == _TITLE:
                start, stop = work.values[value + 1], work.values[value + 2]
                count, end = _caption(work, start, stop, _TITLE_SOURCE, count, end)
        link = work.events[event + opened.LINKED]
    return count, end


@inner
def _caption(work: Work, start: int, stop: int, source: int, count: int, end: int) -> tuple[int, int]:  # noqa: PLR0913, PLR0917
    """Write a text as a caption if it is one and another one than those before."""
    if start == stop or count < 0:
        return count, end
    if count == _MOST_CAPTIONS:
        return resolve.RARE, end
    found = wording.caption_into(work.data, start, stop, work.named, work.text, end)
    if found < 0:
        return resolve.RARE, end
    if found == end or _is_known(work, _CAPTIONS, 3, count, end, found):
        return count, end
    at = _CAPTIONS + 3 * count
    work.told[at], work.told[at + 1], work.told[at + 2] = end, found, source
    return count + 1, found


@inlined
def _pixels(work: Work, attribute: int) -> int:
    """Return a declared width or height, NO_PIXELS where there is none, or RARE; see `witbuild.web.page.pixels`."""
    place, stop = _value(work, attribute)
    begin, number = place, 0
    while place < stop and place - begin < _MOST_DIGITS and _ZERO <= work.data[place] <= _NINE:
        number = 10 * number + work.data[place] - _ZERO
        place += 1
    left = stop - place
    if left == 0 or (left == 2 and work.data[place] | 32 == _P and work.data[place + 1] | 32 == _X):
        return number if number > 0 else row.NO_PIXELS
    percent, word = left == 1 and work.data[place] == _PERCENT, place == begin and is_letter(work.data[place])
    return row.NO_PIXELS if percent or word else resolve.RARE


@inlined
def _add(work: Work, url: int, caption: int, width: int, height: int) -> None:
    at, told, rows = row.ROW_SIZE * work.told[ROWS], work.told, work.rows
    rows[at + row.URL_START], rows[at + row.URL_STOP] = told[_URLS + 2 * url], told[_URLS + 2 * url + 1]
    rows[at + row.CAPTION_START], rows[at + row.CAPTION_STOP] = told[caption], told[caption + 1]
    rows[at + row.SOURCE], rows[at + row.WIDTH], rows[at + row.HEIGHT] = told[caption + 2], width, height
    rows[at + row.OWN] = told[_WHICH + url]
    told[ROWS] += 1
