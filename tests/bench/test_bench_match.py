"""Match at 500,000 queries: captions a CPU second, against pyahocorasick on the same texts with the same ids.

Captions are drawn from a vocabulary of made-up words whose frequencies follow Zipf's law; half of the queries are
words, the others runs of two or three words, a quarter of which occur in the captions. witbuild reads raw captions;
the peer is clocked twice: from raw captions too, and from captions in normal form, the search alone.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pytest

from witbuild.text.match import Matcher
from witbuild.text.normalise import normalise

pytestmark = pytest.mark.slow

QUERIES, CAPTIONS, PEER_CAPTIONS = 500_000, 200_000, 20_000


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


def seconds(function: Callable[[], Any]) -> float:
    """CPU seconds of one call; the machine is shared."""
    start = time.process_time()
    function()
    return time.process_time() - start


def test_build(benchmark: Any, inputs: Inputs) -> None:
    queries = pa.array(inputs.queries)
    Matcher(queries[:10])
    matcher = benchmark.pedantic(Matcher, (queries,), rounds=3)
    benchmark.extra_info.update(queries=len(queries), megabytes=matcher.trie.nbytes / 1e6)
    assert matcher.trie.nbytes < 50e6


def test_match(benchmark: Any, inputs: Inputs) -> None:
    ahocorasick = pytest.importorskip("ahocorasick")
    matcher, captions = Matcher(pa.array(inputs.queries)), pa.array(inputs.captions)
    matcher.match(captions[:10])
    ours = min(seconds(lambda: matcher.match(captions)) for _ in range(3)) / CAPTIONS
    benchmark.pedantic(matcher.match, (captions,), rounds=3)

    automaton = ahocorasick.Automaton()
    for number, query in enumerate(inputs.queries):
        automaton.add_word(f" {query} ", number)
    automaton.make_automaton()
    raw = inputs.captions[:PEER_CAPTIONS]
    texts = [f" {normalise(caption)} " for caption in raw]

    def search(texts: Iterable[str]) -> list[list[int]]:
        return [sorted({number for _, number in automaton.iter(text)}) for text in texts]

    alone = min(seconds(lambda: search(texts)) for _ in range(2)) / PEER_CAPTIONS
    peer = min(seconds(lambda: search(f" {normalise(text)} " for text in raw)) for _ in range(2)) / PEER_CAPTIONS
    benchmark.extra_info.update(captions_per_cpu_second=round(1 / ours), peer_captions_per_cpu_second=round(1 / peer))
    benchmark.extra_info.update(ratio=peer / ours, ratio_to_search_alone=alone / ours, peer="pyahocorasick")
    assert matcher.match(captions[:PEER_CAPTIONS]).to_pylist() == search(texts)
