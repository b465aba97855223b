"""Bytes of a page to text: the encodings of the WHATWG Encoding standard, and how a page's one is found."""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    Octets = bytes | memoryview

_BOMS = ((codecs.BOM_UTF8, "utf-8"), (codecs.BOM_UTF16_LE, "utf-16-le"), (codecs.BOM_UTF16_BE, "utf-16-be"))
_PRESCAN_BYTES = 1024
_META = re.compile(rb"<meta[^>]{1,400}?charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE)
_HEADER = re.compile(r"charset\s*=\s*[\"']?\s*([A-Za-z0-9_:.\-]{1,40})", re.IGNORECASE)
_FALLBACK = "cp1252"
_MARKED = frozenset(mark for mark, _ in _BOMS)
_LEAST_MARK = min(mark[0] for mark in _MARKED)
_NOT_ASCII = frozenset({"utf-16-le", "utf-16-be", "iso2022_jp"})
"""Encodings in which bytes below 128 may be something else than ASCII."""
_KNOWN = frozenset(
    ["utf-8", "utf-16-le", "utf-16-be", "cp866", "koi8-r", "koi8-u", "mac-roman", "mac-cyrillic", "cp874"]
    + [f"cp125{digit}" for digit in range(9)]
    + [f"iso8859-{part}" for part in (2, 3, 4, 5, 6, 7, 8, 10, 13, 14, 15, 16)]
    + ["gb18030", "big5hkscs", "euc_jp", "iso2022_jp", "cp932", "cp949"],
)
"""Python's names of the standard's encodings; others (UTF-7, UTF-32, EBCDIC) are never read."""
_READ_AS = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "tis-620": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "hz": "gb18030",
    "shift_jis": "cp932",
    "euc_kr": "cp949",
    "big5": "big5hkscs",
    "utf-16": "utf-16-le",
    "utf-8-sig": "utf-8",
}
"""Python's name of a label's encoding -> the one that the standard reads it as."""
_LABELS = {
    "x-sjis": "cp932",
    "windows-31j": "cp932",
    "x-euc-jp": "euc_jp",
    "x-gbk": "gb18030",
    "ks_c_5601-1987": "cp949",
    "x-x-big5": "big5hkscs",
    "unicode-1-1-utf-8": "utf-8",
    "x-mac-roman": "mac-roman",
    "x-mac-cyrillic": "mac-cyrillic",
    "iso-8859-8-i": "iso8859-8",
}
"""Labels of the standard that Python does not know."""


def decode(body: bytes, content_type: str = "") -> str:
    r"""Return a page's text; bytes that are not in its encoding become U+FFFD.

    A byte-order mark decides. Else a page that is valid UTF-8 beyond ASCII is UTF-8 whatever it declares, since
    no other text looks like it; then the header counts, then a `<meta>` in the first 1,024 bytes.

    Args:
        body: of the page.
        content_type: the header's value, with its charset if it has one.

    Example:
        >>> decode(b"<meta charset=iso-8859-1>caf\xe9 \x80"), decode("café".encode(), "text/html; charset=ascii")
        ('<meta charset=iso-8859-1>café €', 'café')
    """
    for mark, name in _BOMS:
        if body.startswith(mark):
            return body[len(mark) :].decode(name, "replace")
    declared = _declared(body, content_type)
    if not body.isascii() and declared != "utf-8":
        try:
            return body.decode("utf-8")
        except UnicodeDecodeError:
            pass
    return body.decode(declared or _FALLBACK, "replace")


def utf8(body: bytes, content_type: str = "") -> bytes:
    r"""Return a page's text, as `decode` finds it, in UTF-8; the bytes themselves where they are that already.

    Example:
        >>> utf8(b"<meta charset=iso-8859-1>caf\xe9"), utf8("café".encode())
        (b'<meta charset=iso-8859-1>caf\xc3\xa9', b'caf\xc3\xa9')
    """
    if is_marked(body):
        return decode(body, content_type).encode("utf-8", "replace")
    if body.isascii() and is_ascii(body, content_type):
        return body
    text = decode(body, content_type).encode("utf-8", "replace")
    return body if text == body else text


def is_marked(body: Octets) -> bool:
    """Say whether a page begins with a byte-order mark."""
    if not body or body[0] < _LEAST_MARK:
        return False
    return bytes(body[:3]) in _MARKED or bytes(body[:2]) in _MARKED


def is_ascii(body: Octets, content_type: str) -> bool:
    """Say whether bytes below 128 are ASCII in the encoding that a page declares."""
    return _declared(body, content_type) not in _NOT_ASCII


def _declared(body: Octets, content_type: str) -> str | None:
    header = _HEADER.search(content_type[:400])
    if header:
        return codec(header[1])
    meta = _META.search(bytes(body[:_PRESCAN_BYTES]))
    found = codec(meta[1].decode("ascii")) if meta else None
    return "utf-8" if found and found.startswith("utf-16") else found  # it was read as ASCII, so it is not UTF-16


@lru_cache(maxsize=256)
def codec(label: str) -> str | None:
    """Return Python's name of the encoding that browsers use for a label; None when the standard has none.

    Example:
        >>> codec("Latin1"), codec("shift-jis"), codec("utf-7"), codec("rot13")
        ('cp1252', 'cp932', None, None)
    """
    label = label.strip().lower()
    try:
        name = _LABELS.get(label) or codecs.lookup(label).name
    except (LookupError, ValueError):
        return None
    name = _READ_AS.get(name, name)
    return name if name in _KNOWN else None
