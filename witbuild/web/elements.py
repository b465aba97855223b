"""HTML elements and attributes by name: what the scan of a page has to know of each (HTML standard, section 13.2).

A name is known by a 64-bit hash of its letters in lower case, eight at a time; the hashes lie in small open tables,
one behind the other in the array KNOWN.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import inlined, inner

if TYPE_CHECKING:
    import numpy.typing as npt

    Numbers = npt.NDArray[np.int64]

# What a start tag asks for, in the lowest five bits of an element's traits.
ORDINARY, IMG, META, BASE, LINK, A, HTML, SOURCE, PICTURE, FIGURE, FIGCAPTION, SCRIPT, RAW, PLAINTEXT = range(14)
FRAMESET, FOREIGN_ROOT, TEMPLATE, TABLE, CELL, ROW, COLUMN, LI, DD, BUTTON, SELECT, FORM, IMAGE = range(14, 27)
KIND: Final = 31
UNKEPT: Final = 1 << 5
"""It is not put on the stack of open elements: it holds nothing, ends by itself, or is a formatting element."""
SPECIAL: Final = 1 << 6
"""An end tag of an ordinary element does not reach beyond it."""
SCOPED: Final = 1 << 7
"""Its end tag looks for it as far as the scope goes, over special elements."""
BOUNDARY: Final = 1 << 8
"""Where a scope ends."""
MARKER: Final = 1 << 9
"""Links opened in it end with it."""
BREAKS_OUT: Final = 1 << 10
"""Its start tag ends the SVG or MathML around it."""
FOREIGN: Final = 1 << 11
"""An element of SVG or MathML."""
INTEGRATES: Final = 1 << 12
"""An element of SVG or MathML that holds HTML."""
LIST: Final = 1 << 13
"""An end tag of a list item does not reach beyond it."""
TRANSPARENT: Final = 1 << 14
"""A new list item ends one before it over this special element."""

MATH: Final = 1 << 15
"""An element of MathML."""

_BLOCK = SPECIAL | SCOPED
_NAMES: Final = (
    (IMG | UNKEPT, "img"),
    (META | UNKEPT, "meta"),
    (BASE | UNKEPT, "base"),
    (LINK | UNKEPT, "link area"),
    (A | UNKEPT, "a"),
    (HTML | UNKEPT, "html"),
    (SOURCE | UNKEPT, "source"),
    (PICTURE, "picture"),
    (FIGURE | _BLOCK, "figure"),
    (FIGCAPTION | _BLOCK, "figcaption"),
    (SCRIPT, "script"),
    (RAW, "style xmp iframe noembed noframes title textarea"),
    (PLAINTEXT, "plaintext"),
    (FRAMESET | UNKEPT, "frameset"),
    (FOREIGN_ROOT, "svg math"),
    (TEMPLATE | _BLOCK | BOUNDARY | MARKER, "template"),
    (TABLE | _BLOCK | BOUNDARY, "table"),
    (CELL | _BLOCK | BOUNDARY | MARKER, "td th caption"),
    (ROW | UNKEPT, "tr tbody thead tfoot"),
    (COLUMN | UNKEPT, "colgroup col"),
    (LI | _BLOCK, "li"),
    (DD | _BLOCK, "dd dt"),
    (BUTTON | _BLOCK, "button"),
    (FORM | _BLOCK, "form"),
    (_BLOCK | BOUNDARY | MARKER, "applet marquee object"),
    (SELECT | _BLOCK | BOUNDARY | MARKER, "select"),
    (IMAGE | UNKEPT, "image"),
    (_BLOCK | LIST, "ol ul"),
    (_BLOCK | TRANSPARENT, "address div"),
    (_BLOCK, "article aside blockquote center details dialog dir dl fieldset footer header hgroup h1 h2 h3 h4 h5 h6"),
    (_BLOCK, "listing main menu nav pre search section summary"),
    (SPECIAL, "noscript"),
    (
        UNKEPT,
        "p br hr input basefont bgsound embed keygen wbr param track head body frame option optgroup rb rt rp rtc",
    ),
    (UNKEPT, "b big code em font i nobr s small strike strong tt u"),
)
_BREAKING: Final = (
    "b big blockquote body br center code dd div dl dt em embed h1 h2 h3 h4 h5 h6 head hr i img li listing menu meta "
    "nobr ol p pre ruby s small span strong strike sub sup table tt u ul var"
)
_HOLDING: Final = {
    **dict.fromkeys(("foreignobject", "desc", "title"), 1),
    **dict.fromkeys(("mi", "mo", "mn", "ms", "mtext"), 2),
}
ATTRIBUTES: Final = (
    "src", "alt", "title", "width", "height", "srcset", "data-srcset", "data-lazy-srcset",
    "data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-hi-res-src", "data-image",
    "href", "rel", "property", "name", "content", "lang", "xml:lang", "type",
)  # fmt: skip
"""The attributes that are read; their numbers are their places here."""

BASIS: Final = np.uint64(0xCBF29CE484222325)
PRIME: Final = np.uint64(0x9E3779B97F4A7C15)
SMALL: Final = np.uint64(0x2020202020202020)
"""The bit by which a small letter differs from its capital, in each byte."""


def name_hash(name: str) -> int:
    """Return the number by which a name, in lower case, is known.

    Example:
        >>> name_hash("img") == name_hash("gim")
        False
    """
    value = int(BASIS)
    for start in range(0, len(name), 8):
        octets = name[start : start + 8].encode()
        small = int(SMALL) & ((1 << 8 * len(octets)) - 1)
        value = ((value ^ (int.from_bytes(octets, "little") | small)) * int(PRIME)) & 0xFFFFFFFFFFFFFFFF
    return value - (1 << 64) if value >> 63 else value


def _traits() -> dict[str, int]:
    found = {name: traits for traits, names in _NAMES for name in names.split()}
    breaking = dict.fromkeys(_BREAKING.split(), BREAKS_OUT)
    return {name: found.get(name, 0) | breaking.get(name, 0) for name in {**found, **breaking}}


def _table(values: dict[str, int], slots: int) -> Numbers:
    """Return slots of (key, value + 1); a value of 0 is a free one."""
    table = np.zeros((slots, 2), np.int64)
    for name, value in values.items():
        key = name_hash(name)
        slot = int(key) >> _SHIFT & (slots - 1)
        while table[slot, 1]:
            slot = (slot + 1) & (slots - 1)
        table[slot] = key, value + 1
    return table.ravel()


_ELEMENTS, _HELD, _READ = 512, 32, 128
_SHIFT: Final = 40
KNOWN: Final = np.concatenate([
    _table(_traits(), _ELEMENTS),
    _table(_HOLDING, _HELD),
    _table({name: number for number, name in enumerate(ATTRIBUTES)}, _READ),
])  # fmt: skip
"""The three tables: elements, elements of SVG and MathML that hold HTML, attributes."""


@inlined
def _look_up(known: Numbers, first: int, slots: int, key: int) -> int:
    slot = key >> _SHIFT & (slots - 1)
    while known[2 * (first + slot) + 1] != 0 and known[2 * (first + slot)] != key:
        slot = (slot + 1) & (slots - 1)
    return known[2 * (first + slot) + 1] - 1


@inlined
def traits_of(known: Numbers, key: int) -> int:
    """Return the traits of an HTML element; those of an ordinary one when its name is not known."""
    return max(0, _look_up(known, 0, _ELEMENTS, key))


@inner
def holds_html(known: Numbers, key: int, math: bool) -> bool:  # noqa: FBT001
    """Say whether an element of SVG, or of MathML, holds HTML."""
    return _look_up(known, _ELEMENTS, _HELD, key) == 1 + math


@inlined
def attribute_of(known: Numbers, key: int) -> int:
    """Return an attribute's number, or -1 when it is not read."""
    return _look_up(known, _ELEMENTS + _HELD, _READ, key)
