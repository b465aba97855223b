"""From dumps and word lists to counts of words and bigrams: count by file range, add up by slice."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar, Final

from witbuild.errors import VerificationError
from witbuild.io import store
from witbuild.stage import Inputs, Part, Task
from witbuild.stages.queries.parameters import BigramLimits, Cut, Dumps, Read, WordLimits, WordLists
from witbuild.stages.slices import per_slice

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from witbuild.io.runs import RunWriter
    from witbuild.text.counting import Pairs
    from witbuild.text.ngrams import NgramCounter, Round

RANGE_BYTES: Final = 1 << 26
"""Compressed bytes of a dump that are one task; a dump of one bzip2 stream is one task anyway."""
BATCH_BYTES: Final = 1 << 22
"""Wikitext that is cleaned and counted in one call."""
ROWS: Final = 1 << 19
"""Redirects or words of a list that are held until they are written."""


class Count(WordLists, Dumps, Read, Cut):
    """Count the words and bigrams of a range of a dump, or take the counts of a word list; collect redirects."""

    name: ClassVar = "queries.count"
    output: ClassVar = "corpus"
    files: ClassVar = {"words": ".parquet", "bigrams": ".parquet", "redirects": ".parquet"}

    count_bigrams: bool = True
    """Whether bigrams are counted at all."""

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each range of a dump and each word list."""
        tasks = [*self._ranges(), *(("word_counts", path, 0, 0) for path in expanded(self.word_counts))]
        for index, (kind, path, start, stop) in enumerate(tasks):
            yield Task(index, {kind: (path,)}, {"start": start, "stop": stop})

    def _ranges(self) -> Iterator[tuple[str, str, int, int]]:
        for path in expanded(self.wikipedia):
            size = store.size(path) if path.endswith(".bz2") else 0
            for start in range(0, max(size, 1), RANGE_BYTES):
                yield "wikipedia", path, start, start + RANGE_BYTES

    def process(self, task: Task) -> Part:
        """Return one row about the range; the counts are in the side files."""
        from witbuild.io import tables
        from witbuild.schema import BIGRAM_RUNS, CORPUS, REDIRECTS, WORD_COUNTS

        schemas = {"words": WORD_COUNTS, "bigrams": BIGRAM_RUNS, "redirects": REDIRECTS}
        files = {kind: task.scratch_file(f"{kind}.parquet") for kind in schemas}
        dropped: Counter[str] = Counter()
        with ExitStack() as stack:
            writers = {
                kind: stack.enter_context(_writer(files[kind], schema, self.slices)) for kind, schema in schemas.items()
            }
            pages, words = self._read(task, writers, dropped)
        (path,) = next(iter(task.sources.values()))
        row = {"file": path.rsplit("/", 1)[-1], "start": task.arguments["start"], "pages": pages, "words": words}
        return Part(tables.from_rows([row], CORPUS), dropped, files=files)

    def _read(self, task: Task, writers: dict[str, RunWriter], dropped: Counter[str]) -> tuple[int, int]:
        """Fill the side files; return how many pages and words were counted."""
        if "word_counts" in task.sources:
            return 0, self._read_list(task.sources["word_counts"][0], writers["words"], dropped)
        from witbuild.text.ngrams import NgramCounter

        def write(counts: Round) -> None:
            self._write(counts, writers)

        counter = NgramCounter(self.semantics, write, bigrams=self.count_bigrams)
        self._read_dump(task, counter, writers["redirects"], dropped)
        counter.close()
        if counter.too_large:
            dropped["page_too_large"] = counter.too_large
        return counter.pages - counter.too_large, counter.tokens

    def _read_dump(self, task: Task, counter: NgramCounter, redirects: RunWriter, dropped: Counter[str]) -> None:
        from witbuild.sources.wikipedia import read_header, read_pages
        from witbuild.text.wikitext import media_names, pack, plain_texts

        (path,) = task.sources["wikipedia"]
        media = media_names(read_header(path).media)
        batch, size, moved = [], 0, _Redirects(redirects, self.slices)
        for page in read_pages(path, dropped, task.arguments["start"], task.arguments["stop"]):
            if page.redirect:
                moved.add(page.title, page.redirect)
                continue
            batch.append(page.text)
            size += len(page.text)
            if size >= BATCH_BYTES:
                counter.add(plain_texts(pack(batch), media))
                batch, size = [], 0
        if batch:
            counter.add(plain_texts(pack(batch), media))
        moved.flush()

    def _write(self, counts: Round, writers: dict[str, RunWriter]) -> None:
        from witbuild.text.ngrams import bigram_slices_of, slices_of

        words, bigrams = counts
        writers["words"].add(words, slices_of(words["hash"].to_numpy(), self.slices))
        if bigrams.num_rows:
            first, second = bigrams["first"].to_numpy(), bigrams["second"].to_numpy()
            writers["bigrams"].add(bigrams, bigram_slices_of(first, second, self.slices))

    def _read_list(self, path: str, writer: RunWriter, dropped: Counter[str]) -> int:
        from witbuild.sources.wordlist import read_counts

        total = 0
        for counts in read_counts(path, self.semantics, dropped, rows=ROWS):
            _write_words(counts, writer, self.slices)
            total += sum(counts.values())
        return total


class _Redirects:
    """Writes redirects, some thousands at a time."""

    def __init__(self, writer: RunWriter, slices: int) -> None:
        self._writer, self._slices = writer, slices
        self._titles: list[str] = []
        self._targets: list[str] = []

    def add(self, title: str, target: str) -> None:
        self._titles.append(title)
        self._targets.append(target)
        if len(self._titles) >= ROWS:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        from witbuild.text.ngrams import hash_texts, slices_of

        if self._titles:
            table = pa.table({"title": self._titles, "target": self._targets})
            self._writer.add(table, slices_of(hash_texts(table["title"]), self._slices))
            self._titles, self._targets = [], []


class Words(WordLimits, Cut):
    """Add up the counts of the words of one slice and keep the frequent ones."""

    name: ClassVar = "queries.words"
    reads: ClassVar = ("words",)
    output: ClassVar = "word_counts"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Return the words of the slice, sorted; others are dropped as `rare_word`."""
        import numpy as np
        import pyarrow.compute as pc

        from witbuild.io import tables
        from witbuild.io.runs import read_runs
        from witbuild.schema import WORD_COUNTS

        runs = list(read_runs(task.sources["words"], task.arguments["slice"], slices=self.slices))
        if not runs:
            return Part(WORD_COUNTS.empty_table())
        table = summed_words(runs)
        frequent = pc.greater_equal(table["count"], self.min_count)
        spread = np.isin(table["pages"].to_numpy(), np.arange(1, self.min_pages), invert=True)
        kept = tables.sort(table.filter(pc.and_(frequent, spread)), "word")
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


class Bigrams(BigramLimits, Cut):
    """Add up the counts of the bigrams of one slice, keep the frequent ones of frequent words, and score them."""

    name: ClassVar = "queries.bigrams"
    reads: ClassVar = ("bigrams", "word_counts", "corpus")
    output: ClassVar = "bigram_counts"

    min_pmi: float | None = None
    """PMI that a bigram needs, in bits."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Return the bigrams of the slice with their PMI, sorted; others are dropped: rare_bigram, low_pmi."""
        import numpy as np
        import pyarrow.compute as pc

        from witbuild.io import tables
        from witbuild.text.pmi import scored

        pairs = self._sums(task)
        frequent = np.flatnonzero(pairs.counts >= self.min_bigram_count)
        words = tables.read_all(task.sources["word_counts"])
        words = words.filter(pc.greater_equal(words["count"], self.min_bigram_word_count)).sort_by("hash")
        total = pc.sum(tables.read_all(task.sources["corpus"], ["words"])["words"]).as_py()
        found = scored(words, pairs.first[frequent], pairs.second[frequent], pairs.counts[frequent], total or 1)
        kept = found if self.min_pmi is None else found.filter(pc.greater_equal(found["pmi"], self.min_pmi))
        dropped = {
            "rare_bigram": len(pairs.counts) - found.num_rows,
            "low_pmi": found.num_rows - kept.num_rows,
        }
        return Part(tables.sort(kept, "bigram"), {reason: rows for reason, rows in dropped.items() if rows})

    def _sums(self, task: Task) -> Pairs:
        from witbuild.io.runs import read_runs
        from witbuild.text.ngrams import PairSums

        sums = PairSums()
        for run in read_runs(task.sources["bigrams"], task.arguments["slice"], slices=self.slices):
            sums.add(*(run[name].to_numpy() for name in ("first", "second", "count")))
        return sums.result()


def expanded(patterns: Iterable[str]) -> list[str]:
    """Return the files that paths, globs and URLs name, in the order given."""
    return list(dict.fromkeys(path for pattern in patterns for path in store.expand(pattern)))


def _writer(path: object, schema: pa.Schema, slices: int) -> RunWriter:
    from pathlib import Path

    from witbuild.io.runs import RunWriter

    return RunWriter(Path(str(path)), schema, slices=slices)


def _write_words(counts: dict[str, int], writer: RunWriter, slices: int) -> None:
    import pyarrow as pa

    from witbuild.text.ngrams import hash_texts, slices_of

    words = pa.array(list(counts), pa.string())
    hashes = hash_texts(words)
    columns = {"hash": hashes, "word": words, "count": list(counts.values()), "pages": [0] * len(counts)}
    writer.add(pa.table(columns), slices_of(hashes, slices))
