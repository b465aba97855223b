"""The query list of dumps with more and more different bigrams, on 2 workers: memory, and exactness.

The text is made (`tests/bench/corpora.py`): eight of ten words are drawn evenly from 60,000, so nearly every bigram is
a new one, which no real text comes close to: in English Wikipedia one in 18 is. Every word, and every bigram seen 20
times, is compared with its true count. The last row has 8 slices in place of 64: as many bigrams to a slice as 250
million, all of English Wikipedia, have with 64. WITBUILD_BENCH_BIGRAMS (millions, with commas between) asks for
other sizes.
"""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import pytest

from tests.bench.conftest import Bench
from tests.bench.corpora import Corpus, save_dump, vocabulary
from tests.bench.watch import watched
from witbuild.io import tables
from witbuild.io.run import Run

pytestmark = pytest.mark.bench

MILLION = 1_000_000
SIZES = [int(float(text) * MILLION) for text in os.environ.get("WITBUILD_BENCH_BIGRAMS", "1,3,10,30").split(",")]
MOST_MEMORY = 4 * 10**9
LEAST = 20
HEAD = (
    "| different bigrams | words | slices | wall s | CPU s "
    "| most memory, all processes | one process | between steps |\n"
    "|---|---|---|---|---|---|---|---|"
)
RUN = f"""
import sys
from witbuild.engine.local import LocalEngine
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stages.queries import Queries
if __name__ == "__main__":
    limits = dict(min_count=1, min_bigram_count={LEAST}, min_bigram_word_count=1, bigrams=10**9)
    with LocalEngine(workers=2) as engine:
        queries = Queries(wikipedia=[sys.argv[1]], slices=int(sys.argv[3]), **limits)
        run_recipe(Recipe(stages=(queries,)), sys.argv[2], engine)
"""
CASES = [*((size, 64) for size in SIZES), (SIZES[-1], 8)]


@pytest.mark.parametrize(("size", "slices"), CASES, ids=[f"{size / MILLION:g}M-{slices}" for size, slices in CASES])
def test_memory_is_bounded_and_counts_are_exact(bench: Bench, size: int, slices: int, tmp_path: Path) -> None:
    bench.head = HEAD
    corpus = Corpus.drawn(size * 5 // 4, even=0.8)
    keys, counts = corpus.bigrams()
    path = save_dump(tmp_path / "dump.xml.bz2", corpus)
    taken = watched(RUN, path, str(tmp_path / "run"), str(slices))
    check(Run(str(tmp_path / "run")), corpus, keys[counts >= LEAST], counts[counts >= LEAST])
    between = sum(file.stat().st_size for file in (tmp_path / "run").rglob("*") if file.is_file())
    cells = [f"{len(keys):,}", f"{corpus.numbers.size:,}", str(slices), f"{taken.wall:.0f}", f"{taken.cpu:.0f}"]
    cells += [f"{number / 1e9:.2f} GB" for number in (taken.together, taken.single, between)]
    bench.rows.append(f"| {' | '.join(cells)} |")
    assert len(keys) >= size
    assert taken.together < MOST_MEMORY


def check(run: Run, corpus: Corpus, keys: np.ndarray[tuple[int], np.dtype[np.int64]], counts: object) -> None:
    """Hold the run's counts to the truth."""
    words = vocabulary()
    table = tables.read_all(run.paths(run.newest("word_counts")[1], "word_counts"))
    found = dict(zip(table["word"].to_pylist(), table["count"].to_pylist(), strict=True))
    assert found == corpus.word_counts()
    table = tables.read_all(run.paths(run.newest("bigram_counts")[1], "bigram_counts"))
    pairs = dict(zip(table["bigram"].to_pylist(), table["count"].to_pylist(), strict=True))
    names = (f"{words[key // len(words)]} {words[key % len(words)]}" for key in keys.tolist())
    assert pairs == dict(zip(names, np.asarray(counts).tolist(), strict=True))
