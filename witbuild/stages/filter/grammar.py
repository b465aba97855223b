"""Rules on parts of speech, by lists of English words: no tagger, no model."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Literal

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from collections.abc import Iterable

    from witbuild.stages.filter.rules import Mask
    from witbuild.text.match import Matcher

_DETERMINERS = """
    a an the this that these those my your his her its our their whose which what each every either neither some any
    no all both half many much few several enough another other
"""
DETERMINERS = frozenset(_DETERMINERS.split())
"""Words of English that determine a noun (Quirk et al. 1985, section 5.10)."""
_PLURALS = (("", "s"), ("", "es"), ("y", "ies"), ("man", "men"))
"""Endings of a noun and of its regular plural (the noun rules of WordNet's morphy)."""


def has_noun(table: pa.Table, _on: Literal[True]) -> Mask:
    """A word of the caption, or what an English plural comes from, is a noun of WordNet."""
    return _holds(table, _noun_matcher())


def has_determiner(table: pa.Table, _on: Literal[True]) -> Mask:
    """A word of the caption is an English determiner: a, the, this, some, ..."""
    return _holds(table, _determiner_matcher())


def with_plurals(noun: str) -> list[str]:
    """Return a noun and its regular plurals; of an irregular one too, which no text has.

    Example:
        >>> with_plurals("berry"), with_plurals("fireman")
        (['berry', 'berrys', 'berryes', 'berries'], ['fireman', 'firemans', 'firemanes', 'firemen'])
    """
    return [noun, *(noun.removesuffix(one) + many for one, many in _PLURALS if noun.endswith(one))]


@lru_cache(maxsize=1)
def nouns() -> frozenset[str]:
    """Return the names of WordNet's noun synsets that are one word, in lower case."""
    from witbuild.sources.wordnet import shipped

    return frozenset(lemma.lower() for part, lemma in shipped() if part == "n" and "_" not in lemma)


def _holds(table: pa.Table, words: Matcher) -> Mask:
    """Say of each caption whether one of its words is one of some."""
    return np.asarray(pc.greater(pc.list_value_length(words.match(table["caption"])), 0), np.bool_)


@lru_cache(maxsize=1)
def _noun_matcher() -> Matcher:
    return _matcher(form for noun in nouns() for form in with_plurals(noun))


@lru_cache(maxsize=1)
def _determiner_matcher() -> Matcher:
    return _matcher(DETERMINERS)


def _matcher(words: Iterable[str]) -> Matcher:
    """Return a matcher of those words that are one token."""
    from witbuild.text.match import Matcher
    from witbuild.text.tokens import tokens

    single = sorted(word for word in set(words) if tokens(word) == [word])
    return Matcher(pa.array(single, pa.string()), "witbuild")
