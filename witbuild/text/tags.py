"""The tags and comments of wikitext: which go, which go with all that they enclose, what they leave."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np

from witbuild.text.kernels import inner, place_of

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

DROPPED: Final = (
    "ref", "references", "math", "chem", "ce", "gallery", "timeline", "hiero", "score", "syntaxhighlight",
    "source", "pre", "code", "graph", "mapframe", "maplink", "imagemap", "inputbox", "templatestyles",
    "templatedata", "categorytree", "indicator", "noinclude", "includeonly", "style", "script",
)  # fmt: skip
"""Tags that go with all that they enclose; `ref` leaves a space, the others a break."""

BREAKING: Final = (
    "br", "p", "div", "hr", "li", "ul", "ol", "dl", "dt", "dd", "blockquote", "center", "poem", "table", "tr",
    "td", "th", "caption", "tbody", "thead", "h1", "h2", "h3", "h4", "h5", "h6",
)  # fmt: skip
"""Tags that go and leave a break."""

INLINE: Final = (
    "nowiki", "b", "i", "u", "s", "em", "strong", "small", "big", "sub", "sup", "span", "font", "tt", "kbd",
    "samp", "var", "abbr", "cite", "q", "del", "ins", "bdi", "bdo", "mark", "ruby", "rb", "rt", "rp", "rtc",
    "strike", "wbr", "onlyinclude", "section", "time", "data", "dfn", "a", "img", "noindex", "translate",
)  # fmt: skip
"""Tags that go and leave nothing; what `nowiki` encloses is text, whatever it looks like."""

BREAK: Final = 11
"""Stands for a break within a line until the end; XML does not allow this character (vertical tab)."""

_REF, _NOWIKI = 0, len(DROPPED) + len(BREAKING)
_LAST_DROPPED, _LAST_BREAKING = len(DROPPED) - 1, len(DROPPED) + len(BREAKING) - 1
_ZERO: Any = np.int64(0)  # not a literal: see witbuild.text.wikitext
_LESS, _MORE, _SLASH, _SPACE, _NEWLINE, _TAB = ord("<"), ord(">"), ord("/"), ord(" "), ord("\n"), ord("\t")
_COMMENT, _COMMENT_END = np.frombuffer(b"<!--", np.uint8), np.frombuffer(b"-->", np.uint8)
_PRIME, _BASIS = np.uint64(0x100000001B3), np.uint64(0xCBF29CE484222325)
_LONGEST = max(map(len, (*DROPPED, *BREAKING, *INLINE)))


def _fnv(name: str) -> int:
    value = int(_BASIS)
    for byte in name.encode():
        value = ((value ^ byte) * int(_PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value


_HASHES = np.array([_fnv(name) for name in (*DROPPED, *BREAKING, *INLINE)], np.uint64)
_ORDER = np.argsort(_HASHES)
_SORTED = _HASHES[_ORDER]
_STRUCTURE = np.zeros(256, np.uint8)
_STRUCTURE[list(b"{}[]|<>")] = 1


def tag_count() -> int:
    """Return how many tags are known: the room that `strip_tags` needs in `missing`."""
    return len(_HASHES)


@inner
def strip_tags(text: Bytes, start: int, stop: int, out: Bytes, missing: Bytes) -> int:
    """Write `text[start:stop]` without tags and comments to `out`; return how many bytes.

    `missing` (uint8, one a known tag) is scratch: it remembers which end tags do not follow any more, which keeps
    the time linear.
    """
    missing[:] = 0
    size, place, tags_end = _ZERO, start, False
    while place < stop:
        byte = text[place]
        if byte != _LESS:
            out[size] = byte if byte >= 32 or byte in (_NEWLINE, _TAB) else _SPACE
            size += 1
            place += 1
            continue
        if _starts(text, place, stop, _COMMENT):
            place = _after(text, place + 4, stop, _COMMENT_END)
            continue
        closing = place + 1 < stop and text[place + 1] == _SLASH
        tag, name_end = _tag(text, place + 1 + closing, stop)
        end = _find(text, name_end, stop, _MORE) if tag >= 0 and not tags_end else -1
        if end < 0:
            tags_end = tags_end or tag >= 0
            out[size] = _LESS
            size += 1
            place += 1
            continue
        place = end + 1
        encloses = (tag <= _LAST_DROPPED or tag == _NOWIKI) and not closing and text[end - 1] != _SLASH
        inner = place
        if encloses and not missing[tag]:
            inner = _find_end_tag(text, place, stop, tag)
            missing[tag] = inner < 0
        if tag == _NOWIKI and inner > place:
            size = _copy_literally(text, place, inner, out, size)
        elif tag == _REF:
            out[size] = _SPACE
            size += 1
        elif tag <= _LAST_BREAKING:
            out[size] = BREAK
            size += 1
        if inner > place:
            place = _find(text, inner, stop, _MORE) + 1
    return size


@inner
def _starts(text: Bytes, place: int, stop: int, pattern: Bytes) -> bool:
    same = 0
    while same < pattern.size and place + same < stop and text[place + same] == pattern[same]:
        same += 1
    return same == pattern.size


@inner
def _after(text: Bytes, place: int, stop: int, pattern: Bytes) -> int:
    """Return the place after the next `pattern`, or the end."""
    while place < stop:
        if text[place] == pattern[0] and _starts(text, place, stop, pattern):
            return place + pattern.size
        place += 1
    return stop


@inner
def _find(text: Bytes, place: int, stop: int, byte: int) -> int:
    while place < stop:
        if text[place] == byte:
            return place
        place += 1
    return -1


@inner
def _tag(text: Bytes, place: int, stop: int) -> tuple[int, int]:
    """Return which known tag's name stands here, or -1, and where the name ends."""
    value = _BASIS
    end = place
    while end < stop and end - place <= _LONGEST and _is_letter(text[end]):
        lower = text[end] | 32
        value = (value ^ np.uint64(lower)) * _PRIME
        end += 1
    if end == place:
        return -1, end
    found = place_of(value, _SORTED)
    return (_ORDER[found] if found >= 0 else -1), end


@inner
def _is_letter(byte: int) -> bool:
    return 97 <= (byte | 32) <= 122 or 49 <= byte <= 54


@inner
def _find_end_tag(text: Bytes, place: int, stop: int, tag: int) -> int:
    """Return where the next end tag of a kind starts, if it has a ``>``; or -1."""
    while place + 2 < stop:
        if text[place] == _LESS and text[place + 1] == _SLASH:
            found, end = _tag(text, place + 2, stop)
            if found == tag:
                return place if _find(text, end, stop, _MORE) >= 0 else -1
        place += 1
    return -1


@inner
def _copy_literally(text: Bytes, place: int, stop: int, out: Bytes, size: int) -> int:
    """Copy text with a space in place of each character that could be markup."""
    for i in range(place, stop):
        byte = text[i]
        out[size] = _SPACE if _STRUCTURE[byte] or byte < 32 else byte
        size += 1
    return size
