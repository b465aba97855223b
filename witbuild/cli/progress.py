"""Progress: bars with rate and time left on a terminal, plain lines elsewhere; always on stderr."""

from __future__ import annotations

import sys
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from witbuild.cli.live import watching

if TYPE_CHECKING:
    from collections.abc import Iterator

    from rich.progress import Progress

    from witbuild.io.manifest import Done, Manifest
    from witbuild.runner import Progress as RunnerProgress

TERMINAL_SECONDS, LOG_SECONDS = 2.0, 60.0
"""How often it is told how far tasks are."""


@contextmanager
def drawn(run: str) -> Iterator[RunnerProgress]:
    """Give a progress that fits where stderr goes, and tell how far tasks are that take long.

    Args:
        run: directory whose tasks say so.
    """
    if not sys.stderr.isatty():
        lines = Lines()
        with watching(run, lines.tell, LOG_SECONDS):
            yield lines
        return
    from rich.console import Console
    from rich.progress import (
        BarColumn,
        MofNCompleteColumn,
        Progress,
        TextColumn,
        TimeElapsedColumn,
        TimeRemainingColumn,
    )

    columns = (
        TextColumn("{task.description:<22}"),
        BarColumn(),
        MofNCompleteColumn(),
        TextColumn("{task.fields[rows]}"),
        TimeElapsedColumn(),
        TimeRemainingColumn(),
    )
    with Progress(*columns, console=Console(stderr=True)) as progress:
        bars = Bars(progress)
        with watching(run, bars.tell, TERMINAL_SECONDS):
            yield bars


class Bars:
    """A bar a step."""

    def __init__(self, progress: Progress) -> None:
        self._progress = progress
        self._bar = progress.add_task("", visible=False, rows="")
        self._rows, self._started = 0, 0.0

    def begin(self, name: str, tasks: int, finished: int) -> None:
        """Draw the step's bar."""
        self._rows, self._started = 0, time.monotonic()
        self._bar = self._progress.add_task(name, total=tasks, completed=finished, rows="")

    def advance(self, done: Done) -> None:
        """Move the bar and show the rate."""
        self._rows += done.rows
        self._progress.update(self._bar, advance=1, rows=rate(self._rows, time.monotonic() - self._started))

    def tell(self, text: str) -> None:
        """Show how far the tasks are."""
        self._progress.update(self._bar, rows=text)

    def end(self, manifest: Manifest) -> None:
        """Show what came out."""
        self._progress.update(self._bar, rows=outcome(manifest))


class Lines:
    """A line a step, when it ends."""

    def __init__(self) -> None:
        self._name, self._started = "", 0.0

    def begin(self, name: str, tasks: int, finished: int) -> None:
        """Remember when the step began."""
        self._name, self._started = name, time.monotonic()
        if finished:
            self._print(f"{name}: {finished} of {tasks} tasks were done before")

    def advance(self, done: Done) -> None:
        """Say nothing."""

    def tell(self, text: str) -> None:
        """Say how far the tasks are."""
        self._print(f"{self._name}: {text}")

    def end(self, manifest: Manifest) -> None:
        """Say what came out and how long it took."""
        self._print(f"{self._name}: {outcome(manifest)} in {time.monotonic() - self._started:.1f} s")

    @staticmethod
    def _print(line: str) -> None:
        print(line, file=sys.stderr, flush=True)  # noqa: T201


def rate(rows: int, seconds: float) -> str:
    """Return a rate for a person.

    Example:
        >>> rate(3000, 2.0)
        '1,500 rows/s'
    """
    return f"{rows / seconds:,.0f} rows/s" if rows and seconds > 0 else ""


def outcome(manifest: Manifest) -> str:
    """Return what a step made, for a person."""
    dropped = sum(manifest.dropped.values())
    return f"{manifest.rows:,} {manifest.output}" + (f", {dropped:,} dropped" if dropped else "")
