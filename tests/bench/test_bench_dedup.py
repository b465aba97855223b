"""Dedup of captions against datasketch on the same captions, from Arrow strings to clusters.

Captions have 5 to 20 words of a Zipf vocabulary; one in ten is a near-duplicate of the one before (a word added). The
peer's side shingles in Python as its users do, signs with xxh64 as we do, and asks its LSH for the neighbours of each.
"""

from __future__ import annotations

import datasketch
import numpy as np
import pyarrow as pa
import pytest

from tests.bench.conftest import Bench, Side
from witbuild.dedup.clusters import Edges
from witbuild.dedup.folding import fold, fold_one
from witbuild.dedup.hamming import near_pairs, table_keys
from witbuild.dedup.join import Bands
from witbuild.dedup.lsh import optimum
from witbuild.dedup.minhash import permutations, shingle_hash, signatures
from witbuild.dedup.nodes import caption_bands, evidence, linked
from witbuild.dedup.shingles import shingle, shingle_one
from witbuild.dedup.strings import arrow
from witbuild.dedup.verify import Rule

pytestmark = pytest.mark.bench

CAPTIONS, PEER, THRESHOLD = 200_000, 4_000, 0.8
CUT = Bands(permutations(128, 1), *optimum(THRESHOLD, 128))


@pytest.fixture(scope="module")
def captions() -> pa.Array:
    random = np.random.default_rng(1)
    sizes = random.integers(5, 21, CAPTIONS)
    words = [f"w{number:x}" for number in ((random.zipf(1.3, sizes.sum()) - 1) % 50_000).tolist()]
    texts = [" ".join(some) for some in np.split(np.array(words), np.cumsum(sizes)[:-1])]
    texts[1::10] = [f"{text} extra" for text in texts[::10]]
    return pa.array(texts)


def ours(captions: pa.Array) -> Edges:
    """From Arrow strings to the links of all near-duplicates."""
    table = pa.table({"caption": captions})
    found = evidence(table, frozenset({"caption"}), "phash", str).distinct()
    bands, rows = caption_bands(found, "words", 2, CUT)
    return linked(
        pa.table({"band": bands, **found.take(rows).columns()}),
        "words",
        2,
        Rule(image=False, distance=-1, caption=True, threshold=THRESHOLD),
        CUT,
    )


def sketch(caption: str) -> datasketch.MinHash:
    made = datasketch.MinHash(128, hashfunc=shingle_hash, scheme="affine32")
    made.update_batch([one.encode() for one in shingle_one(fold_one(caption), "words", 2)])
    return made


def theirs(captions: list[str]) -> list[list[int]]:
    """From strings to the candidates of each, not verified."""
    lsh = datasketch.MinHashLSH(THRESHOLD, 128)
    out = []
    for number, caption in enumerate(captions):
        signed = sketch(caption)
        out.append(lsh.query(signed))
        lsh.insert(number, signed, check_duplication=False)
    return out


def test_signatures(bench: Bench, captions: pa.Array) -> None:
    few = captions[:PEER].to_pylist()
    sides = {
        "witbuild": Side(lambda: signatures(shingle(fold(captions), distinct=False), CUT.order), CAPTIONS),
        "datasketch": Side(lambda: [sketch(caption) for caption in few], PEER),
    }
    bench.compare("shingle and sign, 128 permutations", "captions", sides)
    mine = signatures(shingle(fold(captions[:PEER])), CUT.order)
    assert all((row == sketch(caption).hashvalues).all() for row, caption in zip(mine, few, strict=True))


def test_captions_to_links(bench: Bench, captions: pa.Array) -> None:
    few = captions[:PEER].to_pylist()
    sides = {
        "witbuild, verified": Side(lambda: ours(captions), CAPTIONS),
        "datasketch": Side(lambda: theirs(few), PEER),
    }
    bench.compare("captions to near-duplicates", "captions", sides)
    folded = arrow(fold(captions[:PEER])).to_pylist()
    alike = {
        (i, j) for j, found in enumerate(theirs(few)) for i in found if similarity(folded[i], folded[j]) >= THRESHOLD
    }
    linked_here = PEER - len(set(folded)) + ours(captions[:PEER]).node.size
    bench.note(
        f"of {PEER:,} captions datasketch finds {len(alike):,} true pairs, witbuild drops {linked_here:,} captions"
    )


def similarity(one: str, two: str) -> float:
    a, b = shingle_one(one, "words", 2), shingle_one(two, "words", 2)
    return len(a & b) / len(a | b)


def test_near_images(bench: Bench) -> None:
    random = np.random.default_rng(2)
    hashes = random.integers(0, 2**64, CAPTIONS, dtype=np.uint64)
    hashes[1::10] = hashes[::10] ^ np.uint64(5)
    few = hashes[: 2 * PEER]
    table = pa.table({"url": ["u"] * CAPTIONS, "phash": hashes})

    def indexed() -> Edges:
        found = evidence(table, frozenset({"image"}), "phash", str)
        keys = table_keys(found.image, 3)
        rows = np.repeat(np.arange(CAPTIONS), keys.shape[1])
        columns = {"band": keys.ravel(), **found.take(rows).columns(), "url": rows.astype(np.uint64)}
        return linked(pa.table(columns), "words", 2, Rule(image=True, distance=3, caption=False, threshold=1.0), CUT)

    sides = {"tables": Side(indexed, CAPTIONS), "every pair": Side(lambda: near_pairs(few, 3), few.size)}
    bench.compare("image hashes within 3 bits", "hashes", sides)
    assert indexed().node.size >= CAPTIONS // 10
