"""The engine and the runner: what they cost beside a plain loop over the same work.

Tasks of a few milliseconds of arithmetic through the engine; then a stage of 200 parts that do nothing, so that all of
its cost is the runner's: a table, a side file and a record published for each part, every table's bytes on the disk.

Last, 1,000 tasks of one second, which wait as for a network, by 20 workers: what is above 50 seconds is overhead.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, ClassVar

import pytest

from tests.bench.conftest import Bench, Side
from tests.toys import Count
from witbuild.engine.local import LocalEngine
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stage import Part, Task

pytestmark = pytest.mark.bench

TASKS, WORKERS, SECOND = 1_000, 20, 1.0


class Wait(Count):
    """Counts, a second a part."""

    name: ClassVar[str] = "wait"

    def process(self, task: Task) -> Part:
        time.sleep(SECOND)
        return super().process(task)


def spin(items: int) -> int:
    total = 0
    for number in range(items):
        total += number
    return total


def test_engine(bench: Bench) -> None:
    work = [200_000] * 200
    with LocalEngine(workers=2) as engine:
        list(engine.map(spin, [1, 1]))
        started = time.perf_counter()
        list(map(spin, work))
        alone = time.perf_counter() - started
        started = time.perf_counter()
        list(engine.map(spin, work))
        shared = time.perf_counter() - started
    bench.note(f"200 tasks of {alone / 200 * 1000:.0f} ms: {alone:.2f} s in a plain loop, {shared:.2f} s on 2 workers")
    bench.compare(
        "dispatch in this process",
        "tasks",
        {
            "LocalEngine(1)": Side(lambda: list(LocalEngine(1).map(spin, work)), len(work)),
            "plain loop": Side(lambda: list(map(spin, work)), len(work)),
        },
    )


def test_runner(bench: Bench, tmp_path: Path) -> None:
    numbers = iter(range(100))

    def run() -> None:
        run_recipe(Recipe(stages=(Count(parts=200),)), str(tmp_path / str(next(numbers))), LocalEngine(1))

    rate = bench.compare("publish a small part: table, side file, record", "tasks", {"runner": Side(run, 200)})
    bench.note(f"a task costs {1000 / rate['runner']:.1f} ms of CPU beside its own work")


@pytest.fixture
def workers(bench: Bench) -> Iterator[LocalEngine]:
    """An engine whose workers are up."""
    started = time.perf_counter()
    with LocalEngine(workers=WORKERS) as engine:
        list(engine.map(time.sleep, [SECOND] * WORKERS))
        bench.note(f"{WORKERS} workers are up after {time.perf_counter() - started - SECOND:.1f} s")
        yield engine


def test_tasks_of_a_second(bench: Bench, workers: LocalEngine, tmp_path: Path) -> None:
    recipe = Recipe(stages=(Wait(parts=TASKS),))
    ways: dict[str, Callable[[], Any]] = {
        "engine": lambda: list(workers.map(time.sleep, [SECOND] * TASKS)),
        "engine and runner": lambda: run_recipe(recipe, str(tmp_path / "run"), workers),
    }
    for name, way in ways.items():
        started = time.perf_counter()
        way()
        taken, ideal = time.perf_counter() - started, TASKS * SECOND / WORKERS
        over = f"{taken / ideal - 1:.1%} above {ideal:.0f} s"
        bench.note(f"{name}, {TASKS:,} tasks of a second, {WORKERS} workers: {taken:.1f} s, {over}")
