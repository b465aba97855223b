"""`witbuild eval`: the stage's command, which also prints the scores."""

from __future__ import annotations

import inspect
import sys
from contextlib import redirect_stdout
from typing import TYPE_CHECKING, Annotated, Any

import typer

from witbuild.cli.options import with_signature
from witbuild.cli.stage import stage_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence


def eval_function(name: str) -> Callable[..., None]:
    """Return the function of the command: the stage's, with `--json`."""
    build = stage_function(name)

    def command(json_output: bool, **values: Any) -> None:
        from witbuild.io.manifest import dumps

        with redirect_stdout(sys.stderr):
            build(**values)
        scores = scores_of(values["out"])
        typer.echo(dumps(scores).decode(), nl=False) if json_output else show(scores)

    annotation = Annotated[bool, typer.Option("--json", help="Print the scores as JSON.")]
    own = inspect.Parameter("json_output", inspect.Parameter.KEYWORD_ONLY, default=False, annotation=annotation)
    parameters = [*inspect.signature(build).parameters.values(), own]
    function: Callable[..., None] = with_signature(command, name, inspect.getdoc(build) or "", parameters)
    return function


def scores_of(out: str) -> list[dict[str, Any]]:
    """Return the scores of a run, or of the single file that was written instead of one."""
    from witbuild.io import tables
    from witbuild.io.run import Run

    run = Run(out)
    single = out.endswith(".parquet")
    rows: list[dict[str, Any]] = tables.read_all(
        (out,) if single else run.paths(run.newest("scores")[1], "scores")
    ).to_pylist()
    return rows


def show(scores: Sequence[dict[str, Any]]) -> None:
    """Print the scores as a table."""
    from rich.console import Console
    from rich.table import Table

    from witbuild.report.training import written

    table = Table(box=None, header_style="bold", pad_edge=False)
    grouped = any(row["group"] for row in scores)
    for title in ("set", "measure", *(["of"] if grouped else [])):
        table.add_column(title)
    for title in ("value", "samples"):
        table.add_column(title, justify="right")
    for row in scores:
        group = [row["group"] or "all"] if grouped else []
        table.add_row(row["task"], row["metric"], *group, written(row), f"{row['samples']:,}")
    Console(width=None if sys.stdout.isatty() else 120).print(table)
