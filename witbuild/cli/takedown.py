"""`witbuild takedown`."""

from __future__ import annotations

from typing import Annotated

import typer


def takedown(
    run: Annotated[str, typer.Argument(help="Run directory, on a disk.", envvar="WITBUILD_RUN")] = "run",
    url: Annotated[list[str] | None, typer.Option("--url", help="Of an image. [repeat for more]")] = None,
    host: Annotated[
        list[str] | None, typer.Option("--host", help="All images of a host and those below it. [repeat for more]")
    ] = None,
    sha256: Annotated[list[str] | None, typer.Option("--sha256", help="Of an image as served. [repeat]")] = None,
    phash: Annotated[
        list[str] | None, typer.Option("--phash", help="Perceptual hash: whatever looks like it. [repeat for more]")
    ] = None,
    distance: Annotated[int, typer.Option(min=0, max=6, help="Bits in which a perceptual hash may differ.")] = 3,
    key: Annotated[list[str] | None, typer.Option("--key", help="Of a pair. [repeat for more]")] = None,
    lists: Annotated[
        list[str] | None, typer.Option("--list", help="File with a line `kind value` each.", metavar="FILE")
    ] = None,
) -> None:
    """Remove pairs from a run's data set, for good: later builds from this run obey.

    Writes again only the shards that hold such pairs, and a proof of what changed. A takedown that was cut short is
    finished first; where nothing is named, that is all that is done.
    """
    from witbuild.audit.requests import gather
    from witbuild.audit.takedown import RELEASED
    from witbuild.audit.takedown import takedown as take
    from witbuild.errors import RecipeError
    from witbuild.io import redo, store
    from witbuild.release.publish import release

    given = {"url": url or [], "host": host or [], "sha256": sha256 or [], "phash": phash or [], "key": key or []}
    requests = gather(given, lists or [], distance)
    if not requests and redo.pending(run):
        redo.finish(run)
        typer.echo(f"{run}: finished a takedown that was cut short")
        return
    if not requests:
        raise RecipeError(
            "witbuild takedown: name what is to go: --url, --host, --sha256, --phash, --key, or --list FILE"
        )
    released = store.exists(store.join(run, RELEASED))
    done = take(run, requests)
    if released and done.removed:
        release(run)
    typer.echo(f"{done.removed:,} pairs removed, {done.shards:,} shards written again, {done.tombstones:,} tombstones")
    typer.echo(f"root {done.root}")
    typer.echo(done.proof)
