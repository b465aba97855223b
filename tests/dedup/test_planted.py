"""Planted near-duplicates: what datasketch's LSH finds is found, and what is joined is alike."""

from __future__ import annotations

from tests.bench import planted
from tests.bench.truth import THRESHOLD, clusters, found_by_datasketch, wrong
from tests.bench.truth import planted as truth


def test_recall_is_at_least_datasketchs_and_precision_is_one() -> None:
    captions, source = planted.captions(20_000, 4)
    pairs, cluster = truth(captions, source), clusters(captions)
    joined = cluster[pairs.one] == cluster[pairs.other]
    alike = pairs.similarity >= THRESHOLD
    theirs = found_by_datasketch(captions, pairs)
    assert joined[pairs.similarity == 1].all()
    assert joined[alike & theirs].all()
    assert 0.5 < joined[alike & (pairs.similarity < 1)].mean() < 1  # bands miss some: the test can tell
    assert wrong(captions, cluster) == 0
    assert theirs[~alike].sum() > 10  # candidates that were refused
