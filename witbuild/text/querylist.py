"""From candidates of several sources to the query list: normal form, no repeats, none that cannot match, a budget."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from witbuild.text.normalise import can_match, normalise

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from witbuild.text.tokens import Semantics

Source = Literal["list", "number", "word", "bigram", "title", "synset"]
Order = Literal["clip", "metaclip"]

ORDERS: Final[Mapping[Order, tuple[Source, ...]]] = {
    "clip": ("list", "number", "word", "bigram", "title", "synset"),
    "metaclip": ("list", "number", "synset", "word", "bigram", "title"),
}
"""Which source comes first: CLIP (Radford et al. 2021, section 2.2), MetaCLIP (Xu et al. 2023, section 3.1)."""


@dataclass(frozen=True)
class Candidate:
    """What a source proposes; a source's candidates come best first."""

    text: str
    count: int | None = None
    score: float | None = None


@dataclass(frozen=True)
class Query:
    """A query of the list; `rank` is its place among its source's candidates."""

    query: str
    source: Source
    count: int | None
    score: float | None
    rank: int


class Rules(NamedTuple):
    """What becomes of candidates."""

    semantics: Semantics
    budget: int
    keep_unmatchable: bool = False


def query_list(sources: Iterable[tuple[Source, Iterable[Candidate]]], rules: Rules) -> tuple[list[Query], Counter[str]]:
    """Return the queries, in the order of the sources and of their candidates, and how many are left out by reason.

    Reasons: `duplicate` (an earlier query has the same normal form), `cannot_match` (no caption can contain it),
    `over_budget`.

    Example:
        >>> words, synsets = [Candidate("dog", 7), Candidate("...")], [Candidate("Dog"), Candidate("cat")]
        >>> found, dropped = query_list([("word", words), ("synset", synsets)], Rules("witbuild", budget=9))
        >>> [(query.query, query.source, query.rank) for query in found], dict(dropped)
        ([('dog', 'word', 0), ('cat', 'synset', 1)], {'cannot_match': 1, 'duplicate': 1})
    """
    kept: dict[str, Query] = {}
    dropped: Counter[str] = Counter()
    for query in _normal(sources, rules.semantics):
        reason = _reason(query.query, kept, rules)
        if reason:
            dropped[reason] += 1
        else:
            kept[query.query] = query
    return list(kept.values()), dropped


def _normal(sources: Iterable[tuple[Source, Iterable[Candidate]]], semantics: Semantics) -> Iterator[Query]:
    for source, candidates in sources:
        for rank, found in enumerate(candidates):
            yield Query(normalise(found.text, semantics), source, found.count, found.score, rank)


def _reason(query: str, kept: Mapping[str, Query], rules: Rules) -> str:
    """Return why a query is left out, or an empty string."""
    if query in kept:
        return "duplicate"
    if not query or not (rules.keep_unmatchable or can_match(query, rules.semantics)):
        return "cannot_match"
    return "over_budget" if len(kept) >= rules.budget else ""
