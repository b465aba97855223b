"""`witbuild import`."""

from __future__ import annotations

from typing import Annotated

import typer

from witbuild.cli.where import Address, EngineName, TaskCpus, TaskMemory, Where, Workers
from witbuild.cli.work import Out, carry_out


def bring(
    kind: Annotated[str, typer.Argument(help="What wrote it: img2dataset.", metavar="img2dataset")],
    folder: Annotated[str, typer.Argument(help="Its output folder, with tars.")],
    out: Out = "run",
    workers: Workers = 0,
    engine: EngineName = "local",
    address: Address = "",
    task_cpus: TaskCpus = 1.0,
    task_memory: TaskMemory = 0.0,
) -> None:
    """Make a run of an existing download: no byte is fetched again, and every stage can follow."""
    from witbuild.errors import RecipeError
    from witbuild.recipe import Recipe
    from witbuild.stages.imported import Img2dataset

    if kind != "img2dataset":
        raise RecipeError(f"witbuild import {kind}: expected img2dataset")
    where = Where(workers=workers, engine=engine, address=address, task_cpus=task_cpus, task_memory=task_memory)
    carry_out(Recipe(stages=(Img2dataset(folder=folder),)), out, where=where)
    typer.echo(out)
