"""Law 1: kill the whole process group at any moment, resume, and the run directory is that of an undisturbed run."""

from __future__ import annotations

import hashlib
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from witbuild.io import batches
from witbuild.io.run import Run

KILLS, SEED, SIZE = 24, 5, 40
MOST_STARTS = 200
MOST_TASKS, MOST_SECONDS = 12, 0.5
"""A kill at random comes after so many tasks more, and so long after the last of them."""
PATIENCE_SECONDS = 120
_MADE = {".parquet", batches.SUFFIX, ".tar", ".json"}
_TIMED = {"manifest.json", "done", "visits"}
"""Hold seconds or the time of day, so they differ from run to run; everything else is compared byte for byte."""


def start(recipe: Path, out: Path) -> subprocess.Popen[bytes]:
    code = "from witbuild.cli import main; main()"
    command = [sys.executable, "-c", code, "run", str(recipe), "--out", str(out), "--workers", "2"]
    return subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, stdout=subprocess.DEVNULL)


def finish(recipe: Path, out: Path) -> None:
    process = start(recipe, out)
    _, words = process.communicate()
    assert process.returncode == 0, words.decode()


def contents(out: Path) -> dict[str, str]:
    """Every file of a run but those that hold seconds, with its digest."""
    files = [path for path in out.rglob("*") if path.is_file() and not _TIMED & {path.name, path.parent.name}]
    return {str(path.relative_to(out)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def check_no_half_file(out: Path, whole: dict[str, str]) -> None:
    """Whatever has a final name is what an undisturbed run has there."""
    for name, digest in contents(out).items():
        if Path(name).suffix in _MADE and "scratch" not in Path(name).parts:
            assert whole[name] == digest, f"{name} is not whole"


def until(true: Callable[[], object], process: subprocess.Popen[bytes]) -> None:
    """Wait until something is so or a process has ended."""
    while process.poll() is None and not true():
        time.sleep(0.01)


def killed_after(tasks: int, seconds: float, recipe: Path, out: Path) -> bool:
    """Start, kill the whole group some time after so many tasks more are done; say whether it was still at work."""

    def done() -> int:
        return sum(1 for _ in out.glob("*/done/*.json"))

    goal = done() + tasks
    process = start(recipe, out)
    until(lambda: done() >= goal, process)
    time.sleep(seconds)
    at_work = process.poll() is None
    if at_work:
        os.killpg(process.pid, signal.SIGKILL)
    process.communicate()
    return at_work


@pytest.mark.slow
@pytest.mark.timeout(3000)
def test_a_run_killed_at_random_moments_ends_byte_for_byte_as_if_undisturbed(recipe: Path, tmp_path: Path) -> None:
    finish(recipe, tmp_path / "whole")
    whole = contents(tmp_path / "whole")
    chance = random.Random(SEED)
    kills, runs, folders = 0, 0, set()
    out = tmp_path / "run-0"
    for _ in range(MOST_STARTS):
        if killed_after(chance.randrange(MOST_TASKS), chance.uniform(0, MOST_SECONDS), recipe, out):
            kills += 1
            folders.add(max((folder.name for folder in Run(str(out)).folders()), default=""))
            check_no_half_file(out, whole)
            continue
        assert contents(out) == whole
        runs += 1
        if kills >= KILLS:
            break
        out = tmp_path / f"run-{runs}"
    assert kills >= KILLS
    assert runs >= 1
    assert len(folders) >= 5, f"the kills all fell into {folders}"


def test_a_killed_run_goes_on(recipe: Path, tmp_path: Path) -> None:
    """The same in small: two kills, for the default suite."""
    finish(recipe, tmp_path / "whole")
    assert [killed_after(tasks, 0.1, recipe, tmp_path / "run") for tasks in (1, 5)] == [True, True]
    finish(recipe, tmp_path / "run")
    assert contents(tmp_path / "run") == contents(tmp_path / "whole")


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_says_so_and_can_be_gone_on_with(recipe: Path, tmp_path: Path, number: int) -> None:
    out = tmp_path / "run"
    process = start(recipe, out)
    until(lambda: list(out.glob("*/done/*.json")), process)
    process.send_signal(number)
    _, words = process.communicate()
    assert process.returncode == 128 + number, words.decode()
    assert "the same command goes on from here" in words.decode()
    assert "Traceback" not in words.decode()
    patience = time.monotonic() + PATIENCE_SECONDS  # what serves the workers sees their end, and then leaves
    while _children(process.pid):
        assert time.monotonic() < patience, "processes stay"
        time.sleep(0.01)


def _children(group: int) -> list[int]:
    """Processes of a process group that are still there."""
    found = []
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = path.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[2]) == group and fields[0] != "Z":
            found.append(int(path.parent.name))
    return found
