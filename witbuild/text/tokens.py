"""How text is cut into tokens: one set of rules for captions and for queries.

`witbuild` (the default), in this order:

1. Characters that show nothing are removed: soft hyphen, joiners, direction marks, byte-order mark,
   variation selectors, enclosing marks (keycaps), the Arabic tatweel.
2. The text is put in Unicode normal form C, case-folded (so that ``Straße`` is ``strasse``), and put in
   form C again.
3. A token is a run of letters, numbers and their combining marks. Everything else stands between tokens
   and is forgotten: spaces, punctuation, brackets, quotes, hyphens, underscore, symbols, emoji, controls.
4. Apostrophes stand between tokens too, whichever of ``' ’ ‘ ` ´ ʼ ʻ`` was typed: ``dog's`` is ``dog s``
   and is found by *dog*; ``O’Neill`` is ``o neill``; ``l'arbre`` is ``l arbre``. A query is cut in the
   same way, so *don't* is looked for as ``don t`` and is found in every spelling of it.
5. Digits are letters: ``3D`` is ``3d``, ``1,000`` is ``1 000``, ``U.S.`` is ``u s``.
6. In scripts written without spaces (Han, kana, bopomofo, Thai, Lao, Myanmar, Khmer and their relatives)
   each letter with its marks is a token, so that a run of tokens is a substring: *東京* is found in
   ``東京タワー``. Hangul is written with spaces and is cut into words.

`exact-case` is the same without case folding: *Turkey* is not *turkey*.

`metaclip` is the rule of MetaCLIP (Xu et al. 2023, section 3.2): each of ``, . ; : ? ! ` `` gets a space
on both sides, tab and newline become a space, and the text is cut at every single space, so that two
spaces in a row hold an empty token. Case counts, nothing else is changed, and a query is cut at its
spaces only: it matches where the query between two spaces is a substring of the text between two spaces.
"""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING, Final, Literal, get_args

from witbuild.text.characters import KINDS, VISIBLE

if TYPE_CHECKING:
    from collections.abc import Callable

Semantics = Literal["witbuild", "exact-case", "metaclip"]
"""How captions and queries are compared."""

SEMANTICS: Final[tuple[Semantics, ...]] = get_args(Semantics)

_ASCII_TOKEN = re.compile(r"[0-9A-Za-z]+")
_TOKEN = re.compile(r"w[wm]*|am*")
_SPACED = str.maketrans({**{mark: f" {mark} " for mark in ",.;:?!`"}, "\t": " ", "\n": " "})


def tokens(text: str, semantics: Semantics = "witbuild") -> list[str]:
    """Return the tokens of a caption, in order.

    Example:
        >>> tokens("The Ice-Cream’s 3D logo, “Crème Brûlée”!")
        ['the', 'ice', 'cream', 's', '3d', 'logo', 'crème', 'brûlée']
        >>> tokens("東京 tower")
        ['東', '京', 'tower']
        >>> tokens("St. Louis", "metaclip")
        ['St', '.', '', 'Louis']
    """
    return _TOKENISERS[semantics](text)


def query_tokens(query: str, semantics: Semantics = "witbuild") -> list[str]:
    """Return the tokens that a query is looked for as; only `metaclip` cuts queries otherwise than captions.

    Example:
        >>> query_tokens("St. Louis"), query_tokens("St. Louis", "metaclip")
        (['st', 'louis'], ['St.', 'Louis'])
    """
    return query.split(" ") if semantics == "metaclip" else tokens(query, semantics)


def _folded(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_TOKEN.findall(text.lower())
    form = unicodedata.normalize("NFC", text.translate(VISIBLE))
    return _cut(unicodedata.normalize("NFC", form.casefold()))


def _cased(text: str) -> list[str]:
    if text.isascii():
        return _ASCII_TOKEN.findall(text)
    return _cut(unicodedata.normalize("NFC", text.translate(VISIBLE)))


def _cut(text: str) -> list[str]:
    """Cut visible text where the string of its characters' kinds says so."""
    return [text[found.start() : found.end()] for found in _TOKEN.finditer(text.translate(KINDS))]


def _spaced(text: str) -> list[str]:
    return text.translate(_SPACED).split(" ")


_TOKENISERS: Final[dict[Semantics, Callable[[str], list[str]]]] = {
    "witbuild": _folded,
    "exact-case": _cased,
    "metaclip": _spaced,
}
