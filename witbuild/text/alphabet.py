"""The rules of `witbuild.text.tokens` as arrays that a compiled loop can look characters up in.

A character is *plain* when what becomes of it cannot depend on its neighbours: it never combines with the one before
it. A text of plain characters is folded character by character; any other text (a decomposed accent, a Thai tone, a
Devanagari virama) is brought to its normal form by Python first, and that is made of characters that fold to
themselves.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

import numpy as np

from witbuild.text.characters import ALONE, GAP, GONE, KINDS, MARK, WORD

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.text.tokens import Semantics

Side = Literal["caption", "query"]

SIZE: Final = 0x20000
"""Code points with a place in the tables: the two planes that hold nearly all text."""

CODES: Final = {GAP: 0, WORD: 1, ALONE: 2, MARK: 3, GONE: 4}
"""Kind of a character -> its number in `Alphabet.kinds`."""

PART, SPACE, SINGLE = 0, 1, 2
"""Numbers in `Alphabet.kinds` when the text is cut at spaces: part of a token, between two, a token by itself."""


class Alphabet(NamedTuple):
    """What a compiled loop needs to know of characters.

    `kinds` is uint8 of shape (SIZE,), or of shape (256,), by byte, when text is cut at spaces. The folded form of
    code point c is ``fold_bytes[fold_offsets[c]:fold_offsets[c + 1]]`` in UTF-8. `plain` says which code points need
    no help from Python. `case` is the bit of eight bytes at once that makes ASCII capitals small, 0 where they stay,
    -1 where ASCII's letters and digits are not what words are made of.
    """

    at_spaces: bool
    kinds: npt.NDArray[np.uint8]
    plain: npt.NDArray[np.bool_]
    fold_offsets: npt.NDArray[np.int32]
    fold_bytes: npt.NDArray[np.uint8]
    case: int


GROWTH: Final = 2
"""Folding makes no token longer than so many times its bytes."""


@lru_cache(maxsize=4)
def alphabet(semantics: Semantics, side: Side = "caption") -> Alphabet:
    """Return the tables of one semantics; `side` matters to `metaclip` alone, which never cuts queries at marks.

    Example:
        >>> letters = alphabet("witbuild")
        >>> letters.fold_bytes[slice(*letters.fold_offsets[[ord("É"), ord("É") + 1]])].tobytes().decode()
        'é'
    """
    if semantics == "metaclip":
        return _at_spaces(side)
    return _letters(fold=semantics == "witbuild")


def _at_spaces(side: Side) -> Alphabet:
    kinds = np.full(256, PART, np.uint8)
    kinds[ord(" ")] = SPACE
    if side == "caption":
        kinds[list(b"\t\n")] = SPACE
        kinds[list(b",.;:?!`")] = SINGLE
    empty = np.zeros(0, np.uint8)
    return Alphabet(
        at_spaces=True,
        kinds=kinds,
        plain=np.ones(0, np.bool_),
        fold_offsets=np.zeros(1, np.int32),
        fold_bytes=empty,
        case=-1,
    )


def _letters(*, fold: bool) -> Alphabet:
    chars = [chr(code) for code in range(SIZE)]
    forms = _fold_each(chars, fold=fold)
    combining = _combining()
    kinds = np.array([CODES[KINDS[ord(form[0])]] for form in forms], np.uint8)
    plain = np.array([_is_plain(form, combining) for form in forms], np.bool_)
    octets = [form.encode("utf-8", "replace") for form in forms]
    offsets = np.cumsum([0, *map(len, octets)], dtype=np.int32)
    return Alphabet(
        at_spaces=False,
        kinds=kinds,
        plain=plain,
        fold_offsets=offsets,
        fold_bytes=np.frombuffer(b"".join(octets), np.uint8),
        case=_case(kinds, forms),
    )


def _case(kinds: npt.NDArray[np.uint8], forms: list[str]) -> int:
    """Return `Alphabet.case` of the kinds of characters and what becomes of them."""
    ascii_chars = [chr(code) for code in range(128)]
    if [kind == CODES[WORD] for kind in kinds[:128]] != [char.isalnum() for char in ascii_chars]:
        return -1
    folds = {0x2020202020202020: [char.lower() for char in ascii_chars], 0: ascii_chars}
    return next((case for case, folded in folds.items() if folded == forms[:128]), -1)


def _fold_each(chars: list[str], *, fold: bool) -> list[str]:
    """Fold every character by itself, in one call: a line feed between two keeps them apart."""
    form = unicodedata.normalize("NFC", "\n".join(char for char in chars if char != "\n"))
    if fold:
        form = unicodedata.normalize("NFC", form.casefold())
    folded = form.split("\n")
    folded.insert(ord("\n"), "\n")
    return folded


def _is_plain(form: str, combining: frozenset[str]) -> bool:
    if len(form) > 1 and any(KINDS[ord(part)] != WORD for part in form):
        return False
    return not any(part in combining or unicodedata.combining(part) for part in form)


def _combining() -> frozenset[str]:
    """Return the characters that may compose with the one before (NFC_Quick_Check = Maybe; UAX 15, section 9)."""
    found = {chr(code) for code in (*range(0x1161, 0x1176), *range(0x11A8, 0x11C3))}
    for code in range(SIZE):
        parts = unicodedata.decomposition(chr(code)).split()
        if len(parts) == 2 and not parts[0].startswith("<"):
            found.add(chr(int(parts[1], 16)))
    return frozenset(found)
