"""Captions as they may stand in a table: one line, bounded, valid Unicode, nothing that turns text around."""

from __future__ import annotations

import re

MAX_CHARACTERS = 2_000
MAX_READ = 32 * MAX_CHARACTERS
"""Characters of a text that are looked at; what stands beyond is not read."""
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
_SURROGATE = re.compile("[\ud800-\udfff]")
_PLANE_ENDS = "".join(chr(plane << 16 | 0xFFFE) + chr(plane << 16 | 0xFFFF) for plane in range(17))
_REMOVED = re.compile(
    "[\x00-\x08\x0e-\x1b\x7f-\x84\x86-\x9f"  # controls that are no white space
    "\u00ad\ufeff\ufff9-\ufffb"  # soft hyphen, byte-order mark, annotation marks
    "\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069"  # direction marks, overrides and isolates
    f"\ufdd0-\ufdef{_PLANE_ENDS}]"  # noncharacters
)


def clean(text: str) -> str:
    r"""Return a text as a caption: white space collapsed, unsafe characters removed, at most 2,000 characters.

    Controls, direction marks and overrides (Unicode TR 36, section 3), noncharacters and lone surrogates go;
    surrogates that make a pair become its character. Joiners stay: Persian and emoji need them.

    Example:
        >>> clean(" a\u202e red\n\t square \ud83d\ude00 \ud800")
        'a red square 😀'
        >>> len(clean("x" * 10_000_000))
        2000
    """
    return cleaned(text)[0]


def cleaned(text: str) -> tuple[str, bool]:
    """Return a text as a caption, and whether its end was cut off.

    Example:
        >>> cleaned("a square "), cleaned("x" * 2_001)[1]
        (('a square', False), True)
    """
    read = text[:MAX_READ]
    if not (read.isascii() and read.isprintable()):
        read = _REMOVED.sub("", _joined(read))
    line = " ".join(read.split())
    if len(line) <= MAX_CHARACTERS:
        return line, len(text) > MAX_READ
    return line[:MAX_CHARACTERS].rstrip(), True


def _joined(text: str) -> str:
    if not _SURROGATE.search(text):
        return text
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")
