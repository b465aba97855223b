"""`witbuild update`."""

from __future__ import annotations

from typing import Annotated

import typer

from witbuild.cli.where import Address, EngineName, TaskCpus, TaskMemory, Where, Workers
from witbuild.cli.work import Out, carry_out


def update(
    source: Annotated[str, typer.Option("--source", help="Kind of what is new; the earlier run's.", metavar="KIND")],
    inputs: Annotated[
        list[str], typer.Option("--inputs", help="Files, globs, folders, URLs, `cc:CRAWL`. [repeat for more]")
    ],
    earlier: Annotated[str, typer.Option("--from", help="Finished run directory.", metavar="RUN")] = "run",
    out: Out = "run-updated",
    workers: Workers = 0,
    engine: EngineName = "local",
    address: Address = "",
    task_cpus: TaskCpus = 1.0,
    task_memory: TaskMemory = 0.0,
) -> None:
    """Add to an earlier run: only what is new is harvested and fetched, what was taken down stays away.

    The result is that of the same recipe over all inputs from scratch. The same command goes on after a kill.
    """
    from witbuild.audit.update import prepare

    recipe = prepare(earlier, out, source, inputs)
    where = Where(workers=workers, engine=engine, address=address, task_cpus=task_cpus, task_memory=task_memory)
    carry_out(recipe, out, where=where, earlier=earlier)
    typer.echo(out)
