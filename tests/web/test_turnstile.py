"""The turnstile: so many at once and so far apart, over all processes, and nobody is locked out by a killed one."""

from __future__ import annotations

import asyncio
import itertools
import subprocess
import sys
import time
from pathlib import Path

import pytest

from witbuild.web import turnstile
from witbuild.web.turnstile import Turnstile


def gate(folder: Path, places: int = 3, delay_seconds: float = 0.0) -> Turnstile:
    return Turnstile("wiki.test", places=places, delay_seconds=delay_seconds, folder=folder)


async def visits(folder: Path, visitors: int, seconds: float, **options: float) -> tuple[int, list[float]]:
    """Return how many were in at once, and when each came in."""
    inside, peak, starts = 0, 0, []

    async def visit() -> None:
        nonlocal inside, peak
        async with gate(folder, **options):  # type: ignore[arg-type]
            inside += 1
            peak = max(peak, inside)
            starts.append(time.monotonic())
            await asyncio.sleep(seconds)
            inside -= 1

    await asyncio.gather(*(visit() for _ in range(visitors)))
    return peak, sorted(starts)


@pytest.mark.parametrize("places", [1, 3])
def test_so_many_are_in_at_once(places: int, tmp_path: Path) -> None:
    peak, starts = asyncio.run(visits(tmp_path, 9, 0.03, places=places))
    assert (peak, len(starts)) == (places, 9)


def test_a_place_is_used_again_after_its_delay(tmp_path: Path) -> None:
    _, starts = asyncio.run(visits(tmp_path, 3, 0, places=1, delay_seconds=0.5))
    # who is in looks at the clock a moment later, so two looks may lie closer than two visits
    assert all(later - earlier > 0.25 for earlier, later in itertools.pairwise(starts))


def test_the_first_of_all_does_not_wait(tmp_path: Path) -> None:
    start = time.monotonic()
    asyncio.run(visits(tmp_path, 1, 0, delay_seconds=100.0))
    assert time.monotonic() - start < 50


def test_all_rest_when_one_is_told_to(tmp_path: Path) -> None:
    start = time.monotonic()
    gate(tmp_path).rest(0.3)
    _, starts = asyncio.run(visits(tmp_path, 3, 0))
    assert min(starts) - start > 0.28


def test_a_shorter_rest_does_not_end_a_longer_one(tmp_path: Path) -> None:
    start = time.monotonic()
    gate(tmp_path).rest(0.4)
    gate(tmp_path).rest(0.01)
    _, starts = asyncio.run(visits(tmp_path, 1, 0))
    assert starts[0] - start > 0.35


def test_a_clock_that_was_set_back_stops_nobody(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(turnstile, "MAX_WAIT_SECONDS", 0.1)
    asyncio.run(visits(tmp_path, 1, 0, delay_seconds=1_000.0))
    start = time.monotonic()
    asyncio.run(visits(tmp_path, 3, 0, places=1, delay_seconds=1_000.0))
    assert time.monotonic() - start < 100


HOLD = """
import asyncio, pathlib, sys
from witbuild.web.turnstile import Turnstile
async def hold():
    async with Turnstile("wiki.test", places=1, delay_seconds=0, folder=pathlib.Path(sys.argv[1])):
        print("in", flush=True)
        await asyncio.sleep(60)
asyncio.run(hold())
"""


def test_a_place_is_held_against_other_processes_and_goes_with_a_killed_one(tmp_path: Path) -> None:
    holder = subprocess.Popen([sys.executable, "-c", HOLD, str(tmp_path)], stdout=subprocess.PIPE)
    try:
        assert holder.stdout and holder.stdout.readline() == b"in\n"
        with pytest.raises(TimeoutError):
            asyncio.run(asyncio.wait_for(visits(tmp_path, 1, 0, places=1), 0.3))
    finally:
        holder.kill()
        holder.communicate()
    asyncio.run(asyncio.wait_for(visits(tmp_path, 1, 0, places=1), 100))
