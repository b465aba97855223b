"""Rules on the caption; a word is a token of `witbuild.text.tokens`."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.stages.filter.rules import Mask

_DETERMINERS = """
    a an the this that these those my your his her its our their whose which what each every either neither some any
    no all both half many much few several enough another other
"""
DETERMINERS = frozenset(_DETERMINERS.split())
"""Words of English that determine a noun (Quirk et al. 1985, section 5.10)."""

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
    return np.array([repeated(words) <= most for words in _tokens(table)], np.bool_)


def repeated(words: Sequence[str]) -> float:
    """Return the share of words that occurred before.

    Example:
        >>> repeated("buy shoes buy shoes cheap".split()), repeated([])
        (0.4, 0.0)
    """
    return 1 - len(set(words)) / len(words) if words else 0.0


def has_noun(table: pa.Table, _on: Literal[True]) -> Mask:
    """A word of the caption, or what an English plural comes from, is a noun of WordNet."""
    nouns = _nouns()
    return np.array(
        [any(form in nouns for word in words for form in singulars(word)) for words in _tokens(table)], bool
    )


def singulars(word: str) -> list[str]:
    """Return a word and what it could be the regular plural of (the noun rules of WordNet's morphy).

    Example:
        >>> singulars("berries"), singulars("foxes")
        (['berries', 'berrie', 'berri', 'berry'], ['foxes', 'foxe', 'fox'])
    """
    endings = (("s", ""), ("es", ""), ("ies", "y"), ("men", "man"))
    return [word, *(word.removesuffix(old) + new for old, new in endings if word.endswith(old))]


def has_determiner(table: pa.Table, _on: Literal[True]) -> Mask:
    """A word of the caption is an English determiner: a, the, this, some, ..."""
    return np.array([not DETERMINERS.isdisjoint(words) for words in _tokens(table)], np.bool_)


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


def _tokens(table: pa.Table) -> list[list[str]]:
    from witbuild.text.tokens import tokens

    return [tokens(caption) for caption in table["caption"].to_pylist()]


@lru_cache(maxsize=1)
def _nouns() -> frozenset[str]:
    from witbuild.sources.wordnet import shipped

    return frozenset(lemma.lower() for part, lemma in shipped() if part == "n" and "_" not in lemma)
