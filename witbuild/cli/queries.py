"""`witbuild queries`: the stage's command, which also says why a text is in a list or not."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from witbuild.cli.options import with_signature
from witbuild.cli.stage import stage_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from witbuild.audit.listed import Listed


def queries_function(name: str) -> Callable[..., None]:
    """Return the function of the command: the stage's, with `--explain`."""
    build = stage_function(name)

    def command(explain: str, **values: Any) -> None:
        if explain:
            typer.echo("\n".join(explained(values["out"], explain)))
        else:
            build(**values)

    text = "Do not build: say why this text is in the list of --out (a run, or a list as one file) or why it is not."
    annotation = Annotated[str, typer.Option("--explain", help=text, metavar="TEXT")]
    own = inspect.Parameter("explain", inspect.Parameter.KEYWORD_ONLY, default="", annotation=annotation)
    parameters = [*inspect.signature(build).parameters.values(), own]
    function: Callable[..., None] = with_signature(command, name, inspect.getdoc(build) or "", parameters)
    return function


def explained(path: str, text: str) -> Iterator[str]:
    """Yield the lines of an explanation."""
    from witbuild.audit.listed import explain_query

    found: Listed = explain_query(path, text)
    looked_for = "" if found.query == text else f" (looked for as {found.query!r})"
    yield f"{text!r}{looked_for}"
    yield f"  {found.verdict}"
    for verdict in found.sources:
        yield f"  {verdict.source:8}{'yes' if verdict.proposes else 'no':5}{verdict.says}"
