"""Which tokens of a text are words, and which words stand next to each other.

The words of `witbuild` and `exact-case` are their tokens (`witbuild.text.tokens`) that hold no number. So the count
of a word, or of a bigram of two words that stand next to each other in a line, is the number of places where `match`
would find it as a query.

`metaclip` matches text as it stands and cannot count it so; its words come from wikipedia-word-frequency
(https://github.com/IlyaSemenov/wikipedia-word-frequency): an en dash is ``-`` and ``’`` is ``'``, letters are lowered,
text is cut at all but word characters, ``-`` and ``'``, and a word starts and ends with a word character and holds
no decimal digit. (Rare Han characters, beyond the second plane of Unicode, are words by themselves here.)
"""

from __future__ import annotations

import re
import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np
import pyarrow as pa

from witbuild.text.alphabet import CODES, SIZE, Alphabet, alphabet
from witbuild.text.characters import GAP, WORD
from witbuild.text.scan import Scan, cut, plain_buffers
from witbuild.text.tokens import tokens

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.text.tokens import Semantics
    from witbuild.text.wikitext import Pages

_JOINERS: Final = "-'"
_SAME: Final = {"–": "-", "’": "'"}
_RUN = re.compile(r"[^ ]+")


def is_word(token: str, semantics: Semantics = "witbuild") -> bool:
    """Say whether a token counts as a word.

    Example:
        >>> [is_word(token) for token in ("dog", "3d", "½")]
        [True, False, False]
        >>> [is_word(token, "metaclip") for token in ("dog's", "-dog", "3d", "m²")]
        [True, False, False, True]
    """
    if semantics == "metaclip":
        inner = not token.startswith(tuple(_JOINERS)) and not token.endswith(tuple(_JOINERS))
        return inner and not any(char.isdecimal() for char in token)
    return not any(unicodedata.category(char)[0] == "N" for char in token)


def line_tokens(line: str, semantics: Semantics = "witbuild") -> list[str]:
    """Return the tokens of a line that words are chosen from: the plain reference of `scan_lines`.

    Example:
        >>> line_tokens("The dog’s well-known 3D", "metaclip")
        ['the', "dog's", 'well-known', '3d']
    """
    if semantics != "metaclip":
        return tokens(line, semantics)
    return _RUN.findall("".join(_lowered(char) for char in line))


def _lowered(char: str) -> str:
    """Return what becomes of a character where MetaCLIP's words are counted: itself in lower case, or a space."""
    char = _SAME.get(char, char)
    if ord(char) >= SIZE:
        return f" {char} "
    return char.lower() if char.isalnum() or char in f"_{_JOINERS}" else " "


@lru_cache(maxsize=1)
def _word_alphabet() -> Alphabet:
    forms = [_lowered(chr(code)) for code in range(SIZE)]
    octets = [form.encode("utf-8", "replace") for form in forms]
    return Alphabet(
        at_spaces=False,
        kinds=np.array([CODES[GAP if form == " " else WORD] for form in forms], np.uint8),
        plain=np.ones(SIZE, np.bool_),
        fold_offsets=np.cumsum([0, *map(len, octets)], dtype=np.int32),
        fold_bytes=np.frombuffer(b"".join(octets), np.uint8),
        case=-1,
    )


@lru_cache(maxsize=2)
def number_table(semantics: Semantics) -> npt.NDArray[np.bool_]:
    """Return for each code point, bool of shape (SIZE,), whether a token that holds it is no word."""
    return np.array([not is_word(f"a{chr(code)}a", semantics) for code in range(SIZE)], np.bool_)


def line_starts(pages: Pages) -> npt.NDArray[np.int64]:
    """Return where the lines of texts that all end in a line break start, and the end: int64 of shape (lines + 1,)."""
    return np.concatenate([np.zeros(1, np.int64), np.flatnonzero(pages.data == ord("\n")) + 1])


def scan_lines(pages: Pages, starts: npt.NDArray[np.int64], semantics: Semantics) -> Scan:
    """Return the tokens of every line of texts."""
    if semantics == "metaclip":
        return cut(pages.data, starts, _word_alphabet())
    letters = alphabet(semantics)
    lines = pa.LargeStringArray.from_buffers(len(starts) - 1, pa.py_buffer(starts), pa.py_buffer(pages.data))
    return cut(*plain_buffers(lines, semantics, letters), letters)
