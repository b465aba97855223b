"""What people do wrong ends in one line that says what to do."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import witbuild
from witbuild import cli
from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.recipe import Recipe
from witbuild.runner.append import replaced
from witbuild.runner.steps import Shelf
from witbuild.schema import QUERIES
from witbuild.stages.match import Match

if TYPE_CHECKING:
    from pathlib import Path


def test_a_text_is_no_list_of_queries_and_what_makes_one_is_said(tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("dog\ncat\n")
    with pytest.raises(InputError, match=r"words\.txt: not a table .*; `witbuild queries --lists FILE"):
        Shelf().add_external("queries", str(tmp_path / "words.txt"))
    with pytest.raises(InputError, match=r"words\.txt: not a table of witbuild, which is a parquet file$"):
        Shelf().add_external("pairs", str(tmp_path))
    queries = tables.from_rows([{"query_id": 0, "query": "dog", "source": "list", "rank": 0}], QUERIES)
    tables.write(tmp_path / "queries.parquet", queries, dropped={})
    shelf = Shelf()
    shelf.add_external("queries", str(tmp_path / "queries.parquet"))
    assert shelf.paths["queries"] == (str(tmp_path / "queries.parquet"),)


def test_a_stage_that_is_restarted_reads_what_it_is_given_now() -> None:
    recipe = Recipe(stages=(Match(),), inputs={"queries": "wrong.txt", "pairs": "pairs"})
    assert replaced(recipe, Match(), {"queries": "right"}).inputs == {"queries": "right", "pairs": "pairs"}


def test_a_takedown_of_nothing_asks_what_is_meant(tmp_path: Path) -> None:
    done = witbuild("takedown", "run", cwd=tmp_path)
    assert (done.returncode, done.stderr.count("\n")) == (2, 1)
    assert "name what is to go: --url, --host" in done.stderr


def test_a_file_in_the_place_of_the_run_is_named(tmp_path: Path) -> None:
    (tmp_path / "list.csv").write_text("url,caption\nhttp://a.test/1.jpg,a dog\n")
    done = witbuild("harvest", "--source", "urls", "--inputs", "list.csv", "--out", "list.csv/run", cwd=tmp_path)
    said = "witbuild: list.csv/run: Not a directory; when that is mended, the same command goes on from here\n"
    assert (done.returncode, done.stderr) == (1, said)


def test_other_errors_of_the_system_keep_their_traceback(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> None:
        raise OSError("a fault of the program")

    monkeypatch.setattr("witbuild.cli.app.app", broken)
    monkeypatch.setattr("signal.signal", lambda *_: None)
    with pytest.raises(OSError, match="a fault of the program"):
        cli.main()
