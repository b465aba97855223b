"""From counts, scores, views, synsets and lists to the query list."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import EmptyError
from witbuild.stage import Inputs, Part, Task
from witbuild.stages.queries.count import expanded
from witbuild.stages.queries.parameters import Listing, Read, WordLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.text.querylist import Candidate


class List(Listing, WordLimits, Read):
    """Rank what each source proposes, put the sources in order, and cut the list at the budget."""

    name: ClassVar = "queries.list"
    optional: ClassVar = ("corpus", "word_counts", "bigram_counts", "title_views")
    output: ClassVar = "queries"

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield the only task."""
        yield Task(0, {**inputs, "lists": tuple(expanded(self.lists))})

    def process(self, task: Task) -> Part:
        """Return the list; what is left out is counted by reason.

        Raises:
            EmptyError: nothing is left.
        """
        from witbuild.text.querylist import ORDERS, Rules, query_list

        dropped: Counter[str] = Counter()
        candidates = {
            "list": self._lists(task, dropped),
            "number": self._numbers(),
            "word": self._words(task, dropped),
            "bigram": self._bigrams(task, dropped),
            "title": ranked(task.sources.get("title_views", ()), "title", "views"),
            "synset": self._synsets(),
        }
        rules = Rules(self.semantics, self.budget, self.keep_unmatchable)
        queries, reasons = query_list(((source, candidates[source]) for source in ORDERS[self.order]), rules)
        dropped.update(reasons)
        if not queries:
            raise EmptyError(f"stage queries yielded no queries; {_read(task)}; dropped: {_shown(dropped)}")
        rows = ({"query_id": place, **vars(query)} for place, query in enumerate(queries))
        return Part(_table(rows), dropped)

    def _lists(self, task: Task, dropped: Counter[str]) -> Iterator[Candidate]:
        from witbuild.sources.wordlist import read_queries
        from witbuild.text.querylist import Candidate

        for path in task.sources["lists"]:
            yield from map(Candidate, read_queries(path, dropped))

    def _numbers(self) -> Iterator[Candidate]:
        from witbuild.text.querylist import Candidate

        return (Candidate(str(number)) for number in range(self.numbers))

    def _synsets(self) -> Iterator[Candidate]:
        from witbuild.sources.wordnet import name, read_wndb, shipped
        from witbuild.text.querylist import Candidate

        if self.synsets:
            for synset in read_wndb(self.wordnet) if self.wordnet else shipped():
                yield Candidate(name(synset.lemma, cut=self.cut_synsets), 0)

    def _words(self, task: Task, dropped: Counter[str]) -> Iterator[Candidate]:
        """Yield the frequent words; those that were kept for bigrams only are dropped as `rare_word`."""
        for found in ranked(task.sources.get("word_counts", ()), "word", "count"):
            if (found.count or 0) >= self.min_count:
                yield found
            else:
                dropped["rare_word"] += 1

    def _bigrams(self, task: Task, dropped: Counter[str]) -> Iterator[Candidate]:
        """Yield the best bigrams; others are dropped as `low_score`."""
        from witbuild.text.querylist import Candidate

        paths = task.sources.get("bigram_counts", ())
        if not paths:
            return
        scores = self._scores(task)
        floor = self._floor(scores)
        best = _best(paths, scores, floor).slice(0, self.bigrams)
        dropped["low_score"] += len(scores) - best.num_rows
        for row in best.to_pylist():
            yield Candidate(row["bigram"], row["count"], row["score"])

    def _scores(self, task: Task) -> npt.NDArray[np.float64]:
        """Return the scores of all bigrams, in the order of their parts."""
        import pyarrow.compute as pc

        from witbuild.io import tables
        from witbuild.text.pmi import rank

        counts = tables.read_all(task.sources["bigram_counts"], ["count", "pmi"])
        total = pc.sum(tables.read_all(task.sources["corpus"], ["words"])["words"]).as_py()
        return rank(counts["pmi"].to_numpy(), counts["count"].to_numpy(), total, self.score)

    def _floor(self, scores: npt.NDArray[np.float64]) -> float:
        """Return the score that a bigram needs to be among the best."""
        import numpy as np

        least = -np.inf if self.min_score is None else self.min_score
        if len(scores) <= self.bigrams:
            return least
        return max(least, float(np.partition(scores, -self.bigrams)[-self.bigrams]))


def _best(paths: tuple[str, ...], scores: npt.NDArray[np.float64], floor: float) -> pa.Table:
    """Return the bigrams with a score of at least `floor`, best first; one part at a time is in memory."""
    import pyarrow as pa

    from witbuild.io import tables

    found, start = [], 0
    for path in paths:
        part = tables.read(path, ["bigram", "count"])
        mine = scores[start : start + part.num_rows]
        start += part.num_rows
        found.append(part.append_column("score", pa.array(mine)).filter(pa.array(mine >= floor)))
    return pa.concat_tables(found).sort_by([("score", "descending"), ("bigram", "ascending")])


def ranked(paths: tuple[str, ...], text: str, count: str) -> Iterator[Candidate]:
    """Yield the rows of a table as candidates, those with the largest count first."""
    from witbuild.io import tables
    from witbuild.text.querylist import Candidate

    if paths:
        table = tables.read_all(paths, [text, count]).sort_by([(count, "descending"), (text, "ascending")])
        for name, number in zip(table[text].to_pylist(), table[count].to_pylist(), strict=True):
            yield Candidate(name, number, float(number))


def _table(rows: Iterator[dict[str, object]]) -> pa.Table:
    from witbuild.io import tables
    from witbuild.schema import QUERIES

    return tables.from_rows(rows, QUERIES)


def _read(task: Task) -> str:
    """Say what was read, for the error about an empty list."""
    from witbuild.io import tables

    files = [row for path in task.sources.get("corpus", ()) for row in tables.read(path).to_pylist()]
    shown = [f"{row['file']} from byte {row['start']} ({row['pages']} articles, {row['words']} words)" for row in files]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    names = "; ".join([*shown[:5], *task.sources["lists"]]) + more
    return f"read {names}" if names else "nothing was read: give wikipedia, word_counts, pageviews, lists or synsets"


def _shown(dropped: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in dropped.most_common() if count) or "nothing"
