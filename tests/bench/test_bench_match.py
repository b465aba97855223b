"""Match at 500,000 queries: captions a CPU second, against pyahocorasick on the same texts with the same ids.

Captions are drawn from a vocabulary of made-up words whose frequencies follow Zipf's law; half of the queries are
words, the others runs of two or three words, a quarter of which occur in the captions. witbuild reads raw captions;
the peer is clocked twice: from raw captions too, and from captions in normal form, the search alone.

Memory is what four worker processes that match at the same time hold of the matcher, each for itself and together.
"""

from __future__ import annotations

import lzma
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.bench.conftest import Bench, Side
from witbuild.text import stored
from witbuild.text.match import Matcher
from witbuild.text.normalise import normalise

pytestmark = pytest.mark.bench

QUERIES, CAPTIONS, PEER_CAPTIONS = 500_000, 200_000, 200_000

Search = Callable[[Iterable[str]], list[list[int]]]


class Inputs(NamedTuple):
    queries: list[str]
    captions: list[str]


@pytest.fixture(scope="module")
def inputs() -> Inputs:
    random = np.random.default_rng(1)
    vocabulary = _vocabulary(random)
    frequencies = 1 / (np.arange(len(vocabulary)) + 2.7)  # Zipf's law in Mandelbrot's form
    sizes = random.integers(3, 17, CAPTIONS)
    ranks = np.searchsorted(np.cumsum(frequencies) / frequencies.sum(), random.random(sizes.sum()))
    captions = [_caption([vocabulary[rank] for rank in some]) for some in np.split(ranks, np.cumsum(sizes)[:-1])]
    seen = [normalise(caption).split() for caption in captions[:CAPTIONS:2]]
    runs = (" ".join(words[at : at + size]) for words in seen for size in (2, 3) for at in (0, 2))
    queries = dict.fromkeys(vocabulary[: QUERIES // 2])
    queries.update(dict.fromkeys(run for run, _ in zip(runs, range(QUERIES // 8), strict=False)))
    while len(queries) < QUERIES:
        queries[" ".join(vocabulary[i] for i in random.integers(0, 50_000, random.integers(2, 4)))] = None
    return Inputs(list(queries), captions)


def _vocabulary(random: np.random.Generator) -> list[str]:
    letters = np.array(list("etaoinshrdlucmfwygpbvkxqjz"))
    sizes = np.clip(random.poisson(5.5, 2 * QUERIES), 2, 14)
    words = ("".join(letters[np.minimum(random.geometric(0.12, size) - 1, 25)]) for size in sizes)
    return list(dict.fromkeys(words))[: QUERIES // 2 + 50_000]


def _caption(words: list[str]) -> str:
    return f"{words[0].title()} {'-'.join(words[1:3])}, {' '.join(words[3:])}"


def test_match(bench: Bench, inputs: Inputs) -> None:
    queries = pa.array(inputs.queries)
    matcher = Matcher(queries)
    assert matcher.trie.nbytes < 50e6
    bench.compare("build", "queries", {"witbuild": Side(lambda: Matcher(queries), QUERIES)})
    bench.note(f"the trie of {QUERIES:,} queries takes {matcher.trie.nbytes / 1e6:.0f} MB")

    _compare(bench, "match", matcher, inputs.captions, peer(inputs.queries))


def _compare(bench: Bench, job: str, matcher: Matcher, captions: list[str], search: Search) -> None:
    column, raw = pa.array(captions), captions[:PEER_CAPTIONS]
    matcher.match(column[:10])
    texts = [f" {normalise(caption)} " for caption in raw]
    sides = {
        "witbuild, raw captions": Side(lambda: matcher.match(column), CAPTIONS),
        "pyahocorasick, raw captions": Side(lambda: search(f" {normalise(text)} " for text in raw), PEER_CAPTIONS),
        "pyahocorasick, captions in normal form": Side(lambda: search(texts), PEER_CAPTIONS),
    }
    bench.compare(job, "captions", sides)
    assert matcher.match(column[:PEER_CAPTIONS]).to_pylist() == search(texts)


def test_match_of_real_alt_text(bench: Bench, shared: Path) -> None:
    """English Wikipedia's words and runs of the frequent ones, in real alt texts, repeated in random order."""
    random = np.random.default_rng(1)
    with lzma.open(shared / "wordfreq" / "enwiki_vocab_min200.txt.xz", "rt") as file:
        words = [line.split()[0] for line in file]
    queries = dict.fromkeys(normalise(word) for word in words)
    while len(queries) < QUERIES:
        queries[normalise(" ".join(words[i] for i in random.integers(0, 20_000, random.integers(2, 4))))] = None
    queries.pop("", None)
    texts = pq.read_table(shared / "lists" / "laion_10000.parquet")["TEXT"].to_pylist()
    captions = [texts[i] or "" for i in random.integers(0, len(texts), CAPTIONS)]
    matcher, search = Matcher(pa.array(list(queries))), peer(list(queries))
    _compare(bench, "match of real alt text", matcher, captions, search)


WORKERS = 4
_WORKER = """
import sys
from pathlib import Path
import pyarrow as pa
from witbuild.text import stored
from witbuild.text import stored
from witbuild.text.match import Matcher
matcher = Matcher(None, "witbuild", stored.load(Path(sys.argv[1])))
matcher.match(pa.array(Path(sys.argv[2]).read_text().splitlines()))
print(flush=True)
sys.stdin.readline()
lines = Path("/proc/self/smaps").read_text().splitlines()
at = next(i for i, line in enumerate(lines) if sys.argv[1] in line)
told = dict(line.split(":") for line in lines[at + 1 : at + 20] if "kB" in line)
print(*(int(told[name].split()[0]) for name in ("Pss", "Private_Clean", "Private_Dirty")))
"""


def test_memory(bench: Bench, inputs: Inputs, tmp_path: Path) -> None:
    stored.save(Matcher(pa.array(inputs.queries)).trie, tmp_path / "trie")
    (tmp_path / "captions").write_text("\n".join(inputs.captions[:PEER_CAPTIONS]))
    command = [sys.executable, "-c", _WORKER, str(tmp_path / "trie"), str(tmp_path / "captions")]
    pipe = subprocess.PIPE
    workers = [subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) for _ in range(WORKERS)]
    for worker in workers:
        assert worker.stdout and worker.stdout.readline() == "\n"
    told = [worker.communicate("go\n")[0] for worker in workers]  # the others still hold it when the first one tells
    share, *own = (int(number) / 1e3 for number in told[0].split())
    size = (tmp_path / "trie").stat().st_size / 1e6
    bench.note(
        f"{WORKERS} workers map one file of {size:.0f} MB; of what a worker touched of it, {sum(own):.1f} MB are its "
        f"own, and {share:.0f} MB its share of what all have"
    )
    assert sum(own) < 1


def peer(queries: list[str]) -> Search:
    """Return the search of pyahocorasick, all overlaps."""
    automaton = pytest.importorskip("ahocorasick").Automaton()
    for number, query in enumerate(queries):
        automaton.add_word(f" {query} ", number)
    automaton.make_automaton()
    return lambda texts: [sorted({number for _, number in automaton.iter(text)}) for text in texts]
