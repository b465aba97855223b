"""`witbuild status` and `witbuild report`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from witbuild.io.manifest import Manifest
    from witbuild.io.run import Run, StageFolder

RunArgument = Annotated[str, typer.Argument(help="Run directory.", envvar="WITBUILD_RUN")]


def status(run: RunArgument = "run", json_output: Annotated[bool, typer.Option("--json")] = False) -> None:
    """Print a run's funnel: rows, drops by reason, bytes, seconds, rows a second."""
    from witbuild.io.manifest import dumps

    opened = _open(run)
    if json_output:
        rows = [_totals(opened, folder, manifest) for folder, manifest in opened.manifests()]
        typer.echo(dumps({"root": opened.merkle_root(), "stages": rows}).decode(), nl=False)
        return
    from rich.console import Console

    from witbuild.cli.live import look

    Console(width=None if _is_terminal() else 140).print(_table(opened))
    if text := look(run):
        typer.echo(f"now {text}")
    typer.echo(f"root {opened.merkle_root()}")


def _is_terminal() -> bool:
    import sys

    return sys.stdout.isatty()


def _open(run: str) -> Run:
    from witbuild.errors import InputError
    from witbuild.io.run import Run

    opened = Run(run)
    if not opened.folders():
        raise InputError(f"{run}: not a run directory (no stage has begun in it)")
    return opened


def _totals(run: Run, folder: StageFolder, manifest: Manifest) -> dict[str, object]:
    from witbuild.report.funnel import queries_a_pair

    matches = queries_a_pair(run, manifest)
    return {
        "folder": folder.name,
        "fingerprint": manifest.fingerprint,
        "rows_in": manifest.rows_in,
        "rows": manifest.rows,
        "output": manifest.output,
        "dropped": manifest.dropped,
        "bytes": manifest.bytes,
        "seconds": round(manifest.seconds, 3),
        **({} if matches is None else {"queries_a_pair": round(matches, 3)}),
    }


def _table(run: Run) -> object:
    from rich.table import Table

    table = Table(box=None, header_style="bold")
    table.add_column("stage")
    for title in ("in", "out"):
        table.add_column(title, justify="right")
    table.add_column("of")
    table.add_column("dropped", ratio=1)
    for title in ("MB", "s", "rows/s"):
        table.add_column(title, justify="right")
    for folder in run.folders():
        table.add_row(*_row(run, folder, folder.manifest()))
    return table


def _row(run: Run, folder: StageFolder, manifest: Manifest | None) -> list[str]:
    if manifest is None:
        identity = folder.identity()
        return [folder.name, "", "", "", "not whole" if identity else "nothing yet", "", "", ""]
    from witbuild.report.funnel import queries_a_pair

    matches = queries_a_pair(run, manifest)
    dropped = ", ".join(f"{reason} {rows:,}" for reason, rows in manifest.dropped.items())
    if matches is not None:
        kept = f"{manifest.rows / max(manifest.rows + sum(manifest.dropped.values()), 1):.1%} kept, "
        dropped += f"{'; ' if dropped else ''}{kept}{matches:.1f} queries a pair"
    came = "" if manifest.rows_in is None else f"{manifest.rows_in:,}"
    speed = f"{manifest.rows / manifest.seconds:,.0f}" if manifest.seconds else ""
    sizes = [f"{manifest.bytes / 1e6:,.1f}", f"{manifest.seconds:,.1f}", speed]
    return [folder.name, came, f"{manifest.rows:,}", manifest.output, dropped, *sizes]


def report(
    run: RunArgument = "run",
    out: Annotated[str, typer.Option("--out", "-o", help="HTML file; default: report.html in the run.")] = "",
) -> None:
    """Write a run's report as one HTML page."""
    from witbuild.io import store
    from witbuild.report import build

    path = out or store.join(run, "report.html")
    store.commit_bytes(path, build(_open(run)).encode())
    typer.echo(path)
