"""What all commands that work share: the engine, the slice of a batch array, the run itself."""

from __future__ import annotations

import inspect
import os
from typing import TYPE_CHECKING, Annotated

import typer

from witbuild.cli.where import Where, parameters
from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.io.run import Run
    from witbuild.recipe import Recipe

INDEX_VARIABLES = ("SLURM_ARRAY_TASK_ID", "AWS_BATCH_JOB_ARRAY_INDEX", "JOB_COMPLETION_INDEX", "WITBUILD_SHARD")
"""Where Slurm, AWS Batch, Kubernetes (an indexed job) and anybody else put a job's index."""

Out = Annotated[str, typer.Option("--out", "-o", help="Run directory, local or s3://, gs://.", envvar="WITBUILD_RUN")]
RestartFrom = Annotated[
    str, typer.Option("--restart-from", help="Delete this stage and what follows it first.", metavar="STAGE")
]


def common() -> list[inspect.Parameter]:
    """Return the options that every working command has beside those of its stages."""
    keyword = inspect.Parameter.KEYWORD_ONLY
    out = inspect.Parameter("out", keyword, default="run", annotation=Out)
    return [out, *parameters(), inspect.Parameter("restart_from", keyword, default="", annotation=RestartFrom)]


def array_index(environment: Mapping[str, str]) -> int | None:
    """Return the index that a batch system gave this job, from 0.

    Example:
        >>> array_index({"SLURM_ARRAY_TASK_ID": "7", "SLURM_ARRAY_TASK_MIN": "1"}), array_index({})
        (6, None)
    """
    for name in INDEX_VARIABLES:
        text = environment.get(name, "")
        if text.isdecimal():
            first = environment.get("SLURM_ARRAY_TASK_MIN", "0") if name.startswith("SLURM") else "0"
            return int(text) - int(first)
    return None


def chosen_slice(index: int | None, count: int) -> tuple[int, int]:
    """Return (index, count) of the slice to do; (0, 1) is everything.

    Raises:
        RecipeError: the index is not below the count.

    Example:
        >>> chosen_slice(None, 8), chosen_slice(3, 8)
        ((0, 1), (3, 8))
    """
    if index is None:
        return 0, 1
    if not 0 <= index < count:
        raise RecipeError(f"slice {index} of {count}: expected an index from 0 to {count - 1}")
    return index, count


def carry_out(
    recipe: Recipe,
    out: str,
    *,
    where: Where = Where(),
    restart_from: str = "",
    until: str = "",
    chosen: tuple[int, int] = (0, 1),
    earlier: str = "",
) -> Run:
    """Run a recipe, drawing its progress."""
    from witbuild.cli.progress import drawn
    from witbuild.runner import Settings, run_recipe

    with where.open() as engine, drawn(out) as progress:
        settings = Settings(
            progress=progress,
            slice_index=chosen[0],
            slice_count=chosen[1],
            until=until,
            restart_from=restart_from,
            earlier=earlier,
        )
        return run_recipe(recipe, out, engine, settings)


def environment_index() -> int | None:
    """Return the index that this job's environment holds."""
    return array_index(os.environ)
