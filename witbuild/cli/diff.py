"""`witbuild diff`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.audit.diff import Diff, StepDiff


def diff(
    old: Annotated[str, typer.Argument(help="Run directory.")],
    new: Annotated[str, typer.Argument(help="Run directory.")],
    keys: Annotated[str, typer.Option("--keys", help="Write every key that differs here.", metavar="PARQUET")] = "",
    json_output: Annotated[bool, typer.Option("--json")] = False,
) -> None:
    """Say what differs between two runs: parameters, rows, the pairs of the result, the roots."""
    from dataclasses import asdict

    from witbuild.audit.diff import diff as compare
    from witbuild.io.manifest import dumps

    found = compare(old, new, keys)
    if json_output:
        typer.echo(dumps({**asdict(found), "equal": found.equal}).decode(), nl=False)
        return
    for line in _lines(found):
        typer.echo(line)


def _lines(found: Diff) -> Iterator[str]:
    for step in found.steps:
        if not step.equal or step.parameters:
            yield from _step(step)
    counts = f"{found.same:,} the same, {found.added:,} added, {found.removed:,} removed"
    yield f"pairs of the result ({found.table}): {counts}"
    if found.changed:
        yield f"  {found.changed:,} keys stand for other image bytes"
    for name, keys in found.examples.items():
        for key in keys:
            yield f"  {name:8} {key}"
    yield f"roots {'equal' if found.equal else 'differ'}: {found.roots[0]} {found.roots[1]}"


def _step(step: StepDiff) -> Iterator[str]:
    old, new = ("none" if rows is None else f"{rows:,}" for rows in step.rows)
    yield f"{step.name}: {old} rows, then {new}" if old != new else f"{step.name}: {old} rows in both"
    for words in step.parameters:
        yield f"  {words}"
    for reason, (before, after) in sorted(step.dropped.items()):
        yield f"  dropped {reason}: {before:,}, then {after:,}"
