"""One of the processes that torchrun starts: `torchrun --nproc-per-node N -m witbuild.train.worker TASK.json`.

`witbuild train` starts them on its own machine. For several machines, start this on each of them, with torchrun's
--nnodes, --node-rank and --rdzv-endpoint, over a task.json in a folder that all of them see.
"""

from __future__ import annotations

import json
import os
import sys
import traceback
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

from witbuild.errors import WitbuildError
from witbuild.io import store
from witbuild.stage import Task
from witbuild.train.launch import ERROR
from witbuild.train.stage import Train

if TYPE_CHECKING:
    from collections.abc import Callable


def read(path: Path) -> tuple[Train, Task]:
    """Return the stage and the task of a file that `witbuild train` wrote."""
    found: dict[str, Any] = json.loads(path.read_text())
    task = found["task"]
    sources = {kind: tuple(paths) for kind, paths in task["sources"].items()}
    return Train(**found["parameters"]), Task(task["index"], sources, task["arguments"], task["scratch"])


def main(path: str) -> None:
    """Train as one of several processes; what is raised on purpose is left in a file for the one that started them."""
    from witbuild.train import run

    stage, task = read(Path(path))
    try:
        run.train(stage, task)
    except WitbuildError as error:
        # by whichever comes first: torchrun ends the others as soon as one has failed
        words = {"kind": type(error).__name__, "message": str(error)}
        store.commit_bytes(str(task.scratch_file(ERROR)), json.dumps(words).encode())
        raise


def end_with(work: Callable[..., object], *arguments: str) -> NoReturn:
    """Do a process's work and end the process there: 0, or 1 when the work raised.

    The interpreter is not taken down. Threads of gloo outlive their process group where FSDP holds it, and one that
    lets go of a tensor meanwhile aborts the process (github.com/pytorch/pytorch/pull/179291).
    """
    code = 1
    try:
        work(*arguments)
        code = 0
    finally:
        if code:
            traceback.print_exc()
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)


if __name__ == "__main__":
    end_with(main, *sys.argv[1:])
