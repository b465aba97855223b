"""The list of commands; a command's module is loaded when the command is called."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

import typer
from typer.core import TyperCommand, TyperGroup

import witbuild

if TYPE_CHECKING:
    from collections.abc import Callable

_STAGE = "witbuild.cli.stage:stage_function()"
WORK, STAGE, LOOK = "The whole way", "One stage into a run directory", "Look"
CHANGE = "Take over, grow or change what is finished"
RELEASE = "Hand on"

COMMANDS: dict[str, tuple[str, str, str]] = {
    "demo": (
        WORK,
        "witbuild.cli.demo:demo",
        "Build a data set from a small web on this machine and train a CLIP on it.",
    ),
    "run": (WORK, "witbuild.cli.recipes:run", "Run a recipe into a run directory, or go on with it."),
    "crawl": (WORK, "witbuild.cli.crawl:crawl_function()", "Harvest, match, filter and fetch, cut into N tasks."),
    "queries": (
        STAGE,
        "witbuild.cli.queries:queries_function()",
        "Build the query list from Wikipedia, page views and WordNet.",
    ),
    "harvest": (STAGE, _STAGE, "Read pages and lists; write candidate pairs of image URL and caption."),
    "match": (STAGE, _STAGE, "Keep the pairs whose caption contains a query, and write down which."),
    "rewrite": (STAGE, _STAGE, "Change captions: brackets, sizes, phrases, handles, case, accents."),
    "filter": (STAGE, _STAGE, "Drop pairs by declared rules, each drop with its reason."),
    "frequency": (STAGE, _STAGE, "Drop pairs by how often their caption, image or words occur."),
    "dedup": (STAGE, _STAGE, "Group near-duplicate pairs and keep one of each group."),
    "decontaminate": (STAGE, _STAGE, "Drop or flag pairs that stand in an evaluation set."),
    "balance": (STAGE, _STAGE, "Keep at most `limit` pairs a query."),
    "fetch": (STAGE, _STAGE, "Download, check, resize and re-encode the images, politely."),
    "score": (STAGE, _STAGE, "Score fetched pairs by models: CLIP's cosine, safety, watermarks, looks."),
    "shard": (STAGE, _STAGE, "Write WebDataset tars that any CLIP trainer reads."),
    "train": (STAGE, _STAGE, "Learn a CLIP from the tars."),
    "eval": (STAGE, "witbuild.cli.eval:eval_function()", "Measure a CLIP: zero-shot, probes, shifts, groups."),
    "objectives": (STAGE, _STAGE, "Train by several objectives and follow how good each gets."),
    "release": (
        RELEASE,
        "witbuild.cli.release:release",
        "Write card, Croissant, licences and manifest of the data set.",
    ),
    "export": (RELEASE, "witbuild.cli.export:export", "Write the model for open_clip and transformers."),
    "verify": (RELEASE, "witbuild.cli.release:verify", "Hash every file again and name what differs."),
    "import": (
        CHANGE,
        "witbuild.cli.bring:bring",
        "Make a run of what img2dataset downloaded.",
    ),
    "update": (
        CHANGE,
        "witbuild.cli.update:update",
        "Add to an earlier run; only what is new is harvested and fetched.",
    ),
    "takedown": (CHANGE, "witbuild.cli.takedown:takedown", "Remove pairs from a run's data set, for good."),
    "recipes": (LOOK, "witbuild.cli.recipes:recipes", "List the recipes that ship, or print one with its reasons."),
    "stages": (LOOK, "witbuild.cli.recipes:stages", "Describe every stage with its parameters."),
    "status": (LOOK, "witbuild.cli.results:status", "Print a run's funnel."),
    "explain": (LOOK, "witbuild.cli.explain:explain", "Tell all that a run knows of a pair, kept or dropped."),
    "diff": (LOOK, "witbuild.cli.diff:diff", "Say what differs between two runs."),
    "report": (LOOK, "witbuild.cli.results:report", "Write a run's report as one HTML page."),
}
"""Name -> panel, where its function is (with (): what makes it from the name), one line of help."""


class LazyCommand(TyperCommand):
    """Stands for a command in the list and becomes it when called."""

    def make_context(self, info_name: str | None, args: list[str], parent: Any = None, **extra: Any) -> Any:
        """Load the command and let it read its arguments."""
        return load(self.name or "").make_context(info_name, args, parent=parent, **extra)


class LazyGroup(TyperGroup):
    """Lists every command without loading one."""

    def list_commands(self, ctx: Any) -> list[str]:
        """Return the names in the order of the list above."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:
        """Return what stands for a command, or none when there is no such command."""
        if cmd_name not in COMMANDS:
            return None
        panel, _, text = COMMANDS[cmd_name]
        return LazyCommand(cmd_name, help=text, short_help=text, rich_help_panel=panel)


def load(name: str) -> Any:
    """Return the real command of a name."""
    module, _, attribute = COMMANDS[name][1].removesuffix("()").partition(":")
    found = getattr(importlib.import_module(module), attribute)
    return as_command(name, found(name) if COMMANDS[name][1].endswith("()") else found)


def as_command(name: str, function: Callable[..., None]) -> Any:
    """Turn a function with typed options into a command."""
    single = typer.Typer(add_completion=False, pretty_exceptions_enable=False)
    single.command(name)(function)
    return typer.main.get_command(single)


app = typer.Typer(
    cls=LazyGroup,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


def _version(*, value: bool) -> None:
    if value:
        typer.echo(f"witbuild {witbuild.__version__}")
        raise typer.Exit


@app.callback()
def _root(
    version: bool = typer.Option(False, "--version", help="Print the version.", callback=_version, is_eager=True),
) -> None:
    """Rebuild WIT, the data set CLIP was trained on, in the open, and train a CLIP on it."""
