"""What dedup by caption finds of planted duplicates, and what datasketch finds with the same parameters."""

from __future__ import annotations

from itertools import combinations
from typing import NamedTuple

import datasketch
import numpy as np
import numpy.typing as npt
import pyarrow as pa

from witbuild.dedup.folding import fold_one
from witbuild.dedup.join import Bands
from witbuild.dedup.lsh import optimum
from witbuild.dedup.minhash import permutations, shingle_hash
from witbuild.dedup.nodes import caption_bands, evidence, linked
from witbuild.dedup.repeats import contested, first_of_each
from witbuild.dedup.shingles import shingle_one
from witbuild.dedup.verify import Rule
from witbuild.web.urls import canonical_forms

THRESHOLD, PERMUTATIONS = 0.8, 128
CUT = Bands(permutations(PERMUTATIONS, 1), *optimum(THRESHOLD, PERMUTATIONS))
RULE = Rule(image=False, distance=-1, caption=True, threshold=THRESHOLD)


class Planted(NamedTuple):
    """Pairs of captions, one copied from the other."""

    one: npt.NDArray[np.int64]
    other: npt.NDArray[np.int64]
    similarity: npt.NDArray[np.float64]


def clusters(captions: pa.Array) -> npt.NDArray[np.uint64]:
    """Return the cluster of each caption, from the kernels that the stage calls."""
    found = evidence(pa.table({"caption": captions}), frozenset({"caption"}), "phash", canonical_forms)
    distinct = found.take(first_of_each(found.node))
    bands, rows = caption_bands(distinct, "words", 2, CUT)
    some = contested(bands, distinct.node[rows]).apart
    records = pa.table({"band": bands[some], **distinct.take(rows[some]).columns()})
    edges = linked(records, "words", 2, RULE, CUT)
    place = np.searchsorted(edges.node, found.node)
    place[place == edges.node.size] = 0
    return np.where(edges.node[place] == found.node, edges.other[place], found.node)


def planted(captions: pa.Array, source: npt.NDArray[np.int64]) -> Planted:
    """Return each copy and its original with their exact similarity, by Python's sets."""
    rows = np.flatnonzero(source != np.arange(source.size))
    texts = zip(
        captions.take(pa.array(rows)).to_pylist(), captions.take(pa.array(source[rows])).to_pylist(), strict=True
    )
    return Planted(rows, source[rows], np.array([similarity(one, other) for one, other in texts]))


def similarity(one: str, other: str) -> float:
    a, b = shingles(one), shingles(other)
    return len(a & b) / len(a | b)


def shingles(caption: str) -> set[str]:
    return shingle_one(fold_one(caption), "words", 2)


def found_by_datasketch(captions: pa.Array, some: Planted) -> npt.NDArray[np.bool_]:
    """Say of each pair whether datasketch's LSH has the original among the candidates of its copy."""
    lsh = datasketch.MinHashLSH(THRESHOLD, PERMUTATIONS)
    for row in np.unique(some.other):
        lsh.insert(int(row), sketch(captions[int(row)].as_py()))
    pairs = zip(some.one.tolist(), some.other.tolist(), strict=True)
    return np.array([other in lsh.query(sketch(captions[one].as_py())) for one, other in pairs])


def sketch(caption: str) -> datasketch.MinHash:
    made = datasketch.MinHash(PERMUTATIONS, hashfunc=shingle_hash, scheme="affine32")
    made.update_batch([one.encode() for one in shingles(caption)])
    return made


def wrong(captions: pa.Array, cluster: npt.NDArray[np.uint64]) -> int:
    """Return how many clusters hold a caption that no chain of similar captions joins to the others."""
    order = np.argsort(cluster, kind="stable")
    groups = np.split(order, np.flatnonzero(np.diff(cluster[order])) + 1)
    texts = (set(captions.take(pa.array(group)).to_pylist()) for group in groups if group.size > 1)
    return sum(not connected([shingles(text) for text in some]) for some in texts)


def connected(sets: list[set[str]]) -> bool:
    root = list(range(len(sets)))
    for i, j in combinations(range(len(sets)), 2):
        if root[i] != root[j] and len(sets[i] & sets[j]) >= THRESHOLD * len(sets[i] | sets[j]):
            root = [root[i] if one == root[j] else one for one in root]
    return len(set(root)) == 1
