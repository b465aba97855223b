"""The fixture `bench`: both sides alternate in one run, CPU seconds, medians; a table a module in docs/benchmarks.

Machines are shared and noisy, so only ratios between sides of one run mean something.
"""

from __future__ import annotations

import gc
import os
import platform
import resource
import statistics
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROUNDS = 5
TABLES = pytest.StashKey[dict[str, str]]()


@dataclass(frozen=True)
class Side:
    """One contender: what it does once, and how many items that is."""

    run: Callable[[], Any]
    items: int
    told: bool = False
    """What it returns are the CPU seconds that it took: those of a peer's own interpreter, without its imports."""


HEAD = "| job | side | work | CPU s (median) | items a CPU s | first is faster by |\n|---|---|---|---|---|---|"


@dataclass
class Bench:
    """Collects the rows of a module's table."""

    head: str = HEAD
    rows: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)
    names: int = 0
    """So many first cells name a row; those of the last table that have other names stay. 0: none does."""

    def compare(self, job: str, unit: str, sides: Mapping[str, Side], rounds: int = ROUNDS) -> dict[str, float]:
        """Run the sides in alternation and note median CPU seconds, items a CPU second and the ratio to the first.

        Returns:
            The rate of each side, items a CPU second.
        """
        seconds: dict[str, list[float]] = {name: [] for name in sides}
        for _ in range(rounds):
            for name, side in sides.items():
                seconds[name].append(side.run() if side.told else cpu_seconds(side.run))
        medians = {name: statistics.median(values) for name, values in seconds.items()}
        rates = {name: sides[name].items / medians[name] for name in sides}
        first = next(iter(rates.values()))
        for name, rate in rates.items():
            ratio = f"{first / rate:.2f}x" if rate != first else "1"
            cells = [job, name, f"{sides[name].items:,} {unit}", f"{medians[name]:.3f}", f"{rate:,.0f}", ratio]
            self.rows.append(f"| {' | '.join(cells)} |")
        return rates

    def note(self, text: str) -> None:
        """Add a sentence below the table."""
        self.notes.append(text)

    def keep(self, old: str) -> None:
        """Take over the rows of an earlier table of the same head that were not measured now, in their names' order."""
        if self.names == 0 or self.head not in old:
            return
        found = old.split(self.head, 1)[1].strip().split("\n\n", 1)[0].splitlines()
        named = {self._name(row): row for row in (*found, *self.rows)}
        self.rows = [named[name] for name in sorted(named)]

    def _name(self, row: str) -> tuple[tuple[int, str], ...]:
        """Return the cells that name a row, such that numbers are in their order."""
        cells = [cell.strip() for cell in row.strip("|").split("|")[: self.names]]
        return tuple((int(cell.replace(",", "")) if cell.replace(",", "").isdigit() else 0, cell) for cell in cells)

    def table(self) -> str:
        """Return the module's table as Markdown."""
        return "\n".join([self.head, *self.rows, "", *(f"- {note}" for note in self.notes)]).rstrip() + "\n"


def cpu_seconds(run: Callable[[], Any]) -> float:
    """Return the CPU seconds of this process and its finished children for one call."""
    gc.collect()
    before = _spent()
    run()
    return _spent() - before


def _spent() -> float:
    children = resource.getrusage(resource.RUSAGE_CHILDREN)
    return time.process_time() + children.ru_utime + children.ru_stime


@pytest.fixture(scope="module")
def bench(request: pytest.FixtureRequest) -> Iterator[Bench]:
    """Give the module's bench; write its table when the module is done."""
    made = Bench()
    yield made
    if not made.rows:
        return
    name = request.module.__name__.rsplit(".", 1)[-1].removeprefix("test_bench_")
    path = ROOT / "docs/benchmarks" / f"{name}.md"
    made.keep(path.read_text() if path.exists() else "")
    text = f"# {name}\n\n{(request.module.__doc__ or '').strip()}\n\n{_where(name)}\n\n{made.table()}"
    path.write_text(text)
    request.config.stash.setdefault(TABLES, {})[name] = made.table()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print what was measured."""
    for name, table in terminalreporter.config.stash.get(TABLES, {}).items():
        terminalreporter.write_line(f"\n{name}\n{table}")


def _where(name: str) -> str:
    command = f"make bench ONLY={name}"
    return (
        f"{datetime.now(tz=UTC):%Y-%m-%d}, commit {commit()}, {_processor()}, {os.cpu_count()} cores, "
        f"Python {platform.python_version()}, `{command}`"
    )


def commit() -> str:
    """Return the short name of the commit that is measured."""
    done = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    return done.stdout.strip() or "unknown"


def _processor() -> str:
    path = Path("/proc/cpuinfo")
    names = [line.split(":", 1)[1].strip() for line in path.read_text().splitlines() if line.startswith("model name")]
    return names[0] if names else platform.processor()
