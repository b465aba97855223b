"""Shard beside `cat` of the same image bytes into one file, which is what the disk gives; both wait for the disk.

The whole stage is timed, on a run whose fetch is done: records rendered and sorted, images read from fetch's parts in
the global order, tars written, each byte hashed twice (the file and its sample), metadata, index; by one process, so
that the table, which has the processor's seconds, has all of them. The notes have the clock's, both sides in turn. Peak
memory is that of the process.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import ClassVar

import numpy as np
import pytest

from tests.bench.conftest import Bench, Side
from tests.fetched import Fetched, save
from witbuild.engine.local import LocalEngine
from witbuild.io import tables, tars
from witbuild.io.manifest import Manifest
from witbuild.recipe import Recipe
from witbuild.runner import Settings, run_recipe
from witbuild.runner.run import Silent
from witbuild.schema import PAIRS
from witbuild.stage import Inputs, Part, Stage, Task
from witbuild.stages.shard import Shard

pytestmark = pytest.mark.bench

PARTS, IMAGES, IMAGE_BYTES, PER_SHARD = 4, 2_000, 64_000, 1_000
ROUNDS = 3
PACKING = "the step that writes tars alone, two workers that have started"
PEAK = """
import re, sys
from tests.bench.test_bench_shard import shard
from pathlib import Path
shard(Path(sys.argv[1]), Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))
print(re.search(r"VmHWM:\\s+(\\d+)", Path("/proc/self/status").read_text())[1])
"""


class Invented(Stage):
    """Pairs with images of random bytes behind a JPEG's first three."""

    name: ClassVar[str] = "fetch"
    output: ClassVar[str] = "pairs"
    files: ClassVar[Mapping[str, str]] = {"images": ".tar"}

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        yield from (Task(part, {}) for part in range(PARTS))

    def process(self, task: Task) -> Part:
        random, path = np.random.default_rng(task.index), task.scratch_file("images.tar")
        rows = []
        with path.open("wb") as stream, tars.TarWriter(stream) as tar:
            for number in range(task.index * IMAGES, (task.index + 1) * IMAGES):
                image = b"\xff\xd8\xff" + random.bytes(IMAGE_BYTES - 3)
                one = Fetched(f"http://a.test/{number}.jpg", f"a red dog, number {number}", image)
                rows.append(one.row(task.index, tar.add(f"{number}.jpg", image)))
        return Part(tables.from_rows(rows, PAIRS), files={"images": path})


@pytest.fixture(scope="module")
def fetched(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that has fetched, and queries beside it."""
    folder = tmp_path_factory.mktemp("bench")
    save(folder, [])
    with LocalEngine(1) as engine:
        run_recipe(Recipe(stages=(Invented(),), inputs={}), str(folder / "run"), engine)
    return folder


def inputs(source: Path) -> dict[str, str]:
    run = str(source / "run")
    return {"pairs": run, "images": run, "queries": str(source / "queries")}


def shard(source: Path, out: Path, kind: str = "tar", samples: int = PER_SHARD) -> None:
    shutil.rmtree(out, ignore_errors=True)
    with LocalEngine(1) as engine:
        stage = Shard.model_validate({"samples_per_shard": samples, "format": kind})
        run_recipe(Recipe(stages=(stage,), inputs=inputs(source)), str(out), engine)


class Clock(Silent):
    """Holds the seconds of each step by the clock; workers have started by the second."""

    def __init__(self) -> None:
        self.began, self.seconds = 0.0, dict[str, float]()

    def begin(self, name: str, tasks: int, finished: int) -> None:
        self.began = time.perf_counter()

    def end(self, manifest: Manifest) -> None:
        self.seconds[manifest.identity.name] = time.perf_counter() - self.began


def packing(source: Path, out: Path) -> float:
    """Return the seconds in which two workers write the shards, without starting them."""
    shutil.rmtree(out, ignore_errors=True)
    recipe, clock = Recipe(stages=(Shard(samples_per_shard=PER_SHARD),), inputs=inputs(source)), Clock()
    with LocalEngine(2) as engine:
        run_recipe(recipe, str(out), engine, Settings(progress=clock))
    return clock.seconds["shard.pack"]


def cat(source: Path, out: Path) -> None:
    out.unlink(missing_ok=True)
    images = source / "run" / "01-fetch" / "images"
    subprocess.run(["sh", "-c", 'cat "$1"/*.tar > "$2" && sync "$2"', "sh", images, out], check=True)


def wall(run: Callable[[], None]) -> float:
    started = time.perf_counter()
    run()
    return time.perf_counter() - started


def peak(source: Path, out: Path, kind: str, samples: int) -> float:
    """Return the peak memory of a process that shards, MB."""
    done = subprocess.run(
        [sys.executable, "-c", PEAK, source, out, kind, str(samples)],
        cwd=Path(__file__).parents[2],
        capture_output=True,
        text=True,
        check=True,
    )
    return int(done.stdout) / 1024


def test_bench_shard_beside_cat(bench: Bench, fetched: Path, tmp_path: Path) -> None:
    megabytes = PARTS * IMAGES * IMAGE_BYTES // 1_000_000
    sides: dict[str, Callable[[], None]] = {
        "witbuild shard, tar": lambda: shard(fetched, tmp_path / "tar"),
        "witbuild shard, parquet": lambda: shard(fetched, tmp_path / "parquet", "parquet"),
        "cat and sync": lambda: cat(fetched, tmp_path / "all"),
    }
    bench.compare("shard", "MB", {name: Side(run, megabytes) for name, run in sides.items()}, rounds=ROUNDS)
    rounds = [
        {PACKING: packing(fetched, tmp_path / "tar"), **{name: wall(run) for name, run in sides.items()}}
        for _ in range(ROUNDS)
    ]
    seconds = {name: statistics.median(one[name] for one in rounds) for name in (*sides, PACKING)}
    bench.note(
        f"load of the machine over five minutes, this included: {os.getloadavg()[1]:.1f}, on {os.cpu_count()} cores"
    )
    for name, took in seconds.items():
        times = took / seconds["cat and sync"]
        bench.note(f"{name}: {megabytes / took:,.0f} MB/s by the clock, {times:.1f} times what cat takes")
    for kind in ("tar", "parquet"):
        for samples in (PER_SHARD, PER_SHARD // 4):
            memory, size = peak(fetched, tmp_path / "peak", kind, samples), samples * IMAGE_BYTES / 1e6
            bench.note(f"{kind}: peak memory {memory:,.0f} MB with shards of {size:,.0f} MB")
