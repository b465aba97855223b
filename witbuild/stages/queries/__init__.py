"""Queries: the list of what to look for, from Wikipedia, its page views and WordNet.

    dumps, word lists ─> count ─> words ────────────────┐
                           │  └─> bigrams (needs words) ┼─> list ─> queries
                           └ redirects ─┐               │
    page views ─> views ─> resolve ─> titles ───────────┘      (synsets and lists are read by `list`)

Counting is exact and bounded: a task counts a range of a file in a table of fixed size that is written out whenever
it is full, by slice; what adds up, adds up slice by slice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self, TypeVar

from pydantic import model_validator

from witbuild.stage import Stage
from witbuild.stages.queries.add import Bigrams, Words
from witbuild.stages.queries.count import Count
from witbuild.stages.queries.listing import List
from witbuild.stages.queries.parameters import (
    BigramLimits,
    Cut,
    Dumps,
    Listing,
    PageViews,
    Ranking,
    Read,
    TitleLimits,
    WordLimits,
    WordLists,
)
from witbuild.stages.queries.titles import Resolve, Titles, Views

if TYPE_CHECKING:
    from collections.abc import Iterator

AnyStage = TypeVar("AnyStage", bound=Stage)


class Queries(  # the first base comes last among the parameters
    Cut, Listing, TitleLimits, PageViews, Ranking, BigramLimits, WordLimits, Read, WordLists, Dumps
):
    """Build the list of what to look for: words and bigrams of Wikipedia, popular titles, WordNet's synsets, lists."""

    name: ClassVar = "queries"
    output: ClassVar = "queries"

    @model_validator(mode="after")
    def _has_sources(self) -> Self:
        """Refuse parameters that cannot give a list."""
        if self.wikipedia and self.word_counts:
            raise ValueError("wikipedia or word_counts, not both: words would count twice")
        if not (self.wikipedia or self.word_counts or self.pageviews or self.lists or self.synsets or self.numbers):
            raise ValueError("a source: wikipedia, word_counts, pageviews, lists, synsets or numbers")
        return self

    def steps(self) -> tuple[Stage, ...]:
        """Return the steps that the given sources ask for."""
        return tuple(self._steps())

    def _steps(self) -> Iterator[Stage]:
        if self.wikipedia or self.word_counts:
            yield self._step(Count, count_bigrams=self._has_bigrams)
            yield self._step(Words, min_count=self._least_count)
        if self._has_bigrams:
            yield self._step(Bigrams)
        if self.pageviews:
            yield from (self._step(Views), self._step(Resolve), self._step(Titles))
        yield self._step(List)

    @property
    def _has_bigrams(self) -> bool:
        return bool(self.wikipedia) and self.bigrams > 0

    @property
    def _least_count(self) -> int:
        """The occurrences of the rarest words that are needed: as queries, or to score bigrams."""
        return min(self.min_count, self.min_bigram_word_count) if self._has_bigrams else self.min_count

    def _step(self, step: type[AnyStage], **own: Any) -> AnyStage:
        """Return a step with those of these parameters that it has, and its own."""
        mine = type(self).model_fields
        return step(**{**{name: getattr(self, name) for name in step.model_fields if name in mine}, **own})
