"""`witbuild explain`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.audit.explain import Explanation


def explain(
    key: Annotated[str, typer.Argument(help="Of the pair: the stem of its members in the tar.")] = "",
    run: Annotated[str, typer.Option("--run", help="Run directory.", envvar="WITBUILD_RUN")] = "run",
    url: Annotated[str, typer.Option("--url", help="Explain all pairs of this image's URL instead.")] = "",
    json_output: Annotated[bool, typer.Option("--json", help="Print JSON, a list.")] = False,
) -> None:
    """Tell all that a run knows of a pair: where it was found, what was asked of it, where it went and why."""
    from dataclasses import asdict

    from witbuild.audit import explain as audit
    from witbuild.errors import RecipeError
    from witbuild.io.manifest import dumps

    if bool(key) == bool(url):
        raise RecipeError("witbuild explain: expected a KEY or --url URL")
    found = [audit.explain(run, one) for one in (audit.keys(run, url) if url else [key])]
    if json_output:
        typer.echo(dumps([asdict(one) for one in found]).decode(), nl=False)
        return
    typer.echo("\n\n".join("\n".join(_lines(one)) for one in found))


def _lines(found: Explanation) -> Iterator[str]:
    """Yield the text of an explanation."""
    yield f"{found.key}  {found.verdict}"
    yield f"  caption   {found.caption!r}"
    yield f"  image     {_one(found.url)}"
    for origin in found.origins:
        yield f"  found     {_shown(origin)}"
    yield f"  rows      {', '.join(f'{step} {rows}' for step, rows in found.steps.items())}"
    for stop in found.stops:
        yield f"  left      {stop.step}: {stop.reason} ({stop.rows} {'row' if stop.rows == 1 else 'rows'})"
    for query in found.queries:
        yield f"  query     {_shown(query)}"
    for cluster in found.clusters:
        yield f"  cluster   {cluster['cluster']} of {cluster['pairs']} pairs in {cluster['step']}"
        for member in cluster["members"]:
            fate, where = member["dropped"] or "stays", _one(member["url"])
            yield f"            {fate:16} {member['key']} {where} {member['caption']!r}"
    for fetch in found.fetches:
        yield f"  fetch     {_shown(fetch)}"
    if found.image:
        yield f"  stored    {_shown(found.image)}"
    if found.place:
        yield f"  sample    {_shown(found.place)}"


def _shown(values: dict[str, Any]) -> str:
    """Return what is known, as `name value` pairs; control characters of the web do not reach the terminal."""
    known = {name: value for name, value in values.items() if value not in (None, "", {}, [])}
    return ", ".join(f"{name} {_one(value)}" for name, value in known.items())


def _one(value: Any) -> str:
    if isinstance(value, dict):
        return f"({_shown(value)})"
    if isinstance(value, float):
        return f"{value:.4g}"
    text = str(value)
    return text if text.isprintable() else repr(text)
