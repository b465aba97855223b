"""The whole way on a tiny web: what is planted is found, twice the same; and what is not, is told."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest

from tests.cli.test_cli import witbuild
from witbuild.cli import demo as command
from witbuild.demo import check, heldout, run
from witbuild.demo.serving import Serving
from witbuild.demo.world import build
from witbuild.errors import MissingExtraError, VerificationError
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.report import build as build_report
from witbuild.report.planted import Compared
from witbuild.train.labelled import lines

SIZE = 60


@pytest.fixture(scope="module")
def done(tmp_path_factory: pytest.TempPathFactory) -> run.Summary:
    """In this process, so that nothing is compiled or imported twice."""
    return run.run(str(tmp_path_factory.mktemp("demo") / "run"), train=False, size=SIZE, workers=1)


def test_all_that_was_planted_is_found_and_nothing_else(done: run.Summary) -> None:
    assert [one for one in done.compared if not one.agrees] == []
    assert {one.name for one in done.compared} >= {
        "fetch.refused",
        "dedup.duplicate_image",
        check.FORBIDDEN,
        check.PAIRS,
    }
    assert sum(one.planted for one in done.compared) > SIZE
    assert done.verified


def test_the_report_shows_planted_beside_found_also_when_it_is_written_again(done: run.Summary) -> None:
    page = Path(done.report).read_text()
    assert done.root in page
    assert f"{len(done.compared)} of {len(done.compared)} numbers agree" in page
    assert build_report(Run(str(Path(done.report).parent))) == page


def test_another_run_of_another_port_has_the_same_root(done: run.Summary, tmp_path: Path) -> None:
    """By the recipe alone, as a person would run it: `witbuild run`, in worker processes."""
    with Serving(0, SIZE) as server:
        run.write_recipe(str(tmp_path / "demo.yaml"), 0, SIZE, server.resolve)
        finished = witbuild("run", "demo.yaml", "--out", "run", "--workers", "2", cwd=tmp_path)
    assert finished.returncode == 0, finished.stderr
    assert Run(str(tmp_path / "run")).merkle_root() == done.root


def test_what_is_not_found_is_told(done: run.Summary) -> None:
    world = build(0, SIZE, looks=False)
    world.planted["fetch.http_410"] += 1
    del world.planted["match.no_query"]
    forbidden = {"http://blog.picturebook.test/private/1.html": 2}
    compared = check.compare(world, Run(str(Path(done.report).parent)), forbidden)
    wrong = {one.name: (one.planted, one.found) for one in compared if not one.agrees}
    assert wrong == {"fetch.http_410": (3, 2), "match.no_query": (0, 2), check.FORBIDDEN: (0, 2)}


def test_the_command_prints_and_fails_when_numbers_differ(
    done: run.Summary, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    scored = replace(done, scores={"accuracy": 0.5, "chance": 0.025, "untrained": 0.03})
    monkeypatch.setattr(run, "run", lambda *_, **__: scored)
    command.demo("run")
    printed = capsys.readouterr().out
    assert all(text in printed for text in ("duplicate_image", "20.0x", done.root, done.report))
    differs = replace(done, compared=(*done.compared, Compared("fetch.dns", 3, 2)))
    monkeypatch.setattr(run, "run", lambda *_, **__: differs)
    with pytest.raises(VerificationError, match=r"fetch\.dns: planted 3, found 2"):
        command.demo("run")
    assert VerificationError.exit_code == 4


def test_the_default_size_is_that_of_the_run() -> None:
    assert command._SIZE == run.SIZE


def test_the_held_out_set_has_every_class_alike(tmp_path: Path) -> None:
    from witbuild.train import labelled

    paths = heldout.write(str(tmp_path), 0)
    names = lines(paths["classes"])
    read = labelled.read(paths["data"], names)
    assert Counter(read.labels.tolist()) == dict.fromkeys(range(40), heldout.A_CLASS)
    assert all("{}" in template for template in lines(paths["templates"]))


def test_the_recipe_that_ships_says_why_on_every_line() -> None:
    from witbuild.recipe.registry import shipped

    text = shipped("pipelines", "demo.yaml").read_text()
    parameters = [line for line in text.partition("stages:")[2].splitlines() if line.strip()[-1:] not in (":", "")]
    assert len(parameters) > 20
    assert [line for line in parameters if " # " not in line] == []
    assert len(Recipe.load("demo").stages) == 11


@pytest.mark.slow
@pytest.mark.train
def test_the_model_names_what_it_never_saw(tmp_path: Path) -> None:
    """The goal: five times chance on combinations that no page has; it takes about a minute."""
    summary = run.run(str(tmp_path / "run"))
    assert summary.verified
    assert summary.scores["accuracy"] >= 5 * summary.scores["chance"]
    assert summary.scores["accuracy"] >= 3 * summary.scores["untrained"]


def test_training_without_torch_is_refused_before_any_work(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda _: None)
    with pytest.raises(MissingExtraError, match=r"--no-train.*witbuild\[train\]"):
        run.run(str(tmp_path / "run"), size=SIZE)
    assert list(tmp_path.iterdir()) == []
