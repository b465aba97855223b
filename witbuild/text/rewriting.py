"""Captions rewritten, as some published sets have them: each change a regular expression of RE2 over a whole column."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

_BRACKETS = r"[(\[][^)\]]*[)\]]"
_RESOLUTION = r"(?i)[0-9]+\s*[x×*]\s*[0-9]+(?:\s*(?:px|pixels))?"
_HANDLE = r"@[\pL\pN_.]+"
_BEYOND_ASCII = r"[^\x00-\x7F]+"


def without_brackets(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without what stands in round or square brackets.

    Example:
        >>> import pyarrow as pa
        >>> without_brackets(pa.chunked_array([["[OC] a dog (my own)", "a (b"]])).to_pylist()
        ['a dog', 'a (b']
    """
    return _removed(texts, _BRACKETS)


def without_resolutions(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts without sizes of images, such as 1920x1080.

    Example:
        >>> import pyarrow as pa
        >>> without_resolutions(pa.chunked_array([["Alps 1920 x 1080px at dawn", "4 x 4 car"]])).to_pylist()
        ['Alps at dawn', 'car']
    """
    return _removed(texts, _RESOLUTION)


def without_phrases(texts: pa.ChunkedArray, phrases: Iterable[str]) -> pa.ChunkedArray:
    """Return texts without some phrases, whatever their case, where they stand as whole words.

    Example:
        >>> import pyarrow as pa
        >>> texts = pa.chunked_array([["Thumbnail for a dog", "image formats"]])
        >>> without_phrases(texts, ["image for", "thumbnail for"]).to_pylist()
        ['a dog', 'image formats']
    """
    return _removed(texts, rf"(?i)\b(?:{'|'.join(re.escape(phrase) for phrase in phrases)})\b")


def with_handles_as(texts: pa.ChunkedArray, stand_in: str) -> pa.ChunkedArray:
    r"""Return texts with something else for each name of an account, a word that begins with @.

    Example:
        >>> import pyarrow as pa
        >>> with_handles_as(pa.chunked_array([["by @some.one!", "a @ b"]]), "<usr>").to_pylist()
        ['by <usr>!', 'a @ b']
    """
    return pc.replace_substring_regex(texts, _HANDLE, stand_in.replace("\\", r"\\"))


def ascii_only(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    """Return texts in ASCII: letters without their accents, compatible forms as plain ones, all else left out.

    Example:
        >>> import pyarrow as pa
        >>> ascii_only(pa.chunked_array([["Crème brûlée 😀 ½", "日本"]])).to_pylist()
        ['Creme brulee 12', '']
    """
    plain = pc.utf8_normalize(texts, "NFKD")
    return _spaced(pc.replace_substring_regex(plain, _BEYOND_ASCII, ""))


def _removed(texts: pa.ChunkedArray, pattern: str) -> pa.ChunkedArray:
    """Remove what a pattern finds; a space takes its place, so that no words grow together."""
    return _spaced(pc.replace_substring_regex(texts, pattern, " "))


def _spaced(texts: pa.ChunkedArray) -> pa.ChunkedArray:
    return pc.utf8_trim_whitespace(pc.replace_substring_regex(texts, r"\s+", " "))
