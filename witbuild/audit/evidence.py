"""What the steps of `queries` counted of one text, whatever became of it: read from their tables, changing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Self, TypeVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.io.runs import read_runs
from witbuild.runner.replay import replay
from witbuild.stages.queries.add import Bigrams, Words
from witbuild.stages.queries.listing import List
from witbuild.text.hashing import bigram_slices_of, hash_texts, slices_of
from witbuild.text.normalise import normalise
from witbuild.text.pmi import floor, metaclip2, pmi, rank

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    import numpy.typing as npt

    from witbuild.runner.replay import Made
    from witbuild.stage import Stage
    from witbuild.text.pmi import Score
    from witbuild.text.tokens import Semantics

    Floats = npt.NDArray[np.float64]


AnyStage = TypeVar("AnyStage", bound="Stage")


@dataclass(frozen=True)
class Steps:
    """What the steps of a query list made: step, such as `count` or `list` -> what is there."""

    made: Mapping[str, Made]

    @classmethod
    def of(cls, root: str) -> Self:
        """Return those of a run.

        Raises:
            InputError: the run has no finished query list.
        """
        made = [step for step in replay(root) if step.stage.name.startswith("queries.")]
        found = {step.stage.name.removeprefix("queries."): step for step in made}
        if "list" not in found:
            raise InputError(f"{root}: no finished query list; run witbuild queries first")
        return cls(found)

    def has(self, step: str) -> bool:
        """Say whether the list was made with a step."""
        return step in self.made

    def stage(self, step: str, kind: type[AnyStage]) -> AnyStage:
        """Return the stage of a step, which is of a kind."""
        stage = self.made[step].stage
        if not isinstance(stage, kind):
            raise TypeError(f"{step}: {type(stage)}, expected {kind}")
        return stage

    @property
    def listing(self) -> List:
        """The last step, which knows how candidates were chosen."""
        return self.stage("list", List)

    def paths(self, step: str, kind: str = "") -> tuple[str, ...]:
        """Return the paths of a step's table, or of its side files of a kind."""
        return self.made[step].paths(kind)


@dataclass(frozen=True)
class Word:
    """How often a word occurs, in how many articles, and how many of the words that may be queries come before it."""

    count: int
    pages: int
    rank: int


@dataclass(frozen=True)
class Bigram:
    """How often a bigram and its words occur, its PMI and score, the score that is needed, how many have more."""

    count: int
    words: tuple[int, int]
    pmi: float
    score: float
    floor: float
    rank: int


@dataclass(frozen=True)
class Title:
    """A title, its views, those of redirects included, and how many titles come before it."""

    title: str
    views: int
    rank: int


def rows_of(paths: tuple[str, ...], column: str, text: str) -> Iterator[Mapping[str, object]]:
    """Yield the rows of a table whose column holds a text."""
    for path in paths:
        table = tables.read(path)
        yield from table.filter(pc.equal(table[column], text)).to_pylist()


def word(steps: Steps, text: str) -> Word:
    """Return what was counted of a word, before anything was left out."""
    count, pages = _word_sums(steps, text)
    before, least = 0, steps.listing.min_pages
    for path in steps.paths("words"):
        part = tables.read(path, ["word", "count", "pages"])
        part = part.filter(pc.or_(pc.equal(part["pages"], 0), pc.greater_equal(part["pages"], least)))
        before += _before(part["count"], part["word"], count, text)
    return Word(count, pages, before)


def _before(numbers: pa.ChunkedArray, texts: pa.ChunkedArray, number: float, text: str) -> int:
    """Return how many have a larger number, or the same and a text that comes first."""
    level = pc.and_(pc.equal(numbers, number), pc.less(texts, text))
    return int(pc.sum(pc.or_(pc.greater(numbers, number), level)).as_py() or 0)


def _word_sums(steps: Steps, text: str) -> tuple[int, int]:
    hashes, count, pages = hash_texts(pa.array([text])), 0, 0
    slices = steps.stage("words", Words).slices
    for run in read_runs(steps.paths("count", "words"), int(slices_of(hashes, slices)[0]), slices=slices):
        mine = run.filter(pc.equal(run["word"], text))
        count += int(pc.sum(mine["count"]).as_py() or 0)
        pages += int(pc.sum(mine["pages"]).as_py() or 0)
    return count, pages


def bigram(steps: Steps, first: str, second: str) -> Bigram:
    """Return what was counted of a bigram, before anything was left out."""
    count, words = _bigram_sum(steps, first, second), (_word_sums(steps, first)[0], _word_sums(steps, second)[0])
    total = int(pc.sum(tables.read_all(steps.paths("count"), ["words"])["words"]).as_py() or 1)
    stage = steps.listing
    table = tables.read_all(steps.paths("bigrams"), ["bigram", "count", "pmi"])
    pmis = table["pmi"].to_numpy()
    scores = rank(pmis, table["count"].to_numpy(), total, stage.score)
    needed = floor(scores, stage.bigrams, stage.min_score)
    if not count:
        return Bigram(0, words, 0.0, 0.0, needed, len(scores))
    together = np.array([count])
    own = pmi(together, np.array([words[0]]), np.array([words[1]]), total)
    score = _score(own, together, total, pmis, stage.score)
    before = _before(pa.chunked_array([scores]), table["bigram"], score, f"{first} {second}")
    return Bigram(count, words, float(own[0]), score, needed, before)


def _score(own: Floats, together: npt.NDArray[np.int64], total: int, pmis: Floats, kind: Score) -> float:
    """Return the score of a bigram among others whose PMI is given, whether it is one of them or not."""
    if kind == "metaclip2":
        return float(metaclip2(own, together, float(np.percentile(pmis, 30)) if len(pmis) else 0.0)[0])
    return float(rank(own, together, total, kind)[0])


def _bigram_sum(steps: Steps, first: str, second: str) -> int:
    one, other = hash_texts(pa.array([first])), hash_texts(pa.array([second]))
    slices, count = steps.stage("bigrams", Bigrams).slices, 0
    for run in read_runs(steps.paths("count", "bigrams"), int(bigram_slices_of(one, other, slices)[0]), slices=slices):
        mine = (run["first"].to_numpy() == one[0]) & (run["second"].to_numpy() == other[0])
        count += int(run["count"].to_numpy()[mine].sum())
    return count


def title(steps: Steps, query: str, semantics: Semantics) -> Title | None:
    """Return the title with the most views of those that are looked for as a query, or none."""
    best = max(_titles(steps.paths("resolve"), query, semantics), default=None)
    if best is None:
        return None
    views, name = best
    before = 0
    for path in steps.paths("titles"):
        part = tables.read(path, ["title", "views"])
        before += _before(part["views"], part["title"], views, name)
    return Title(name, views, before)


def _titles(paths: tuple[str, ...], query: str, semantics: Semantics) -> Iterator[tuple[int, str]]:
    """Yield views and title of all titles with a normal form; a title may have a row in several parts."""
    from witbuild.text.match import Matcher

    matcher = Matcher(pa.array([query]), semantics)
    found: dict[str, int] = {}
    for path in paths:
        part = tables.read(path, ["title", "views"])
        mine = part.filter(pc.greater(pc.list_value_length(matcher.match(part["title"])), 0))
        for row in mine.to_pylist():
            if normalise(row["title"], semantics) == query:
                found[row["title"]] = found.get(row["title"], 0) + row["views"]
    return iter([(views, name) for name, views in found.items()])
