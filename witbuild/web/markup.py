"""Bytes of a page to tags: the tokenizer of the HTML standard (section 13.2.5) as compiled loops.

Nothing is copied: a tag is where it stands, an attribute's value is where it begins and ends. The loops read through
pointers, which unlike arrays are not counted at every call.
"""

from __future__ import annotations

from sys import byteorder
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numba.core import types
from numba.extending import intrinsic

from witbuild.text.kernels import inlined, inner
from witbuild.text.simd import lowest_bit
from witbuild.web.elements import BASIS, PRIME, SMALL, attribute_of, name_hash

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.web.elements import Numbers

LESS, MORE, SLASH, EQUALS, BANG, SPACE, _S = (ord(char) for char in "<>/=! s")
_DOUBLE, _SINGLE, _DASH, _BRACKET, _END_BRACKET = (ord(char) for char in "\"'-[]")
_ONES, _TOPS = np.uint64(0x0101010101010101), np.uint64(0x8080808080808080)
_BLANKS, _SLASHES, _MORES = np.uint64(SPACE + 1) * _ONES, np.uint64(SLASH) * _ONES, np.uint64(MORE) * _ONES
_SCRIPT: Final = name_hash("script")


BLANK: Final = np.zeros(256, np.uint8)
"""1 for each byte that is white space to HTML."""
BLANK[list(b"\t\n\f\r ")] = 1


class Page(NamedTuple):
    """A page's bytes, how many, the tables of names and of white space, and what is written: see the scan."""

    data: npt.NDArray[np.uint8]
    size: int
    known: Numbers
    blank: npt.NDArray[np.uint8]
    state: Numbers
    events: npt.NDArray[np.int32]
    values: npt.NDArray[np.int32]


@intrinsic
def pointer(_context: Any, array: Any) -> Any:
    """Return a pointer to an array's first element; whoever calls keeps the array alive."""

    def make(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return target.make_array(signature.args[0])(target, builder, arguments[0]).data

    return types.CPointer(array.dtype)(array), make  # type: ignore[attr-defined]


@intrinsic
def eight_at(_context: Any, data: Any, place: Any) -> Any:
    """Return the eight bytes at a place, the first as the lowest."""

    def make(target: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        kind = target.get_value_type(types.uint64)
        address = builder.bitcast(builder.gep(arguments[0], [arguments[1]]), kind.as_pointer())
        word = builder.load(address, align=1)
        return word if byteorder == "little" else builder.bswap(word)

    return types.uint64(data, place), make


@inlined
def _zeros(word: np.uint64) -> np.uint64:
    """Return the top bit of the lowest byte that is zero; above it, others may be set (Hacker's Delight, 6-1)."""
    return (word - _ONES) & ~word & _TOPS


@inlined
def is_letter(byte: int) -> bool:
    """Say whether a byte is an ASCII letter."""
    return 97 <= (byte | 32) <= 122


@inlined
def find(page: Page, place: int, byte: int) -> int:
    """Return where a byte stands at or after a place, or the end; eight bytes at a time."""
    data, pattern = page.data, np.uint64(byte) * _ONES
    while place + 8 <= page.size:
        found = _zeros(eight_at(data, place) ^ pattern)
        if found != 0:
            return place + (lowest_bit(found) >> 3)
        place += 8
    while place < page.size and data[place] != byte:
        place += 1
    return place


@inner
def _end_of_name(page: Page, place: int, last: int) -> int:
    """Return where white space, a `/`, a `>` or the byte `last` stands at or after a place, or the end."""
    data, pattern = page.data, np.uint64(last) * _ONES
    while place + 8 <= page.size:
        word = eight_at(data, place)
        blanks = (word - _BLANKS) & ~word & _TOPS
        found = blanks | _zeros(word ^ _SLASHES) | _zeros(word ^ _MORES) | _zeros(word ^ pattern)
        if found == 0:
            place += 8
            continue
        place += lowest_bit(found) >> 3
        if data[place] > SPACE or page.blank[data[place]] != 0:
            return place
        place += 1  # a control character is part of the name
    while place < page.size:
        byte = data[place]
        if byte in (SLASH, MORE, last) or page.blank[byte] != 0:
            break
        place += 1
    return place


@inlined
def hash_of(page: Page, start: int, stop: int) -> int:
    """Return the number of a name, or of a value as if it were one."""
    key = BASIS
    while start < stop:
        length = min(8, stop - start)
        if start + 8 <= page.size:
            word = eight_at(page.data, start)
        else:
            word = np.uint64(0)
            for place in range(length):
                word |= np.uint64(page.data[start + place]) << np.uint64(8 * place)
        unused = np.uint64(64 - 8 * length)
        key = (key ^ ((word | SMALL) << unused >> unused)) * PRIME
        start += 8
    return np.int64(key)  # type: ignore[return-value]


@inlined
def name(page: Page, place: int) -> tuple[int, int]:
    """Return the number of a tag's name and where it ends."""
    return _named(page, place, MORE)


@inlined
def _named(page: Page, place: int, last: int) -> tuple[int, int]:
    """Return the number of a name and where it ends; its first character, whatever it is, is part of it.

    Nearly all have fewer than eight bytes: they are read once.
    """
    if place + 8 <= page.size:
        word = eight_at(page.data, place)
        blanks = (word - _BLANKS) & ~word & _TOPS
        found = blanks | _zeros(word ^ _SLASHES) | _zeros(word ^ _MORES) | _zeros(word ^ np.uint64(last) * _ONES)
        length = lowest_bit(found) >> 3 if found != 0 else 0
        if length > 0 and (page.data[place + length] > SPACE or page.blank[page.data[place + length]] != 0):
            unused = np.uint64(64 - 8 * length)
            return np.int64((BASIS ^ ((word | SMALL) << unused >> unused)) * PRIME), place + length  # type: ignore[return-value]
    stop = _end_of_name(page, place + 1, last)
    return hash_of(page, place, stop), stop


@inlined
def rest_of_tag(page: Page, place: int, first: int, wanted: bool) -> tuple[int, int, bool]:  # noqa: FBT001
    """Read a tag from the end of its name.

    Returns:
        The place after its `>`, or -1 when the page ends before; the number of `values` (attribute, start, stop),
        which was `first` and grows by those of the tag if they are wanted; whether the tag closes itself.
    """
    data, values, seen, slash = page.data, page.values, 0, False
    count = first
    while place < page.size:
        byte = data[place]
        if byte == MORE:
            return place + 1, count, slash
        slash = byte == SLASH
        if slash or page.blank[byte] != 0:
            place += 1
            continue
        begin = place  # an attribute's first character may be anything
        key, place = _named(page, begin, EQUALS)
        start, stop, place = _value(page, place)
        attribute = attribute_of(page.known, key) if wanted else -1
        if attribute >= 0 and seen >> attribute & 1 == 0:
            seen |= 1 << attribute
            values[3 * count], values[3 * count + 1], values[3 * count + 2] = attribute, start, stop
            count += 1
    return -1, first, False


@inlined
def _value(page: Page, place: int) -> tuple[int, int, int]:
    """Return where the value of an attribute begins and ends, and the place after it."""
    data, size = page.data, page.size
    if place + 1 < size and data[place] == EQUALS and data[place + 1] in (_DOUBLE, _SINGLE):  # as nearly all are
        stop = find(page, place + 2, data[place + 1])
        return place + 2, stop, stop + 1
    place = _after_blanks(page, place)
    if place >= size or data[place] != EQUALS:
        return place, place, place
    place = _after_blanks(page, place + 1)
    if place >= size:
        return place, place, place
    quote = data[place]
    if quote in (_DOUBLE, _SINGLE):
        stop = find(page, place + 1, quote)
        return place + 1, stop, stop + 1
    stop = place
    while stop < size and data[stop] != MORE and page.blank[data[stop]] == 0:
        stop += 1
    return place, stop, stop


@inner
def _after_blanks(page: Page, place: int) -> int:
    while place < page.size and page.blank[page.data[place]] != 0:
        place += 1
    return place


@inner
def _is(page: Page, place: int, byte: int) -> bool:
    return place < page.size and page.data[place] == byte


@inner
def after_markup(page: Page, place: int, cdata: bool) -> int:  # noqa: FBT001
    """Return the place after a comment, a doctype, a CDATA section or what counts as a comment; `place` is its `<`."""
    if page.data[place + 1] == BANG:
        if _is(page, place + 2, _DASH) and _is(page, place + 3, _DASH):
            return _after_comment(page, place + 4)
        if cdata and _is(page, place + 2, _BRACKET) and _is(page, place + 8, _BRACKET):
            return _after_cdata(page, place + 9)
    return find(page, place + 2, MORE) + 1


@inner
def _after_comment(page: Page, start: int) -> int:
    """A comment ends at `-->` or `--!>`, or at once with `>` or `->`."""
    data, place = page.data, find(page, start, MORE)
    while place < page.size:
        if place == start or (place == start + 1 and data[start] == _DASH):
            break
        last = place - 1 - (data[place - 1] == BANG)
        if last > start and data[last] == _DASH and data[last - 1] == _DASH:
            break
        place = find(page, place + 1, MORE)
    return place + 1


@inner
def _after_cdata(page: Page, start: int) -> int:
    data, place = page.data, find(page, start, MORE)
    while place < page.size:
        if place > start + 1 and data[place - 1] == _END_BRACKET and data[place - 2] == _END_BRACKET:
            break
        place = find(page, place + 1, MORE)
    return place + 1


@inner
def end_of_raw(page: Page, place: int, key: int) -> int:
    """Return where the end tag of a raw text element begins, or the end of the page."""
    place = find(page, place, LESS)
    while place < page.size:
        if _is(page, place + 1, SLASH):
            found, end = name(page, place + 2)
            if found == key and end < page.size:
                return place
        place = find(page, place + 1, LESS)
    return page.size


@inner
def end_of_script(page: Page, place: int) -> int:
    """Return where a script's end tag begins; `<!--` hides one that follows `<script` (13.2.5.17 to 13.2.5.31)."""
    hidden, limit = 0, place  # 1: within `<!--`, 2: and within `<script` there; where dashes of a `-->` may begin
    while True:
        place = find(page, place, LESS) if hidden == 0 else _less_or_arrow(page, place, limit)
        if place >= page.size:
            return page.size
        if page.data[place] == MORE:
            hidden = 0
        elif _is(page, place + 1, BANG) and _is(page, place + 2, _DASH) and _is(page, place + 3, _DASH):
            if hidden == 0:
                hidden, limit = 1, place + 2
                place += 3
        else:
            closing = _is(page, place + 1, SLASH)
            begin = place + 2 if closing else place + 1
            found, end = name(page, begin) if begin < page.size and page.data[begin] | 32 == _S else (0, 0)
            if found == _SCRIPT and end < page.size:
                if closing and hidden < 2:
                    return place
                if hidden > 0:
                    hidden = 1 if closing else 2
        place += 1


@inner
def _less_or_arrow(page: Page, place: int, limit: int) -> int:
    """Return where a `<` stands, or the `>` of a `-->` whose dashes begin at the limit or later."""
    data = page.data
    while place < page.size:
        byte = data[place]
        if byte == LESS:
            break
        if byte == MORE and place - 2 >= limit and data[place - 1] == _DASH and data[place - 2] == _DASH:
            break
        place += 1
    return place


@inner
def holds_name(page: Page, start: int, stop: int, key: int | np.int64, length: int) -> bool:
    """Say whether so many bytes in a row of a value have, in lower case, the number of a name."""
    for place in range(start, stop - length + 1):  # noqa: SIM110 a generator is not compiled
        if hash_of(page, place, place + length) == key:
            return True
    return False
