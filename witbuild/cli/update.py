"""`witbuild update`."""

from __future__ import annotations

from typing import Annotated

import typer

from witbuild.cli.where import Where, placed
from witbuild.cli.work import Out, carry_out


@placed
def update(
    source: Annotated[str, typer.Option("--source", help="Kind of what is new; the earlier run's.", metavar="KIND")],
    inputs: Annotated[
        list[str], typer.Option("--inputs", help="Files, globs, folders, URLs, `cc:CRAWL`. [repeat for more]")
    ],
    earlier: Annotated[str, typer.Option("--from", help="Finished run directory.", metavar="RUN")] = "run",
    out: Out = "run-updated",
    *,
    where: Where,
) -> None:
    """Add to an earlier run: only what is new is harvested and fetched, what was taken down stays away.

    The result is that of the same recipe over all inputs from scratch. The same command goes on after a kill.
    """
    from witbuild.audit.update import prepare

    recipe = prepare(earlier, out, source, inputs)
    carry_out(recipe, out, where=where, earlier=earlier)
    typer.echo(out)
