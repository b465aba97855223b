"""From dumps and word lists to counts of words and bigrams by file range, in slices."""

from __future__ import annotations

from collections import Counter
from contextlib import ExitStack
from typing import TYPE_CHECKING, ClassVar, Final, cast

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.stage import Inputs, Part, Task
from witbuild.stages.queries.parameters import Cut, Dumps, Read, WordLists

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    import pyarrow as pa

    from witbuild.io.runs import RunWriter
    from witbuild.sources.corpus import Kind
    from witbuild.text.ngrams import NgramCounter, Round

WORD_LIST: Final = "words"
"""Kind of source of a task that takes ready counts; the others are kinds of corpus."""
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
        """Yield a task for each range of a text and each word list."""
        from witbuild.sources.corpus import ranges

        texts = [
            (part.kind, part.path, part.start, part.stop) for path in expanded(self.wikipedia) for part in ranges(path)
        ]
        lists = [(WORD_LIST, path, 0, 0) for path in expanded(self.word_counts)]
        for index, (kind, path, start, stop) in enumerate([*texts, *lists]):
            yield Task(index, {kind: (path,)}, {"start": start, "stop": stop})

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
        ((kind, (path,)),) = task.sources.items()
        row = {"file": path.rsplit("/", 1)[-1], "kind": kind, "start": task.arguments["start"]}
        row |= {"pages": pages, "words": words}
        return Part(tables.from_rows([row], CORPUS), dropped, files=files)

    def _read(self, task: Task, writers: dict[str, RunWriter], dropped: Counter[str]) -> tuple[int, int]:
        """Fill the side files; return how many pages and words were counted."""
        if WORD_LIST in task.sources:
            return 0, self._read_list(task.sources[WORD_LIST][0], writers["words"], dropped)
        from witbuild.text.ngrams import NgramCounter

        def write(counts: Round) -> None:
            writers["words"].add_slices(counts.words(self.slices))
            if self.count_bigrams:
                writers["bigrams"].add_slices(counts.bigrams(self.slices))

        counter = NgramCounter(self.semantics, write, bigrams=self.count_bigrams)
        self._read_texts(task, counter, writers["redirects"], dropped)
        counter.close()
        if counter.too_large:
            dropped["page_too_large"] = counter.too_large
        return counter.pages - counter.too_large, counter.tokens

    def _read_texts(self, task: Task, counter: NgramCounter, redirects: RunWriter, dropped: Counter[str]) -> None:
        from witbuild.sources.corpus import Range, read

        ((kind, (path,)),) = task.sources.items()
        part = Range(path, cast("Kind", kind), task.arguments["start"], task.arguments["stop"])
        moved = _Redirects(redirects, self.slices)
        for batch in read(part, dropped):
            counter.add(batch.texts)
            moved.add(batch.redirects)
        moved.flush()

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

    def add(self, redirects: Iterable[tuple[str, str]]) -> None:
        for title, target in redirects:
            self._titles.append(title)
            self._targets.append(target)
        if len(self._titles) >= ROWS:
            self.flush()

    def flush(self) -> None:
        import pyarrow as pa

        from witbuild.text.hashing import hash_texts, slices_of

        if self._titles:
            table = pa.table({"title": self._titles, "target": self._targets})
            self._writer.add(table, slices_of(hash_texts(table["title"]), self._slices))
            self._titles, self._targets = [], []


def expanded(patterns: Iterable[str]) -> list[str]:
    """Return the files that paths, globs and URLs name, in the order given.

    Raises:
        InputError: one names nothing.
    """
    found = {pattern: store.expand(pattern) for pattern in patterns}
    for pattern, paths in found.items():
        if not paths:
            raise InputError(f"{pattern}: no such file")
    return list(dict.fromkeys(path for paths in found.values() for path in paths))


def _writer(path: object, schema: pa.Schema, slices: int) -> RunWriter:
    from pathlib import Path

    from witbuild.io.runs import RunWriter

    return RunWriter(Path(str(path)), schema, slices=slices)


def _write_words(counts: dict[str, int], writer: RunWriter, slices: int) -> None:
    import pyarrow as pa

    from witbuild.text.hashing import hash_texts, slices_of

    words = pa.array(list(counts), pa.string())
    hashes = hash_texts(words)
    columns = {"hash": hashes, "word": words, "count": list(counts.values()), "pages": [0] * len(counts)}
    writer.add(pa.table(columns), slices_of(hashes, slices))
