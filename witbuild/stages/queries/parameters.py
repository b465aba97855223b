"""The parameters of `queries`, in the groups that its steps share."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from witbuild.stage import Stage, digested
from witbuild.text.tokens import Semantics  # noqa: TC001 pydantic reads the annotation

Order = Literal["clip", "metaclip"]
Score = Literal["pmi", "npmi", "metaclip2"]
Access = Literal["desktop", "mobile", "app"]


class Cut(Stage):
    """How the steps between sources and list are cut."""

    slices: int = Field(64, ge=1, le=65_536)
    """Into how many slices counts are cut: memory falls with it, the list does not depend on it."""


class Read(Stage):
    """How text is read."""

    semantics: Semantics = "witbuild"
    """How text is cut into words, as `match` is to do it later; `metaclip` counts as wikipedia-word-frequency does."""


class Dumps(Stage):
    """Where text comes from."""

    wikipedia: list[str] = digested([])
    """Texts of Wikipedia: dumps, *-pages-articles*.xml.bz2 (multistream ones are read in parallel), search index dumps,
    *-cirrussearch-content.json.gz, or cleaned text, *.parquet with a column `text`: paths, globs or URLs."""


class WordLists(Stage):
    """Where counts come from when no text is read."""

    word_counts: list[str] = digested([])
    """Ready counts in place of dumps: text files with `word count` a line, by paths, globs or URLs."""


class WordLimits(Stage):
    """Which words are kept."""

    min_count: int = Field(100, ge=1)
    """Occurrences that a word needs; CLIP asks for 100."""
    min_pages: int = Field(1, ge=1)
    """Articles that a word must occur in, where dumps say so; MetaCLIP's counts ask for 3."""


class BigramLimits(Stage):
    """Which bigrams are kept."""

    min_bigram_count: int = Field(100, ge=1)
    """Occurrences that a bigram needs."""
    min_bigram_word_count: int = Field(100, ge=1)
    """Occurrences that each of the two words of a bigram needs."""


class Ranking(Stage):
    """How bigrams are ranked."""

    bigrams: int = Field(100_646, ge=0)
    """Bigrams that are taken, best score first; 0 counts none. MetaCLIP has 100,646."""
    score: Score = "pmi"
    """What bigrams are ranked by: `pmi`, `npmi`, or `metaclip2`, which weighs PMI by count."""
    min_score: float | None = None
    """Score that a bigram needs; MetaCLIP's PMI of 30 selects nothing in fewer than a thousand million words."""


class PageViews(Stage):
    """Where page views come from."""

    pageviews: list[str] = digested([])
    """Page view files, hourly, daily or monthly, summed: paths, globs or URLs."""
    project: str = "en.wikipedia"
    """The wiki whose titles are queries, as page view files name it."""
    access: list[Access] = Field(["desktop", "mobile", "app"])
    """Which views count; hourly files hold those of apps in mobile."""
    min_views_in_file: int = Field(0, ge=0)
    """Views that a title needs in one file for that file to count; MetaCLIP asks for 50 an hour."""


class TitleLimits(Stage):
    """Which titles are kept."""

    min_views: int = Field(70, ge=1)
    """Views that a title needs in all files together; MetaCLIP asks for 70."""


class Listing(Stage):
    """What is put in the list, in which order."""

    synsets: bool = True
    """Whether the names of WordNet's synsets are queries."""
    wordnet: str = digested("")
    """Another WordNet: the folder of its database files (WNDB) or a WN-LMF file; else WordNet 3.0, which ships."""
    cut_synsets: bool = False
    """Cut a synset's name at its first full stop and lower its case, as MetaCLIP does: `St._Petersburg` is `st`."""
    lists: list[str] = digested([])
    """Text files with a query a line, which come first: paths, globs or URLs."""
    numbers: int = Field(0, ge=0)
    """Numbers from 0 on that are queries; MetaCLIP has 100."""
    words: int | None = Field(None, ge=0)
    """Words that are taken, most frequent first, so that they leave room in the budget; all when not given."""
    titles: int | None = Field(None, ge=0)
    """Titles that are taken, most viewed first; all when not given."""
    order: Order = "clip"
    """`clip`: words, bigrams, titles, synsets; `metaclip`: synsets, words, bigrams, titles; after lists and numbers."""
    budget: int = Field(500_000, ge=1)
    """Queries at most; what comes last in the order is left out."""
    keep_unmatchable: bool = False
    """Keep queries that no caption can match, as MetaCLIP does."""
