"""Add up the counts of words and bigrams, slice by slice, and keep those that are frequent enough."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import VerificationError
from witbuild.stage import Inputs, Part, Task
from witbuild.stages.queries.parameters import BigramLimits, Cut, Ranking
from witbuild.stages.slices import per_slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.text.sums import PairSums


class Words(Cut):
    """Add up the counts of the words of one slice and keep the frequent ones."""

    name: ClassVar = "queries.words"
    reads: ClassVar = ("words",)
    output: ClassVar = "word_counts"

    min_count: int = 100
    """Occurrences of the rarest words that are needed, as queries or to score bigrams."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Return the words of the slice, sorted; others are dropped as `rare_word`."""
        import pyarrow.compute as pc

        from witbuild.io import tables
        from witbuild.io.runs import read_runs
        from witbuild.schema import WORD_COUNTS

        runs = list(read_runs(task.sources["words"], task.arguments["slice"], slices=self.slices))
        if not runs:
            return Part(WORD_COUNTS.empty_table())
        table = summed_words(runs)
        kept = tables.sort(table.filter(pc.greater_equal(table["count"], self.min_count)), "word")
        return Part(kept, {"rare_word": table.num_rows - kept.num_rows})


def summed_words(runs: list[pa.Table]) -> pa.Table:
    """Return the sums of word counts by word, sorted by hash.

    Raises:
        VerificationError: two words have one hash, which one in 10^5 Wikipedias would show.
    """
    import pyarrow as pa

    table = pa.concat_tables(runs).group_by(["hash", "word"], use_threads=False)
    sums = table.aggregate([("count", "sum"), ("pages", "sum")]).sort_by("hash")
    hashes = sums["hash"].to_numpy()
    twins = (hashes[1:] == hashes[:-1]).nonzero()[0]
    if len(twins):
        one, other = sums["word"].slice(int(twins[0]), 2).to_pylist()
        raise VerificationError(f"words {one!r} and {other!r} have the same 64-bit hash; leave one file out")
    return sums.rename_columns(["hash", "word", "count", "pages"])


class Bigrams(Ranking, BigramLimits, Cut):
    """Add up the counts of the bigrams of one slice, keep the frequent ones of frequent words, and score them.

    No more are kept of a slice than the list may take, where a slice can tell: `metaclip2` looks at all of them.
    """

    name: ClassVar = "queries.bigrams"
    reads: ClassVar = ("bigrams", "word_counts", "corpus")
    output: ClassVar = "bigram_counts"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Return the bigrams of the slice with their PMI, sorted; others are dropped: rare_bigram, low_score."""
        import numpy as np
        import pyarrow as pa

        from witbuild.io import tables
        from witbuild.text.pmi import bigram_texts, counts_of, pmi

        sums, total = self._sums(task), words_counted(task)
        pairs = sums.at_least(self.min_bigram_count)
        needed, sides = np.unique(np.concatenate([pairs.first, pairs.second]), return_inverse=True)
        first, second = counts_of(needed, _words(task, "count"))[sides].reshape(2, -1)
        known = np.flatnonzero(np.minimum(first, second) >= self.min_bigram_word_count)
        pmis = pmi(pairs.counts[known], first[known], second[known], total)
        best = self._best(pmis, pairs.counts[known], total)
        rows = known[best]
        texts = bigram_texts(pairs.first[rows], pairs.second[rows], _words(task, "word"))
        found = pa.table({"bigram": texts, "count": pairs.counts[rows], "pmi": pmis[best]})
        dropped = {"rare_bigram": len(sums) - len(known), "low_score": len(known) - len(rows)}
        return Part(tables.sort(found, "bigram"), dropped)

    def _best(
        self, pmis: npt.NDArray[np.float64], counts: npt.NDArray[np.int64], total: int
    ) -> npt.NDArray[np.integer]:
        """Return the places of those that may be among the best of all slices."""
        import numpy as np

        from witbuild.text.pmi import floor, rank

        if self.score == "metaclip2":
            return np.arange(len(pmis))
        scores = rank(pmis, counts, total, self.score)
        return np.flatnonzero(scores >= floor(scores, self.bigrams, self.min_score))

    def _sums(self, task: Task) -> PairSums:
        from witbuild.io.runs import read_runs
        from witbuild.text.sums import PairSums

        sums = PairSums()
        for run in read_runs(task.sources["bigrams"], task.arguments["slice"], slices=self.slices):
            sums.add(*(run[name].to_numpy() for name in ("first", "second", "count")))
        return sums


def words_counted(task: Task) -> int:
    """Return how many words the corpus holds, at least 1."""
    import pyarrow.compute as pc

    from witbuild.io import tables

    return int(pc.sum(tables.read_all(task.sources["corpus"], ["words"])["words"]).as_py() or 1)


def _words(task: Task, column: str) -> Iterator[pa.Table]:
    """Yield hash and another column of the frequent words, a part at a time."""
    from witbuild.io import tables

    return (tables.read(path, ["hash", column]) for path in task.sources["word_counts"])
