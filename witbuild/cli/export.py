"""`witbuild export`."""

from __future__ import annotations

from typing import Annotated

import typer


def export(
    run: Annotated[str, typer.Argument(help="Run directory.", envvar="WITBUILD_RUN")] = "run",
    out: Annotated[str, typer.Option("--out", "-o", help="Folder; default: model in the run.")] = "",
    name: Annotated[str, typer.Option(help="Of the model, for its card.")] = "",
    licence: Annotated[str, typer.Option(help="Of the weights, for the card: an SPDX name or a URL.")] = "",
) -> None:
    """Write the run's newest model as one folder that open_clip and transformers load, with a card."""
    from witbuild.io import store
    from witbuild.train.released import release
    from witbuild.train.stage import needs_torch

    needs_torch("export")
    folder = out or store.join(run, "model")
    obstacle = release(run, folder, name=name, licence=licence)
    if obstacle:
        typer.echo(f"without the files of transformers: {obstacle}", err=True)
    typer.echo(folder)
