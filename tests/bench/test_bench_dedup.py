"""Dedup of captions against datasketch on the same captions, from Arrow strings to clusters.

Captions have 5 to 20 words of a Zipf vocabulary; one in ten is a near-duplicate of the one before (a word added). The
peer's side shingles in Python as its users do, signs with the hash that we have, and asks its LSH for the neighbours of
each. Other peers (`tests/bench/dedup_peers.py` says what each does) have the same captions, bands and permutations.
"""

from __future__ import annotations

import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path

import datasketch
import numpy as np
import pyarrow as pa
import pytest
from PIL import Image

from tests.bench.conftest import Bench, Side
from witbuild.dedup.clusters import Edges
from witbuild.dedup.folding import fold, fold_one
from witbuild.dedup.hamming import _near_pairs, table_keys
from witbuild.dedup.join import Bands
from witbuild.dedup.lsh import optimum
from witbuild.dedup.minhash import permutations, shingle_hash, signatures
from witbuild.dedup.nodes import caption_bands, evidence, linked
from witbuild.dedup.repeats import contested, first_of_each
from witbuild.dedup.shingles import shingle, shingle_one
from witbuild.dedup.strings import arrow
from witbuild.dedup.verify import Rule
from witbuild.image.hashes import phash
from witbuild.web.urls import canonical_forms

pytestmark = pytest.mark.bench

CAPTIONS, PEER, THRESHOLD = 200_000, 4_000, 0.8
CUT = Bands(permutations(128, 1), *optimum(THRESHOLD, 128), numbers=True)


@pytest.fixture(scope="module")
def captions() -> pa.Array:
    random = np.random.default_rng(1)
    sizes = random.integers(5, 21, CAPTIONS)
    letters = str.maketrans("0123456789", "ghijklmnop")
    words = [f"w{number:x}".translate(letters) for number in ((random.zipf(1.3, sizes.sum()) - 1) % 50_000).tolist()]
    texts = [" ".join(some) for some in np.split(np.array(words), np.cumsum(sizes)[:-1])]
    texts[1::10] = [f"{text} extra" for text in texts[::10]]
    return pa.array(texts)


def ours(captions: pa.Array) -> Edges:
    """From Arrow strings to the links of all near-duplicates."""
    table = pa.table({"caption": captions})
    found = evidence(table, frozenset({"caption"}), "phash", canonical_forms)
    found = found.take(first_of_each(found.node))
    bands, rows = caption_bands(found, "words", 2, CUT)
    some = contested(bands, found.node[rows]).apart
    return linked(
        pa.table({"band": bands[some], **found.take(rows[some]).columns()}),
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


PEERS = {"rensa": ("RENSA", 50_000), "text-dedup": ("TEXT_DEDUP", 10_000), "datatrove": ("DATATROVE", 10_000)}
"""Peer -> the variable that names the Python in whose environment it is, and how many captions it is given."""


@pytest.mark.parametrize("peer", PEERS)
def test_captions_to_links_against(peer: str, bench: Bench, captions: pa.Array, tmp_path: Path) -> None:
    """A peer in an environment of its own: RENSA=/path/to/bin/python, ..."""
    variable, count = PEERS[peer]
    here = sys.executable if importlib.util.find_spec(peer.replace("-", "_")) else ""
    python = os.environ.get(variable, here)
    if not python:
        pytest.skip(f"{peer} is not here, and {variable} names no Python that has it")
    texts = tmp_path / "captions.txt"
    texts.write_text("\n".join(captions[:count].to_pylist()))
    command = [python, str(Path(__file__).with_name("dedup_peers.py")), peer, str(texts)]

    def theirs() -> float:
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        return float(json.loads(done.stdout.splitlines()[-1])["seconds"])

    sides = {
        "witbuild, verified": Side(lambda: ours(captions), CAPTIONS),
        peer: Side(theirs, count, told=True),
    }
    bench.compare(f"captions to near-duplicates, {peer}", "captions", sides)


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
        found = evidence(table, frozenset({"image"}), "phash", canonical_forms)
        keys = table_keys(found.image, 3)
        rows = np.repeat(np.arange(CAPTIONS), keys.shape[1])
        columns = {"band": keys.ravel(), **found.take(rows).columns(), "url": rows.astype(np.uint64)}
        return linked(pa.table(columns), "words", 2, Rule(image=True, distance=3, caption=False, threshold=1.0), CUT)

    def each_with_each() -> int:
        return _near_pairs(few, np.arange(few.size), 3, np.zeros(1, np.uint64), np.empty((few.size, 2), np.int64))

    sides = {"tables": Side(indexed, CAPTIONS), "every pair": Side(each_with_each, few.size)}
    bench.compare("image hashes within 3 bits", "hashes", sides)
    assert indexed().node.size >= CAPTIONS // 10


STAMPS = Path("/usr/share/tuxpaint/stamps")
COPIES = {
    "quality 60": (1.0, 0.0, 60),
    "0.7 as large": (0.7, 0.0, 75),
    "0.4 as large": (0.4, 0.0, 75),
    "2% cut off": (1, 0.02, 80),
}


def test_hashes_of_copies(bench: Bench) -> None:
    """How far copies of real pictures are from their originals; Debian's package tuxpaint-stamps-default."""
    if not STAMPS.is_dir():
        pytest.skip(f"{STAMPS} is not there")
    pictures = [Image.open(path).convert("RGBA") for path in sorted(STAMPS.rglob("*.png"))]
    opened = [
        Image.alpha_composite(Image.new("RGBA", one.size, "white"), one) for one in pictures if min(one.size) >= 150
    ]
    originals = np.array([copy_hash(one, 1.0, 0.0, 90) for one in opened], np.uint64)
    for name, change in COPIES.items():
        copies = np.array([copy_hash(one, *change) for one in opened], np.uint64)
        bits = np.bitwise_count(originals ^ copies)
        shares = ", ".join(f"{(bits <= most).mean():.1%} within {most}" for most in (0, 2, 4, 6))
        bench.note(f"{len(opened)} pictures, {name}: {shares}")
    apart = np.bitwise_count(originals[:, None] ^ originals[None, :])[np.triu_indices(len(opened), 1)]
    shares = ", ".join(f"{(apart <= most).sum()} within {most}" for most in (0, 2, 4, 6))
    bench.note(f"{apart.size:,} pairs of different pictures: {shares}")


def copy_hash(picture: Image.Image, scale: float, cut: float, quality: int) -> int:
    """Return the hash of a picture cut, scaled and encoded."""
    width, height = picture.size
    box = (int(width * cut), int(height * cut), int(width * (1 - cut)), int(height * (1 - cut)))
    made = picture.convert("RGB").crop(box)
    made = made.resize((int(made.width * scale), int(made.height * scale)), Image.Resampling.BICUBIC)
    stream = io.BytesIO()
    made.save(stream, "JPEG", quality=quality)
    return phash(np.asarray(Image.open(stream).convert("RGB")))
