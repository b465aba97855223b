"""`witbuild run`, `witbuild recipes` and `witbuild stages`."""

from __future__ import annotations

import json
from typing import Annotated

import typer

from witbuild.cli.where import Where, placed
from witbuild.cli.work import Out, RestartFrom, carry_out, chosen_slice, environment_index
from witbuild.errors import RecipeError
from witbuild.recipe import Recipe, recipe_names, shipped, stage_class, stage_names


@placed
def run(
    recipe: Annotated[str, typer.Argument(help="A recipe file, or the name of one that ships, such as `demo`.")],
    out: Out = "run",
    overrides: Annotated[
        list[str] | None, typer.Option("--set", help="stage.field=value, value as YAML. [repeat for more]")
    ] = None,
    inputs: Annotated[
        list[str] | None, typer.Option("--input", help="kind=path: tables from elsewhere. [repeat for more]")
    ] = None,
    without: Annotated[
        list[str] | None,
        typer.Option(
            "--without", help="Leave out a stage, or a rule: filter.min_words. [repeat for more]", metavar="STAGE"
        ),
    ] = None,
    until: Annotated[str, typer.Option("--until", help="Stop after this stage.", metavar="STAGE")] = "",
    restart_from: RestartFrom = "",
    slice_text: Annotated[
        str,
        typer.Option("--slice", help="I/N: do slice I of N; `/N` takes I from the batch system.", metavar="I/N"),
    ] = "",
    check: Annotated[bool, typer.Option("--check", help="Read and check the recipe, do nothing.")] = False,
    *,
    where: Where,
) -> None:
    """Run a recipe into a run directory, or go on with it."""
    from dataclasses import replace

    loaded = Recipe.load(recipe).without(without or []).with_overrides(overrides or [])
    loaded = replace(loaded, inputs={**loaded.inputs, **dict(map(_input, inputs or []))})
    if check:
        typer.echo(f"{recipe}: {len(loaded.stages)} stages: {', '.join(stage.name for stage in loaded.stages)}")
        return
    carry_out(
        loaded,
        out,
        where=where,
        restart_from=restart_from,
        until=until,
        chosen=parse_slice(slice_text),
    )
    typer.echo(out)


def recipes(
    name: Annotated[str, typer.Argument(help="Of one recipe, to print it with its reasons; none: list all.")] = "",
) -> None:
    """List the recipes that ship, or print one."""
    if not name:
        width = max(map(len, recipe_names()))
        for each in recipe_names():
            typer.echo(f"{each:<{width}}  {Recipe.load(each).description}")
        return
    if name not in recipe_names():
        raise RecipeError(f"no recipe {name!r} ships; there are {', '.join(recipe_names())}")
    typer.echo(shipped("pipelines", f"{name}.yaml").read_text().rstrip())


def _input(text: str) -> tuple[str, str]:
    kind, equals, path = text.partition("=")
    if not equals:
        raise RecipeError(f"--input {text}: expected kind=path")
    return kind, path


def parse_slice(text: str) -> tuple[int, int]:
    """Return (index, count) of `I/N`.

    Example:
        >>> parse_slice("3/8"), parse_slice("")
        ((3, 8), (0, 1))
    """
    if not text:
        return 0, 1
    index, slash, count = text.partition("/")
    if not slash or not count.isdecimal() or not (index.isdecimal() or not index):
        raise RecipeError(f"--slice {text}: expected I/N, such as 3/8, or /8 with the index from the batch system")
    found = int(index) if index else environment_index()
    if found is None:
        raise RecipeError(f"--slice {text}: no batch system put an index into the environment; say I/{count}")
    return chosen_slice(found, int(count))


def stages(
    name: Annotated[str, typer.Argument(help="Of one stage; none: all.")] = "",
    json_schema: Annotated[bool, typer.Option("--json-schema", help="Print JSON schemas for editors.")] = False,
) -> None:
    """Describe every stage with its parameters."""
    names = [name] if name else stage_names()
    if json_schema:
        schemas = {each: stage_class(each).model_json_schema() for each in names}
        typer.echo(json.dumps(schemas, indent=1))
        return
    from witbuild.cli.reference import describe

    typer.echo("\n\n".join(describe(stage_class(each)) for each in names))
