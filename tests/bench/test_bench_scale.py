"""Dedup and balance as runs, from parts on disk to parts on disk, on 2 workers: time, memory, the cost curve.

Captions are those of `tests/bench/planted.py`: 5 to 20 words, one in ten copied from another as it is, one in ten with
one to four words changed. Balance has 500,000 queries and about 5 matches a pair. WITBUILD_BENCH_ROWS (millions, with
commas between) asks for other sizes; rows of sizes that were not asked for stay as they are. WITBUILD_BENCH_KEPT
names a folder in which the made pairs stay for the next time. Load is how many processes wanted the cores meanwhile, on
average: above 2 the wall seconds tell of others, too, and the CPU seconds somewhat.
"""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.bench import planted
from tests.bench.conftest import Bench, commit
from tests.bench.watch import watched

pytestmark = [pytest.mark.bench, pytest.mark.timeout(3_600)]

MILLION = 1_000_000
SIZES = [int(float(text) * MILLION) for text in os.environ.get("WITBUILD_BENCH_ROWS", "1,3,10").split(",")]
MOST_MEMORY = 4 * 10**9
HEAD = (
    "| job | rows | wall s | CPU s | CPU s a million rows "
    "| most memory, all processes | one process | between steps | load | commit |\n"
    "|---|---|---|---|---|---|---|---|---|---|"
)
RUN = """
import sys
from witbuild.cli.where import Where
from witbuild.recipe import Recipe, make_stage
from witbuild.runner import run_recipe
import yaml
if __name__ == "__main__":
    name, parameters, out, *inputs = sys.argv[1:]
    stage = make_stage(name, yaml.safe_load(parameters), "bench")
    with Where(workers=2).open() as engine:
        run_recipe(Recipe(stages=(stage,), inputs=dict(zip(["pairs", "queries"], inputs))), out, engine)
"""


@pytest.fixture(params=SIZES, ids=lambda rows: f"{rows / MILLION:g}M", scope="module")
def rows(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(scope="module")
def pairs(rows: int, tmp_path_factory: pytest.TempPathFactory) -> str:
    if "WITBUILD_BENCH_KEPT" not in os.environ:
        return planted.save(tmp_path_factory.mktemp("scale") / "pairs", rows)
    kept = Path(os.environ["WITBUILD_BENCH_KEPT"]) / str(rows)
    return str(kept) if kept.exists() else planted.save(kept, rows)


@pytest.fixture
def measure(bench: Bench, rows: int, tmp_path: Path) -> Callable[..., None]:
    bench.head, bench.names = HEAD, 2

    def run(name: str, parameters: str, *inputs: str) -> None:
        taken = watched(RUN, name, parameters, str(tmp_path / "run"), *inputs)
        between = sum(file.stat().st_size for file in (tmp_path / "run").rglob("*") if file.is_file())
        cells = [f"{name} {parameters}", f"{rows:,}", f"{taken.wall:.0f}", f"{taken.cpu:.0f}"]
        cells += [f"{taken.cpu / rows * MILLION:.2f}"]
        cells += [f"{number / 1e9:.2f} GB" for number in (taken.together, taken.single, between)]
        cells += [f"{taken.load:.1f}", commit()]
        bench.rows.append(f"| {' | '.join(cells)} |")
        assert taken.together < MOST_MEMORY

    return run


@pytest.mark.parametrize("scope", ["caption, shingle: words", "caption", "caption+image"])
def test_dedup(scope: str, rows: int, pairs: str, measure: Callable[..., None]) -> None:
    measure("dedup", f"{{scope: {scope}}}", pairs)


def test_balance(rows: int, pairs: str, measure: Callable[..., None], tmp_path: Path) -> None:
    limit = max(1, 20_000 * rows // 1_600_000_000)
    measure("balance", f"{{limit: {limit}}}", pairs, planted.save_queries(tmp_path / "queries"))
