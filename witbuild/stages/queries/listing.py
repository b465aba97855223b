"""From counts, scores, views, synsets and lists to the query list."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import EmptyError
from witbuild.stage import Inputs, Part, Task
from witbuild.stages.queries.add import words_counted
from witbuild.stages.queries.count import expanded
from witbuild.stages.queries.parameters import Listing, Ranking, Read, WordLimits

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.text.querylist import Candidate


class List(Listing, Ranking, WordLimits, Read):
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
            "title": self._titles(task, dropped),
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
        from witbuild.sources.wordnet import name, read_synsets
        from witbuild.text.querylist import Candidate

        if self.synsets:
            for synset in read_synsets(self.wordnet):
                yield Candidate(name(synset.lemma, cut=self.cut_synsets), 0)

    def _bigrams(self, task: Task, dropped: Counter[str]) -> Iterator[Candidate]:
        """Yield the best bigrams; others are dropped as `low_score`."""
        from witbuild.text.pmi import floor

        if "bigram_counts" not in task.sources:
            return
        scores, parts = self._scores(task), _parts(task, "bigram_counts", "bigram", "count")
        best = _best(parts, scores, floor(scores, self.bigrams, self.min_score)).slice(0, self.bigrams)
        dropped["low_score"] += len(scores) - best.num_rows
        yield from _candidates(best)

    def _scores(self, task: Task) -> npt.NDArray[np.float64]:
        """Return the scores of all bigrams, in the order of their parts."""
        from witbuild.io import tables
        from witbuild.text.pmi import rank

        counts = tables.read_all(task.sources["bigram_counts"], ["count", "pmi"])
        return rank(counts["pmi"].to_numpy(), counts["count"].to_numpy(), words_counted(task), self.score)

    def _words(self, task: Task, dropped: Counter[str]) -> Iterator[Candidate]:
        """Yield the frequent words, most frequent first; others were kept for bigrams only: `rare_word`."""
        frequent = []
        for part in _parts(task, "word_counts", "word", "count", "pages"):
            pages = part["pages"].to_numpy()
            wanted = (part["count"].to_numpy() >= self.min_count) & ((pages == 0) | (pages >= self.min_pages))
            frequent.append(part.filter(wanted).select(["word", "count"]))
            dropped["rare_word"] += part.num_rows - frequent[-1].num_rows
        yield from _ranked(frequent, self.words, dropped)

    def _titles(self, task: Task, dropped: Counter[str]) -> Iterator[Candidate]:
        yield from _ranked(list(_parts(task, "title_views", "title", "views")), self.titles, dropped)


def _parts(task: Task, kind: str, *columns: str) -> Iterator[pa.Table]:
    from witbuild.io import tables

    return (tables.read(path, list(columns)) for path in task.sources.get(kind, ()))


def _best(parts: Iterator[pa.Table], scores: npt.NDArray[np.float64], floor: float) -> pa.Table:
    """Return the bigrams with a score of at least `floor`, best first; one part at a time is in memory."""
    import pyarrow as pa

    found, start = [], 0
    for part in parts:
        mine = scores[start : start + part.num_rows]
        start += part.num_rows
        found.append(part.append_column("score", pa.array(mine)).filter(pa.array(mine >= floor)))
    return pa.concat_tables(found).sort_by([("score", "descending"), ("bigram", "ascending")])


def _ranked(parts: list[pa.Table], most: int | None, dropped: Counter[str]) -> Iterator[Candidate]:
    """Yield rows of text and count, those with the largest count first; beyond `most` they drop as `low_score`."""
    import pyarrow as pa

    if not parts:
        return
    table = pa.concat_tables(parts)
    text, count = table.column_names
    table = table.sort_by([(count, "descending"), (text, "ascending")])
    best = table.slice(0, most)
    dropped["low_score"] += table.num_rows - best.num_rows
    yield from _candidates(best.append_column("score", best[count].cast("float64")))


def _candidates(table: pa.Table) -> Iterator[Candidate]:
    """Yield rows of text, count and score as candidates; some thousands at a time are Python's."""
    from witbuild.text.querylist import Candidate

    for batch in table.to_batches(1 << 16):
        yield from map(Candidate, *(column.to_pylist() for column in batch.columns))


def _table(rows: Iterator[dict[str, object]]) -> pa.Table:
    from witbuild.io import tables
    from witbuild.schema import QUERIES

    return tables.from_rows(rows, QUERIES)


def _read(task: Task) -> str:
    """Say what was read, for the error about an empty list."""
    from witbuild.io import tables

    files = [row for path in task.sources.get("corpus", ()) for row in tables.read(path).to_pylist()]
    shown = [f"{row['file']} from {row['start']} ({row['pages']} articles, {row['words']} words)" for row in files]
    more = f" and {len(shown) - 5} more" if len(shown) > 5 else ""
    names = "; ".join([*shown[:5], *task.sources["lists"]]) + more
    return f"read {names}" if names else "nothing was read: give wikipedia, word_counts, pageviews, lists or synsets"


def _shown(dropped: Counter[str]) -> str:
    return ", ".join(f"{reason} {count:,}" for reason, count in dropped.most_common() if count) or "nothing"
