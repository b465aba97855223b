"""The normal form of a text: its tokens with one space between; the rules stand in `witbuild.text.tokens`."""

from __future__ import annotations

import re

from witbuild.text.tokens import Semantics, query_tokens, tokens

_MARK_WITH_ITS_SPACES = re.compile(" ?([,.;:?!`]) ?")


def normalise(text: str, semantics: Semantics = "witbuild") -> str:
    """Return what a query is looked for as; two queries with one normal form match the same captions.

    The normal form of a normal form is itself. Under `metaclip` nothing is changed.

    Example:
        >>> normalise("  Rock 'n' Roll "), normalise("naïve"), normalise("...")
        ('rock n roll', 'naïve', '')
    """
    return " ".join(query_tokens(text, semantics))


def can_match(query: str, semantics: Semantics = "witbuild") -> bool:
    r"""Say whether any caption at all can match a query.

    A query without letters or digits never matches. Under `metaclip`, neither does one with a mark that a
    caption would have spaced, such as ``St. Louis``.

    Example:
        >>> can_match("St. Louis"), can_match("?!")
        (True, False)
        >>> [can_match(query, "metaclip") for query in ("St. Louis", "St Louis", "a , b", "a\tb", "")]
        [False, True, True, False, False]
    """
    if semantics != "metaclip":
        return bool(tokens(query, semantics))
    return bool(query.strip()) and _contains(tokens(_tightest(query), semantics), query_tokens(query, semantics))


def _tightest(query: str) -> str:
    """Return the only text whose spacing could give this query: a space less on both sides of each mark."""
    return _MARK_WITH_ITS_SPACES.sub(r"\1", query)


def _contains(text: list[str], run: list[str]) -> bool:
    return any(text[start : start + len(run)] == run for start in range(len(text)))
