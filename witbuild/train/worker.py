"""One of the processes that torchrun starts: `torchrun --nproc-per-node N -m witbuild.train.worker TASK.json`.

`witbuild train` starts them on its own machine. For several machines, start this on each of them, with torchrun's
--nnodes, --node-rank and --rdzv-endpoint, over a task.json in a folder that all of them see.
"""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

from witbuild.errors import WitbuildError
from witbuild.stage import Task
from witbuild.train.launch import ERROR
from witbuild.train.stage import Train


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
        if os.environ.get("RANK", "0") == "0":
            task.scratch_file(ERROR).write_text(json.dumps({"kind": type(error).__name__, "message": str(error)}))
        raise


if __name__ == "__main__":
    main(*sys.argv[1:])
