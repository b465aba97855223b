"""What would make a dedup quadratic or fill the memory: each case small here, and a million rows under `soak`."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pytest

from tests.bench.test_bench_scale import RUN
from tests.bench.watch import watched
from witbuild.engine.local import LocalEngine
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe, make_stage
from witbuild.runner import run_recipe
from witbuild.schema import PAIRS

FEW, MANY, PART = 6_000, 1_000_000, 100_000
MOST_MEMORY, MOST_SECONDS = 4 * 10**9, 240


def numbered(before: str, rows: int, after: str = "") -> pa.Array:
    return pc.binary_join_element_wise(before, pa.array(np.arange(rows)).cast(pa.string()), after, "")


def repeated(text: str, rows: int) -> pa.Array:
    return pa.array([text]).take(pa.array(np.zeros(rows, np.int64)))


def lettered(before: str, rows: int) -> pa.Array:
    """Return texts that differ in a word, for those that differ in a number are never near."""
    word = pc.cast(pa.array(np.arange(rows)), pa.string())
    for digit, letter in zip("0123456789", "abcdefghij", strict=True):
        word = pc.replace_substring(word, digit, letter)
    return pc.binary_join_element_wise(before, word, "")


def chained(rows: int) -> pa.Array:
    """Each caption has all but one of the words of the one before: similarity 0.9, and none to those further on."""
    words = [lettered("w", rows).take(pa.array((np.arange(rows) + i) % rows)) for i in range(19)]
    return pc.binary_join_element_wise(*words, " ")


Made = tuple[pa.Array, pa.Array, pa.Array | None]
CASES: dict[str, tuple[str, Callable[[int], Made], float, float]] = {
    "equal captions": (
        "caption",
        lambda n: (numbered("http://a.test/", n), repeated("sunset", n), None),
        0,
        0,
    ),
    "equal captions of different images": (
        "caption+image",
        lambda n: (numbered("http://a.test/", n), repeated("sunset", n), None),
        1,
        1,
    ),
    "captions that differ in a number": (
        "caption",
        lambda n: (
            numbered("http://a.test/", n),
            numbered("photo of the day from our archive of old views no ", n),
            None,
        ),
        1,
        1,
    ),
    "captions that differ in a word": (
        "caption",
        lambda n: (
            numbered("http://a.test/", n),
            lettered("photo of the day from our archive of old views by ", n),
            None,
        ),
        0,
        0.3,
    ),
    "equal hashes": (
        "image",
        lambda n: (numbered("http://a.test/", n), lettered("a ", n), pa.array(np.zeros(n, np.uint64))),
        0,
        0,
    ),
    "equal hashes, different captions": (
        "caption+image",
        lambda n: (numbered("http://a.test/", n), lettered("a ", n), pa.array(np.zeros(n, np.uint64))),
        0.5,
        1,
    ),
    "one URL": (
        "caption+url",
        lambda n: (repeated("http://a.test/x.gif", n), lettered("a ", n), None),
        0.5,
        1,
    ),
    "a chain": (
        "caption",
        lambda n: (numbered("http://a.test/", n), chained(n), None),
        0,
        0.3,
    ),
    "nothing, a letter, 2,000 letters": (
        "caption",
        lambda n: (
            numbered("http://a.test/", n),
            pa.array(["", "x", "?", "y" * 2_000, "z " * 1_000, "東" * 2_000]).take(pa.array(np.arange(n) % 6)),
            None,
        ),
        0,
        0,
    ),
}
"""Case -> scope, what makes n rows, and the least and most share of them that stay (or up to 6 of any number)."""


def save(folder: Path, made: Made, rows: int) -> str:
    urls, captions, hashes = made
    halves = np.random.default_rng(1).integers(0, 2**64, (rows, 2), dtype=np.uint64)
    columns = {
        "key": pa.array(np.frombuffer(halves.tobytes().hex().encode(), "S32").astype("U32")),
        "url": urls,
        "caption": captions,
        "caption_source": repeated("alt", rows),
        "source": repeated("site", rows),
    }
    table = tables.conform(pa.table(columns if hashes is None else {**columns, "phash": hashes}), PAIRS)
    folder.mkdir()
    for index, start in enumerate(range(0, rows, PART)):
        tables.write(folder / f"{index:05d}.parquet", table.slice(start, PART), dropped={})
    return str(folder)


@pytest.mark.parametrize("case", CASES)
def test_what_stays(case: str, tmp_path: Path) -> None:
    scope, make, least, most = CASES[case]
    inputs = {"pairs": save(tmp_path / "pairs", make(FEW), FEW)}
    stage = make_stage("dedup", {"scope": scope, "slices": 2}, "test")
    run = run_recipe(Recipe(stages=(stage,), inputs=inputs), str(tmp_path / "run"), LocalEngine(1))
    assert least * FEW <= run.newest("pairs")[1].rows <= max(most * FEW, 6)


@pytest.mark.soak
@pytest.mark.parametrize("case", CASES)
def test_time_and_memory_stay_bounded(
    case: str, tmp_path: Path, record_property: Callable[[str, object], None]
) -> None:
    scope, make, least, most = CASES[case]
    pairs = save(tmp_path / "pairs", make(MANY), MANY)
    taken = watched(RUN, "dedup", f"{{scope: {scope}}}", str(tmp_path / "run"), pairs)
    kept = Run(str(tmp_path / "run")).newest("pairs")[1].rows
    figures = {"kept": kept, "wall": taken.wall, "cpu": taken.cpu, "memory": taken.together}
    for name, value in figures.items():
        record_property(name, value)
    assert least * MANY <= kept <= max(most * MANY, 6)
    assert taken.together < MOST_MEMORY
    assert taken.wall < MOST_SECONDS
