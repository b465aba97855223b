"""`witbuild demo`."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Annotated, Any

import typer

from witbuild.cli.work import Out  # noqa: TC001 typer reads the annotation

if TYPE_CHECKING:
    from collections.abc import Iterable

    from witbuild.demo.run import Summary

_SIZE = 5_000


def demo(
    out: Out = "demo-run",
    train: Annotated[bool, typer.Option(help="Train a small CLIP and evaluate it; needs the extra `train`.")] = True,
    seed: Annotated[int, typer.Option(min=0, help="Of the web; each gives another one.")] = 0,
    size: Annotated[int, typer.Option(min=20, help="Ordinary pictures of the web.", metavar="N")] = _SIZE,
    workers: Annotated[
        int, typer.Option(min=0, help="Worker processes; 0: as many as there are cores.", metavar="N")
    ] = 0,
) -> None:
    """Build a data set from a small web on this machine and train a CLIP on it.

    Starts a web server on loopback whose pages, pictures and faults are planted in known numbers, runs the whole
    pipeline on it, and says whether as much was found as was planted: exit code 4 where it was not.
    """
    from rich.console import Console

    from witbuild.cli.progress import drawn
    from witbuild.demo.run import run
    from witbuild.errors import VerificationError

    with drawn(out) as progress:
        summary = run(out, train=train, seed=seed, size=size, workers=workers, progress=progress)
    console = Console(width=None if sys.stdout.isatty() else 120)
    for table in (_funnel(summary), _compared(summary), *_scores(summary)):
        console.print(table)
    typer.echo(f"data set in {summary.data_seconds:.0f} s, all in {summary.seconds:.0f} s")
    typer.echo(f"root {summary.root}")
    typer.echo(summary.report)
    wrong = [one for one in summary.compared if not one.agrees]
    if wrong:
        first = wrong[0]
        raise VerificationError(
            f"{len(wrong)} of {len(summary.compared)} numbers disagree; {first.name}: "
            f"planted {first.planted:,}, found {first.found:,}"
        )


def _grid(title: str, names: Iterable[str], rows: Iterable[tuple[str, ...]]) -> Any:
    """Return a table of numbers beside their names."""
    from rich.table import Table

    table = Table(title=title, title_justify="left", title_style="bold", box=None, header_style="dim", pad_edge=False)
    for place, name in enumerate(names):
        table.add_column(name, justify="left" if place == 0 or name == "dropped" else "right")
    for row in rows:
        table.add_row(*row)
    return table


def _funnel(summary: Summary) -> Any:
    rows = (
        (
            line.stage,
            "" if line.rows_in is None else f"{line.rows_in:,}",
            f"{line.rows_out:,}",
            f"{line.seconds:.1f}",
            ", ".join(f"{reason} {count:,}" for reason, count in line.dropped.items()),
        )
        for line in summary.lines
    )
    return _grid("\nFunnel", ("stage", "in", "out", "s", "dropped"), rows)


def _compared(summary: Summary) -> Any:
    rows = (
        (one.name, f"{one.planted:,}", f"{one.found:,}", "" if one.agrees else "differs") for one in summary.compared
    )
    return _grid("\nPlanted versus found", ("", "planted", "found", ""), rows)


def _scores(summary: Summary) -> list[Any]:
    if not summary.scores:
        return []
    top, chance, untrained = (summary.scores[name] for name in ("accuracy", "chance", "untrained"))
    rows = [
        ("trained on the crawled web", f"{top:.1%}", f"{top / chance:.1f}x"),
        ("untrained", f"{untrained:.1%}", f"{untrained / chance:.1f}x"),
        ("chance", f"{chance:.1%}", "1.0x"),
    ]
    title = f"\nZero-shot on {summary.classes} combinations of colour and shape that no page has"
    return [_grid(title, ("", "accuracy", "of chance"), rows)]
