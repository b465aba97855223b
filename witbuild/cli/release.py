"""`witbuild release` and `witbuild verify`."""

from __future__ import annotations

from typing import Annotated

import typer

Folder = Annotated[str, typer.Argument(help="Run directory or data set's folder.", envvar="WITBUILD_RUN")]


def release(
    run: Folder = "run",
    name: Annotated[str, typer.Option(help="Of the data set.")] = "",
    description: Annotated[str, typer.Option(help="A sentence or two.")] = "",
    licence: Annotated[str, typer.Option(help="Of the collection: an SPDX name or a URL.")] = "",
    version: Annotated[str, typer.Option(help="As 1.0.0.")] = "",
    url: Annotated[str, typer.Option(help="Where the data set can be found.")] = "",
    creator: Annotated[str, typer.Option(help="Who made it.")] = "",
    published: Annotated[str, typer.Option(help="Date, ISO 8601.")] = "",
) -> None:
    """Write card, Croissant, DataComp subset, licences and manifest; print the Merkle root.

    What is not given stays as an earlier release said it.
    """
    from witbuild.release import release as write

    said = {"name": name, "description": description, "licence": licence, "version": version}
    typer.echo(f"root {write(run, **said, url=url, creator=creator, published=published)}")


def verify(folder: Folder = "run", json_output: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Hash every file again; name each file and each sample that differs; exit code 4 when one does."""
    from dataclasses import asdict

    from witbuild.errors import VerificationError
    from witbuild.io.manifest import dumps
    from witbuild.release import verify as check

    verdict = check(folder)
    if json_output:
        typer.echo(dumps(asdict(verdict)).decode(), nl=False)
    else:
        for difference in verdict.differences:
            typer.echo(str(difference))
        typer.echo(f"{verdict.files:,} files, {verdict.bytes:,} bytes\nroot {verdict.root}")
    if verdict.differences:
        raise VerificationError(f"{folder}: {len(verdict.differences)} files differ from what the manifests say")
