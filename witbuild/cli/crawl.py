"""`witbuild crawl`: harvest + match + filter + fetch in one command, cut into N tasks."""

from __future__ import annotations

import inspect
from typing import TYPE_CHECKING, Annotated, Any

import typer

from witbuild.cli.options import given, options, with_signature
from witbuild.cli.where import Where
from witbuild.cli.work import carry_out, chosen_slice, common, environment_index
from witbuild.recipe import make_stage, stage_class

if TYPE_CHECKING:
    from collections.abc import Callable

    from witbuild.recipe import Recipe
    from witbuild.stage import Stage

STAGES = ("harvest", "match", "filter", "fetch")
_KEYWORD = inspect.Parameter.KEYWORD_ONLY


def _crawl(**values: Any) -> None:
    recipe = crawl_recipe(values)
    index = values["shard"] if values["shard"] is not None else environment_index()
    chosen = chosen_slice(index, values["shards"]) if values["shards"] else (0, 1)
    carry_out(
        recipe,
        values["out"],
        where=Where.given(values),
        restart_from=values["restart_from"],
        until="fetch",
        chosen=chosen,
    )
    typer.echo(values["out"])


def crawl_recipe(values: dict[str, Any]) -> Recipe:
    """Return the run's recipe with the crawl's four stages in it."""
    from witbuild.runner.append import grown, recorded

    recipe = recorded(values["out"])
    inputs = {"queries": values["queries"]} if values["queries"] else {}
    for stage in crawl_stages(values):
        recipe = grown(recipe, stage, inputs)
    if recipe is None:
        raise AssertionError
    return recipe


def crawl_stages(values: dict[str, Any]) -> list[Stage]:
    """Return the stages with what was given for each; `--shards` goes to all that have it.

    The filter is one of them when rules are given.
    """
    names = [name for name in STAGES if name != "filter" or values["rules"]]
    return [make_stage(name, given(stage_class(name), values), "witbuild crawl") for name in names]


def _signature() -> list[inspect.Parameter]:
    """Return every stage's options once, and the crawl's own."""
    found = {parameter.name: parameter for name in STAGES for parameter in options(stage_class(name))}
    shards = Annotated[int, typer.Option("--shards", help="Cut the work into N tasks a stage.", metavar="N")]
    shard = Annotated[
        int | None,
        typer.Option("--shard", help="Do task I of N only; default: the index of the batch system.", metavar="I"),
    ]
    queries = Annotated[
        str, typer.Option("--queries", help="A query list from elsewhere than the run.", metavar="PATH")
    ]
    own = [("shards", shards, 0), ("shard", shard, None), ("queries", queries, "")]
    for name, annotation, default in own:
        found[name] = inspect.Parameter(name, _KEYWORD, default=default, annotation=annotation)
    return [*found.values(), *common()]


def crawl_function(name: str) -> Callable[..., None]:
    """Return the command's function, with the options of its four stages."""
    text = "Harvest, match, filter and fetch, cut into N tasks."
    function: Callable[..., None] = with_signature(_crawl, name, text, _signature())
    return function
