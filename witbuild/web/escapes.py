"""Character references in attribute values: `&amp;`, `&eacute`, `&#233;`, `&#xE9;` (HTML standard, 13.2.5.72)."""

from __future__ import annotations

import re
from html.entities import html5
from typing import Final

_REFERENCE = re.compile(r"&(?:#[xX]([0-9a-fA-F]+);?|#([0-9]+);?|([0-9A-Za-z]+)(;|(?!=)))")
_REPLACEMENT: Final = "\N{REPLACEMENT CHARACTER}"
_MOST_DIGITS: Final = 7
_WINDOWS: Final = {code: bytes([code]).decode("cp1252", "ignore") or chr(code) for code in range(0x80, 0xA0)}
"""Numbers of control characters that mean the character of Windows-1252 (the standard's table)."""


def unescape(value: str) -> str:
    """Return an attribute's value with its character references resolved, as a browser does.

    A name without its semicolon counts only where neither a letter, a digit nor an equals sign follows, so that
    addresses such as `?a=1&copy=2` stay.

    Example:
        >>> unescape("R&amp;D &copy 2024 &notit; ?a&copy=1 &#128; &#xE9;")
        'R&D © 2024 &notit; ?a&copy=1 € é'
    """
    return _REFERENCE.sub(_resolved, value) if "&" in value else value


def _resolved(match: re.Match[str]) -> str:
    hexadecimal, decimal, name, end = match.groups()
    if name:
        return html5.get(name + end, match[0])
    digits = (hexadecimal or decimal).lstrip("0")
    if len(digits) > _MOST_DIGITS:
        return _REPLACEMENT
    code = int(digits or "0", 16 if hexadecimal else 10)
    if code == 0 or code > 0x10FFFF or 0xD800 <= code <= 0xDFFF:
        return _REPLACEMENT
    return _WINDOWS.get(code) or chr(code)
