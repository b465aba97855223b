"""The README's recipe is read, its commands exist and their options too, its links lead somewhere."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from witbuild.cli.app import COMMANDS, load
from witbuild.recipe import Recipe

ROOT = Path(__file__).resolve().parents[2]
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md")), ROOT / "queries" / "README.md"]


def commands(page: Path) -> list[list[str]]:
    text = page.read_text().replace("\\\n", " ")
    indented = re.findall(r"^ {4}(?:.*: )?(witbuild [a-z].*)$", text, re.MULTILINE)
    fenced = [
        line for block in re.findall(r"^```sh\n(.*?)^```", text, re.MULTILINE | re.DOTALL) for line in block.split("\n")
    ]
    lines = [one.strip() for line in (*indented, *fenced) for one in re.split(r"&&|\|\|", line)]
    return [shlex.split(line, comments=True) for line in lines if line.startswith("witbuild ")]


def test_commands_are_found_indented_and_fenced() -> None:
    assert ["witbuild", "verify", "RUN"] in commands(ROOT / "docs/release.md")
    assert ["witbuild", "shard", "--out", "run"] in commands(ROOT / "docs/audit.md")
    assert ["witbuild", "balance", "--limit", "20000"] in commands(ROOT / "README.md")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_and_option_exists(page: Path) -> None:
    for words in commands(page):
        assert words[1] in COMMANDS, words
        known = {flag for parameter in load(words[1]).params for flag in (*parameter.opts, *parameter.secondary_opts)}
        given = {word.split("=")[0] for word in words[2:] if word.startswith("-")}
        assert given <= known, f"{page.name}: {shlex.join(words)}: {given - known}"


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\((?!https?:|#)([^)#]+)", page.read_text())
    missing = [target for target in targets if not (page.parent / target).exists()]
    assert not missing


def test_the_readmes_recipe_is_one() -> None:
    text = (ROOT / "README.md").read_text()
    block = re.search(r"^ {4}stages:\n(?: {6}.*\n)+", text, re.MULTILINE)
    assert block
    lines = [line for line in block.group().splitlines() if "my_package" not in line]
    recipe = Recipe.parse("\n".join(lines), "README.md")
    assert [stage.name for stage in recipe.stages][-1] == "shard"


@pytest.mark.parametrize("path", sorted((ROOT / "pipelines").glob("*.yaml")), ids=lambda path: path.stem)
def test_every_shipped_recipe_is_valid_and_says_why(path: Path) -> None:
    recipe = Recipe.load(str(path))
    assert recipe.name == path.stem
    assert recipe.description.endswith(".")
    assert Recipe.parse(recipe.to_yaml()) == recipe
