"""`witbuild import`."""

from __future__ import annotations

from typing import Annotated

import typer

from witbuild.cli.where import Where, placed
from witbuild.cli.work import Out, carry_out


@placed
def bring(
    kind: Annotated[str, typer.Argument(help="What wrote it: img2dataset.", metavar="img2dataset")],
    folder: Annotated[str, typer.Argument(help="Its output folder, with tars.")],
    out: Out = "run",
    *,
    where: Where,
) -> None:
    """Make a run of an existing download: no byte is fetched again, and every stage can follow."""
    from witbuild.errors import RecipeError
    from witbuild.recipe import Recipe
    from witbuild.stages.imported import Img2dataset

    if kind != "img2dataset":
        raise RecipeError(f"witbuild import {kind}: expected img2dataset")
    carry_out(Recipe(stages=(Img2dataset(folder=folder),)), out, where=where)
    typer.echo(out)
