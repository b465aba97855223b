"""Several training processes on loopback, each doing what a function says; what each returns comes back by rank."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import Any

import torch

from witbuild.train.worker import end_with

ROOT = Path(__file__).parents[2]


def spread(count: int, function: str, folder: Path, *arguments: str) -> list[Any]:
    """Run `module:function(world, *arguments)` in so many processes on gloo; return what each returns."""
    folder.mkdir(parents=True, exist_ok=True)
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", str(count)]
    done = subprocess.run(
        [*command, "-m", "tests.train.processes", function, str(folder), *arguments],
        cwd=ROOT, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-4000:]
    return [torch.load(folder / f"{rank}.pt", weights_only=False) for rank in range(count)]


def main(function: str, folder: str, *arguments: str) -> None:
    from importlib import import_module

    from witbuild.train.world import joined

    torch.set_num_threads(1)
    module, _, name = function.partition(":")
    with joined(torch.device("cpu")) as world:
        found = getattr(import_module(module), name)(world, *arguments)
        torch.save(found, Path(folder) / f"{world.rank}.pt")


if __name__ == "__main__":
    end_with(main, *sys.argv[1:])
