"""`witbuild match`, `witbuild dedup`, ...: a command of its own for every stage, made from its parameters."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from witbuild.cli.options import given, options, with_signature
from witbuild.cli.where import Where
from witbuild.cli.work import carry_out, common
from witbuild.recipe import make_stage, stage_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from witbuild.recipe import Recipe
    from witbuild.stage import Stage

_SINGLE_FILE = ".parquet"


def stage_function(name: str) -> Callable[..., None]:
    """Return the function of a stage's command, with the stage's parameters as its options."""
    kind = stage_class(name)
    kinds = (*kind.reads, *kind.optional)

    def command(**values: Any) -> None:
        inputs = {input_kind: values.pop(f"from_{input_kind}") for input_kind in kinds}
        stage = make_stage(name, given(kind, values), f"witbuild {name}")
        if values.get("dry_run"):
            tell_forecast(stage, {key: path for key, path in inputs.items() if path}, values)
            return
        run_stage(stage, {key: path for key, path in inputs.items() if path}, values)

    extra = [_input_option(input_kind) for input_kind in kinds]
    again = Annotated[bool, typer.Option("--again", help="Add a second stage of this name to the run.")]
    extra.append(inspect.Parameter("again", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=again))
    if hasattr(kind, "forecast"):
        extra.append(_dry_run_option())
    return with_signature(command, name, inspect.getdoc(kind) or "", [*options(kind), *extra, *common()])


def _input_option(kind: str) -> inspect.Parameter:
    text = f"Where {kind} come from instead of the run itself: another run, a folder, a glob or a file."
    annotation = Annotated[str, typer.Option(f"--{kind}", help=text, metavar="PATH")]
    keyword = inspect.Parameter.KEYWORD_ONLY
    return inspect.Parameter(f"from_{kind}", keyword, default="", annotation=annotation)


def _dry_run_option() -> inspect.Parameter:
    text = "Say what it would cost, and do nothing."
    annotation = Annotated[bool, typer.Option("--dry-run", help=text)]
    return inspect.Parameter("dry_run", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)


def tell_forecast(stage: Any, inputs: dict[str, str], values: dict[str, Any]) -> None:
    """Print what a stage would cost over its inputs, or over what the run directory holds."""
    from witbuild.engine.local import available_cores
    from witbuild.io.run import Run
    from witbuild.runner.steps import Shelf

    shelf = Shelf()
    for kind in stage.reads:
        if kind in inputs:
            shelf.add_external(kind, inputs[kind])
        else:
            run = Run(values["out"])
            shelf.paths[kind] = run.paths(run.newest(kind)[1], kind)
    for line in stage.forecast(shelf.inputs(stage), values["workers"] or available_cores()):
        typer.echo(line)


def run_stage(stage: Stage, inputs: dict[str, str], values: dict[str, Any]) -> None:
    """Run a stage into the run directory that `--out` names, or into a single file."""
    from witbuild.io import store

    out = values["out"]
    single = out.endswith(_SINGLE_FILE)
    root = f"{out}.run" if single else out
    recipe, restart = recipe_with(root, stage, inputs, again=values["again"], restart=values["restart_from"])
    run = carry_out(recipe, root, where=Where.given(values), restart_from=restart, until=stage.name)
    if single:
        merge(run.paths(run.newest(stage.output)[1], stage.output), out)
        store.remove(root)
    typer.echo(out)


def recipe_with(root: str, stage: Stage, inputs: dict[str, str], *, again: bool, restart: str) -> tuple[Recipe, str]:
    """Return the run's recipe with the stage in it, and from where it is to be restarted."""
    from witbuild.runner.append import grown, recorded, replaced

    recipe = recorded(root)
    if restart and recipe is not None:
        return replaced(recipe, stage, inputs), restart
    return grown(recipe, stage, inputs, again=again), ""


def merge(parts: tuple[str, ...], out: str) -> None:
    """Write the parts of a small table as one file."""
    from witbuild.io import store, tables

    table = tables.read_all(parts)
    with store.commit(out) as partial:
        tables.write(partial, table, dropped={})
