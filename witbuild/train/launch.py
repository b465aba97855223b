"""One process or several: a training here, or by torchrun; and what it left, as the stage's result.

stage ─ 1 process ───────────────────────────────────> run.train
      └ more: task.json, torchrun ─> worker.py, N times ─┘          model, config, log in the scratch folder
"""

from __future__ import annotations

import ctypes
import json
import os
import signal
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Any

from witbuild import errors
from witbuild.errors import WitbuildError, WorkerError
from witbuild.io import tables
from witbuild.schema import METRICS
from witbuild.stage import Part, Task
from witbuild.train.device import cores, count

if TYPE_CHECKING:
    from witbuild.train.stage import Train

TASK, ERROR, STDERR = "task.json", "error.json", "torchrun.log"
LAST = "dropped.json"
"""The last file that a training leaves."""
_DEATH_SIGNAL = 1
"""PR_SET_PDEATHSIG of linux/prctl.h."""


def train(stage: Train, task: Task) -> Part:
    """Train with as many processes as the stage says, and return what it publishes.

    A training that is over is not done again: torchrun on several machines has left its result here.
    """
    processes = stage.processes or count(stage.device)
    Path(task.scratch).mkdir(parents=True, exist_ok=True)
    if task.scratch_file(LAST).exists():
        pass
    elif processes == 1 or "WORLD_SIZE" in os.environ:
        from witbuild.train import run

        run.train(stage, task)
    else:
        _torchrun(stage, task, processes)
    return result(stage, task)


def result(stage: Train, task: Task) -> Part:
    """Return what a training left in its scratch folder."""
    files = {kind: task.scratch_file(f"{kind}{extension}") for kind, extension in stage.files.items()}
    names = METRICS.names
    lines = [json.loads(line) for line in files["log"].read_text().splitlines()]
    rows = [{name: line[name] for name in names} for line in lines]
    dropped: dict[str, int] = json.loads(task.scratch_file(LAST).read_text())
    return Part(tables.from_rows(rows, METRICS), dropped=dropped, files=files)


def _torchrun(stage: Train, task: Task, processes: int) -> None:
    """Start processes on this machine and wait for them.

    Raises:
        WitbuildError: what one of them raised on purpose.
        WorkerError: one of them died.
    """
    spec = {"parameters": stage.model_dump(mode="json"), "task": asdict(task)}
    path = task.scratch_file(TASK)
    path.write_text(json.dumps(spec))
    task.scratch_file(ERROR).unlink(missing_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(processes)]
    threads = stage.threads or max(1, cores() // processes)
    with task.scratch_file(STDERR).open("wb") as log:
        done = subprocess.run(
            [*command, "-m", "witbuild.train.worker", str(path)],
            env=os.environ | {"OMP_NUM_THREADS": str(threads)},
            stdout=log,
            stderr=log,
            check=False,
            preexec_fn=_die_with_parent if sys.platform == "linux" else None,
        )
    if done.returncode:
        raise _error(task, done.returncode)


def _die_with_parent() -> None:
    ctypes.CDLL(None).prctl(_DEATH_SIGNAL, signal.SIGTERM)


def _error(task: Task, code: int) -> WitbuildError:
    """Return what a worker raised, or what is known of its death."""
    path = task.scratch_file(ERROR)
    if path.exists():
        found: dict[str, Any] = json.loads(path.read_text())
        kind = getattr(errors, found["kind"], WitbuildError)
        error: WitbuildError = kind(found["message"])
        return error
    words = last_words(task.scratch_file(STDERR).read_text(errors="replace"))
    return WorkerError(
        f"a training process died (torchrun ended with {code}); run again to go on. Its last words:\n{words}"
    )


def last_words(log: str) -> str:
    r"""Return the end of what the processes wrote, and of what torchrun says of their end the beginning.

    Example:
        >>> last_words("gloo: connection closed\nE1122 torch/distributed/elastic/api.py: failed (exitcode: -6)\n...")
        'gloo: connection closed\nE1122 torch/distributed/elastic/api.py: failed (exitcode: -6)\n...'
    """
    start = log.find("torch/distributed/elastic")
    return log[-2000:] if start < 0 else log[max(start - 1500, 0) : start + 500]
