"""Recall and precision of dedup by caption on a million captions with planted duplicates, beside datasketch's LSH.

Captions are those of `tests/bench/planted.py`. Both sides have threshold 0.8, 128 permutations, 9 bands of 13 and the
same hash function; datasketch is asked for the originals of a sample of the copies.
"""

from __future__ import annotations

import numpy as np
import pytest

from tests.bench import planted
from tests.bench.conftest import Bench
from tests.bench.truth import Planted, clusters, found_by_datasketch, wrong
from tests.bench.truth import planted as truth

pytestmark = pytest.mark.bench

CAPTIONS, SAMPLE = 1_000_000, 4_000
BINS = [(0.3, 0.5), (0.5, 0.8), (0.8, 0.85), (0.85, 0.9), (0.9, 0.999), (1.0, 1.1)]


def test_recall(bench: Bench) -> None:
    captions, source = planted.captions(CAPTIONS, 0)
    pairs, cluster = truth(captions, source), clusters(captions)
    joined = cluster[pairs.one] == cluster[pairs.other]
    bench.head = (
        "| similarity | planted | joined | sample | joined | datasketch's candidates |\n|---|---|---|---|---|---|"
    )
    for low, high in BINS:
        here = np.flatnonzero((pairs.similarity >= low) & (pairs.similarity < high))
        few = here[:SAMPLE]
        theirs = found_by_datasketch(captions, Planted(pairs.one[few], pairs.other[few], pairs.similarity[few]))
        shares = [f"{joined[here].mean():.1%}", f"{few.size:,}", f"{joined[few].mean():.1%}", f"{theirs.mean():.1%}"]
        bench.rows.append(f"| {low} to {min(high, 1.0)} | {here.size:,} | {' | '.join(shares)} |")
        if low >= 0.8:
            assert joined[few][theirs].all()
    mistakes = wrong(captions, cluster)
    several = np.unique(cluster, return_counts=True)[1]
    bench.note(
        f"of {np.count_nonzero(several > 1):,} clusters {mistakes} hold a caption that is not similar to another"
    )
    assert mistakes == 0
