"""Rules on the caption; a word is a token of `witbuild.text.tokens`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.stages.filter.rules import Mask

_URL = r"^(?i:[a-z][a-z0-9+.-]*://|www\.)\S*$"
_FILE = (
    r"(?i)(?:\.(?:jpe?g|jfif|png|gif|webp|svg|bmp|tiff?|avif|heic)"
    r"|^(?:img|dsc[nf]?|pict?|image|photo|picture|screenshot|untitled)[\s_-]*\d*)$"
)


def min_characters(table: pa.Table, least: int) -> Mask:
    """The caption has at least so many characters."""
    return _lengths(table) >= least


def max_characters(table: pa.Table, most: int) -> Mask:
    """The caption has at most so many characters."""
    return _lengths(table) <= most


def min_words(table: pa.Table, least: int) -> Mask:
    """The caption has at least so many words."""
    return _words(table) >= least


def max_words(table: pa.Table, most: int) -> Mask:
    """The caption has at most so many words."""
    return _words(table) <= most


def repeated_words(table: pa.Table, most: float) -> Mask:
    """At most this share of the caption's words occurred in it before."""
    from witbuild.text.repetition import distinct_counts, token_hashes
    from witbuild.text.scan import scan

    found = scan(table["caption"], "witbuild")
    words = np.diff(found.lasts, prepend=0)
    return 1 - distinct_counts(token_hashes(found), found.lasts) / np.maximum(words, 1) <= np.where(words > 0, most, 1)


def repeated(words: Sequence[str]) -> float:
    """Return the share of words that occurred before.

    Example:
        >>> repeated("buy shoes buy shoes cheap".split()), repeated([])
        (0.4, 0.0)
    """
    return 1 - len(set(words)) / len(words) if words else 0.0


def caption_not_url(table: pa.Table, _on: Literal[True]) -> Mask:
    """The caption is not a URL."""
    return caption_not_matches(table, _URL)


def caption_not_filename(table: pa.Table, _on: Literal[True]) -> Mask:
    """The caption does not end like the name of an image file and is no camera's number."""
    return caption_not_matches(table, _FILE)


def caption_matches(table: pa.Table, pattern: str) -> Mask:
    """The regular expression (RE2) is found in the caption."""
    return np.asarray(pc.match_substring_regex(table["caption"], pattern), np.bool_)


def caption_not_matches(table: pa.Table, pattern: str) -> Mask:
    """The regular expression (RE2) is not found in the caption."""
    return ~caption_matches(table, pattern)


def caption_source(table: pa.Table, wanted: list[str]) -> Mask:
    """The caption comes from one of these: alt, title, figcaption, og, jsonld, api, list, folder, sitemap."""
    return np.asarray(pc.is_in(table["caption_source"], pa.array(wanted)), np.bool_)


def _lengths(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int32]]:
    return np.asarray(pc.utf8_length(table["caption"]))


def _words(table: pa.Table) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    from witbuild.text.scan import scan

    return np.diff(scan(table["caption"], "witbuild").lasts, prepend=0)
