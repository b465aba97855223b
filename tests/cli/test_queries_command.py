"""`witbuild queries`: a run or a single file, and why a text is in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.cli.test_cli import witbuild
from witbuild.io import tables
from witbuild.schema import QUERIES

if TYPE_CHECKING:
    from pathlib import Path

OPTIONS = ("--word-counts", "words.txt", "--min-count", "3", "--no-synsets", "--slices", "2", "--workers", "1")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "words.txt").write_text("dog 9\ncat 8\nzebu 2\n")
    return tmp_path


def test_a_list_can_be_one_file(folder: Path) -> None:
    done = witbuild("queries", *OPTIONS, "--out", "queries.parquet", cwd=folder)
    assert (done.returncode, done.stdout) == (0, "queries.parquet\n")
    table = tables.read(str(folder / "queries.parquet"))
    assert table.schema.equals(QUERIES)
    assert table["query"].to_pylist() == ["dog", "cat"]
    assert sorted(path.name for path in folder.iterdir()) == ["queries.parquet", "words.txt"]


def test_explain_says_why_a_text_is_in_a_list_or_not(folder: Path) -> None:
    for out in ("run", "queries.parquet"):
        assert witbuild("queries", *OPTIONS, "--out", out, cwd=folder).returncode == 0
    done = witbuild("queries", "--explain", "The-Zebu", "--out", "run", cwd=folder)
    assert done.stdout.splitlines() == [
        "'The-Zebu' (looked for as 'the zebu')",
        "  not in the list: no source of this run holds it",
    ]
    done = witbuild("queries", "--explain", "zebu", "--out", "run", cwd=folder)
    assert done.stdout.splitlines() == [
        "'zebu'",
        "  not in the list: count 2, needed 3",
        "  word    no   count 2, needed 3",
    ]
    for out in ("run", "queries.parquet"):
        done = witbuild("queries", "--explain", "Cat", "--out", out, cwd=folder)
        assert "in the list: query_id 1, as a word, rank 1, count 8, score 8" in done.stdout


def test_explain_builds_nothing(folder: Path) -> None:
    done = witbuild("queries", "--explain", "dog", "--out", "nowhere", cwd=folder)
    assert (done.returncode, "nowhere: not a run directory" in done.stderr) == (1, True)
    assert not (folder / "nowhere").exists()
    done = witbuild("queries", "--explain", "dog", "--out", "nowhere.parquet", cwd=folder)
    assert (done.returncode, "nowhere.parquet: no such file" in done.stderr) == (1, True)


def test_parameters_that_give_no_list_are_a_usage_error(folder: Path) -> None:
    done = witbuild("queries", "--no-synsets", "--out", "run", cwd=folder)
    assert (done.returncode, "a source: wikipedia, word_counts" in done.stderr) == (2, True)
    assert "Traceback" not in done.stderr
