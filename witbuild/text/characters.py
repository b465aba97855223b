"""What each character is to the tokeniser: part of a word, a token alone, a mark, nothing, or a gap.

    WORD   letters and numbers (general categories L*, N*): they run together
    ALONE  a letter of a script written without spaces: a token by itself, with its marks
    MARK   combining marks (Mn, Mc): they belong to the character before them
    GONE   invisible or decorative: removed before anything else is looked at
    GAP    everything else: spaces, punctuation, hyphens, apostrophes, underscore, symbols, emoji, controls

Categories come from Python's own `unicodedata` (Unicode 14 in Python 3.11, 15.0 in 3.12, ...): a character
that was unassigned in an older version is a gap there.
"""

from __future__ import annotations

import unicodedata
from typing import Final

WORD: Final = "w"
ALONE: Final = "a"
MARK: Final = "m"
GONE: Final = ""
GAP: Final = " "

_SPACELESS = (
    (0x0E00, 0x0EFF, "Thai, Lao"),
    (0x1000, 0x109F, "Myanmar"),
    (0x1780, 0x17FF, "Khmer"),
    (0x1950, 0x19DF, "Tai Le, New Tai Lue"),
    (0x1A20, 0x1AAF, "Tai Tham"),
    (0x3005, 0x3007, "Han iteration mark and zero"),
    (0x3021, 0x303C, "Hangzhou numerals, Han iteration marks"),
    (0x3041, 0x312F, "Hiragana, Katakana, Bopomofo"),
    (0x31A0, 0x31FF, "Bopomofo and Katakana extensions"),
    (0x3400, 0x4DBF, "Han extension A"),
    (0x4E00, 0x9FFF, "Han"),
    (0xA9E0, 0xA9FF, "Myanmar extension B"),
    (0xAA60, 0xAADF, "Myanmar extension A, Tai Viet"),
    (0xF900, 0xFAFF, "Han compatibility"),
    (0xFF66, 0xFF9F, "halfwidth Katakana"),
    (0x11700, 0x1174F, "Ahom"),
    (0x1AFF0, 0x1B16F, "Kana extensions"),
    (0x20000, 0x3FFFF, "Han extensions B and later"),
)
"""Blocks whose letters have no spaces between words: Han, kana, bopomofo, line-break class SA (UAX 14)."""

# Ignorable marks: grapheme joiner, Khmer inherent vowels, Mongolian and general variation selectors.
_IGNORABLE = ((0x034F, 0x034F), (0x17B4, 0x17B5), (0x180B, 0x180F), (0xFE00, 0xFE0F), (0xE0100, 0xE01EF))
_TATWEEL = "\u0640"  # lengthens an Arabic word for the eye only
_ZERO_WIDTH_SPACE = "\u200b"  # a format character by category, but it stands between words
_LETTER_APOSTROPHES = "\u02bb\u02bc"  # letters by category; other keyboards type ' or ’ for them


def kind(char: str) -> str:
    """Return WORD, ALONE, MARK, GONE or GAP for one character.

    Example:
        >>> [kind(c) for c in "é7'\u00ad京\u0301"]
        ['w', 'w', ' ', '', 'a', 'm']
    """
    category = unicodedata.category(char)
    if char == _ZERO_WIDTH_SPACE or char in _LETTER_APOSTROPHES:
        return GAP
    if category in {"Cf", "Me"} or char == _TATWEEL or _is_ignorable(ord(char)):
        return GONE
    if category[0] == "M":
        return MARK
    if category[0] == "L" or category == "Nl":
        return ALONE if _is_spaceless(ord(char)) else WORD
    return WORD if category[0] == "N" else GAP


def _is_ignorable(code: int) -> bool:
    return any(first <= code <= last for first, last in _IGNORABLE)


def _is_spaceless(code: int) -> bool:
    return any(first <= code <= last for first, last, _ in _SPACELESS)


class _Kinds(dict[int, str]):
    """A table for `str.translate`: code point -> kind, filled as characters turn up."""

    def __missing__(self, code: int) -> str:
        self[code] = kind(chr(code))
        return self[code]


class _Visible(dict[int, int | None]):
    """A table for `str.translate` that removes what is GONE and keeps the rest."""

    def __missing__(self, code: int) -> int | None:
        self[code] = None if kind(chr(code)) == GONE else code
        return self[code]


KINDS: Final = _Kinds()
"""Code point -> kind, for `str.translate`."""

VISIBLE: Final = _Visible()
"""Code point -> itself, or None when it is GONE, for `str.translate`."""
