"""The end of one of several processes: what it says, what it leaves for the one that started it."""

from __future__ import annotations

import json
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("torch")
pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from witbuild.errors import RecipeError  # noqa: E402
from witbuild.stage import Task  # noqa: E402
from witbuild.train import launch, run, worker  # noqa: E402
from witbuild.train.stage import Train  # noqa: E402

BEGIN = """
import atexit
from witbuild.train.worker import end_with
atexit.register(print, "the interpreter was taken down")
"""


def ended(code: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run([sys.executable, "-c", BEGIN + code], capture_output=True, text=True, check=False)


def test_a_process_ends_where_its_work_does() -> None:
    done = ended("end_with(print, 'all of it', 'is here')")
    assert (done.returncode, done.stdout, done.stderr) == (0, "all of it is here\n", "")


def test_a_process_that_fails_says_why() -> None:
    done = ended("end_with(int, 'seven')")
    assert (done.returncode, done.stdout) == (1, "")
    assert "Traceback" in done.stderr and "invalid literal for int() with base 10: 'seven'" in done.stderr


@pytest.mark.parametrize("rank", ["0", "1"])
def test_whichever_process_fails_first_leaves_what_it_raised(
    rank: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(stage: Train, task: Task) -> Any:
        raise RecipeError("no")

    monkeypatch.setenv("RANK", rank)
    monkeypatch.setattr(run, "train", refuse)
    task, path = Task(0, {"tars": ("a.tar",)}, {}, str(tmp_path)), tmp_path / launch.TASK
    path.write_text(json.dumps({"parameters": Train(threads=3).model_dump(mode="json"), "task": asdict(task)}))
    assert worker.read(path) == (Train(threads=3), task)
    with pytest.raises(RecipeError):
        worker.main(str(path))
    error = launch._error(task, 1)
    assert type(error) is RecipeError and str(error) == "no"
