"""Why a text is in the query list or not: what each source says of it, and what follows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Self

from witbuild.audit import evidence
from witbuild.stages.queries.add import Bigrams
from witbuild.stages.queries.titles import Titles
from witbuild.text.normalise import can_match, normalise
from witbuild.text.tokens import query_tokens
from witbuild.text.words import is_word

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from witbuild.audit.evidence import Bigram, Steps, Title, Word
    from witbuild.stages.queries.listing import List
    from witbuild.stages.queries.parameters import BigramLimits, TitleLimits

TABLE = ".parquet"
"""What the name of a list that is a file by itself ends in."""


@dataclass(frozen=True)
class Verdict:
    """What one source says of a text: whether it proposes it, and why."""

    source: str
    says: str
    proposes: bool

    @classmethod
    def yes(cls, source: str, says: str) -> Self:
        """Return the verdict of a source that proposes the text."""
        return cls(source, says, proposes=True)

    @classmethod
    def no(cls, source: str, says: str) -> Self:
        """Return the verdict of a source that does not."""
        return cls(source, says, proposes=False)


@dataclass(frozen=True, kw_only=True)
class Listed:
    """Whether a text is in a query list, and why."""

    text: str
    query: str
    """Its normal form: what is looked for."""
    verdict: str
    """In one sentence."""
    row: Mapping[str, Any] | None
    """Of the list, where it is there."""
    sources: list[Verdict] = field(default_factory=list)


def explain_query(path: str, text: str) -> Listed:
    """Tell whether a text is in a query list and why.

    Args:
        path: of a run with a query list, which can tell all; or of the list as one file, which knows its rows only.
        text: as one would write it.

    Raises:
        InputError: there is no such run or list.
    """
    return _of_file(path, text) if path.endswith(TABLE) else _of_run(path, text)


def _of_file(path: str, text: str) -> Listed:
    for query in dict.fromkeys([text, normalise(text)]):
        for row in evidence.rows_of((path,), "query", query):
            return Listed(text=text, query=query, verdict=_in_the_list(row), row=row)
    verdict = "not in the list; the list does not say why: ask the run that made it"
    return Listed(text=text, query=normalise(text), verdict=verdict, row=None)


def _of_run(path: str, text: str) -> Listed:
    steps = evidence.Steps.of(path)
    listing = steps.listing
    query = normalise(text, listing.semantics)
    row = next(evidence.rows_of(steps.paths("list"), "query", query), None)
    sources = list(_verdicts(steps, query)) if query else []
    verdict = _in_the_list(row) if row else f"not in the list: {_absence(query, sources, listing)}"
    return Listed(text=text, query=query, verdict=verdict, row=row, sources=sources)


def _in_the_list(row: Mapping[str, Any]) -> str:
    parts = [f"as a {row['source']}, rank {row['rank']:,}"]
    parts += [f"count {row['count']:,}"] if row["count"] is not None else []
    parts += [f"score {row['score']:.6g}"] if row["score"] is not None else []
    return f"in the list: query_id {row['query_id']}, {', '.join(parts)}"


def _absence(query: str, sources: list[Verdict], listing: List) -> str:
    """Return why a text is not in the list, from what its sources say."""
    if not query or not (listing.keep_unmatchable or can_match(query, listing.semantics)):
        return "no caption can match it"
    if any(verdict.proposes for verdict in sources):
        return f"the budget of {listing.budget:,} was used up by what comes before it"
    return "; ".join(verdict.says for verdict in sources) or "no source of this run holds it"


def _verdicts(steps: Steps, query: str) -> Iterator[Verdict]:
    """Yield what each source of a run says that can say anything of a query."""
    listing = steps.listing
    tokens = query_tokens(query, listing.semantics)
    if query in _given(listing):
        yield Verdict.yes("list", f"a line of {', '.join(listing.lists)}")
    if query in map(str, range(listing.numbers)):
        yield Verdict.yes("number", f"one of the numbers from 0 to {listing.numbers - 1}")
    if steps.has("words") and len(tokens) == 1:
        yield judge_word(query, evidence.word(steps, query), listing)
    if steps.has("bigrams") and len(tokens) == 2:
        yield judge_bigram(evidence.bigram(steps, *tokens), listing, steps.stage("bigrams", Bigrams))
    if steps.has("titles"):
        found = evidence.title(steps, query, listing.semantics)
        yield judge_title(found, listing, steps.stage("titles", Titles))
    if query in _synsets(listing):
        yield Verdict.yes("synset", "the name of a synset of WordNet")


def _given(listing: List) -> set[str]:
    from collections import Counter

    from witbuild.sources.wordlist import read_queries
    from witbuild.stages.queries.count import expanded

    dropped: Counter[str] = Counter()
    lines = (line for path in expanded(listing.lists) for line in read_queries(path, dropped))
    return {normalise(line, listing.semantics) for line in lines}


def _synsets(listing: List) -> set[str]:
    from witbuild.sources.wordnet import name, read_synsets

    found = read_synsets(listing.wordnet) if listing.synsets else iter(())
    return {normalise(name(synset.lemma, cut=listing.cut_synsets), listing.semantics) for synset in found}


def judge_word(query: str, found: Word, listing: List) -> Verdict:
    """Say what the corpus says of a word."""
    if not is_word(query, listing.semantics):
        return Verdict.no("word", "it holds a number, so it is no word")
    if not found.count:
        return Verdict.no("word", "the corpus does not hold the word")
    if found.count < listing.min_count:
        return Verdict.no("word", f"count {found.count:,}, needed {listing.min_count:,}")
    if 0 < found.pages < listing.min_pages:
        return Verdict.no("word", f"articles that hold it {found.pages:,}, needed {listing.min_pages:,}")
    place = f"count {found.count:,} (needed {listing.min_count:,}), rank {found.rank:,}"
    return _within("word", place, found.rank, listing.words)


def judge_bigram(found: Bigram, listing: List, limits: BigramLimits) -> Verdict:
    """Say what the corpus says of a bigram."""
    if not found.count:
        return Verdict.no("bigram", "the corpus does not hold the bigram")
    if found.count < limits.min_bigram_count:
        return Verdict.no("bigram", f"count {found.count:,}, needed {limits.min_bigram_count:,}")
    if min(found.words) < limits.min_bigram_word_count:
        one, other = found.words
        return Verdict.no("bigram", f"its words count {one:,} and {other:,}, needed {limits.min_bigram_word_count:,}")
    score = f"PMI {found.pmi:.6g}" + (f", {listing.score} {found.score:.6g}" if listing.score != "pmi" else "")
    needed = f" (needed {found.floor:.6g})" if found.floor > float("-inf") else ""
    place = f"count {found.count:,}, {score}{needed}"
    if found.score < found.floor:
        return Verdict.no("bigram", place)
    return _within("bigram", f"{place}, rank {found.rank:,}", found.rank, listing.bigrams)


def judge_title(found: Title | None, listing: List, limits: TitleLimits) -> Verdict:
    """Say what the page views say of a title."""
    if found is None:
        return Verdict.no("title", "nobody looked at such a title")
    place = f"{found.title!r} has {found.views:,} views (needed {limits.min_views:,})"
    if found.views < limits.min_views:
        return Verdict.no("title", place)
    return _within("title", f"{place}, rank {found.rank:,}", found.rank, listing.titles)


def _within(source: str, place: str, rank: int, most: int | None) -> Verdict:
    if most is not None and rank >= most:
        return Verdict.no(source, f"{place}, and {most:,} are taken")
    return Verdict.yes(source, place)
