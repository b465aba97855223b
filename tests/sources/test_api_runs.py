"""Sources that ask queries, as stages of a run: what they are made from, and how they go on."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.api_server import ApiServer, FakeWiki, File, Said
from tests.sources.listed import listed
from witbuild.engine.local import LocalEngine
from witbuild.errors import RecipeError, RetryLaterError, RunMismatchError
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stages.harvest import Harvest

AGENT = "witbuild-test/0 (+http://contact.test/)"
FILES = [File(f"Square {number:02}.jpg") for number in range(20)]


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("witbuild.web.turnstile.places_folder", lambda: tmp_path / "places")


def commons(server: ApiServer, **changes: Any) -> Harvest:
    own = {"user_agent": AGENT, "delay_seconds": 0, "allow_private": True, "search_filter": "", "shards": 2}
    where = {"inputs": ("http://wiki.test/api.php",), "resolve": server.resolve("wiki.test")}
    return Harvest(source="commons", **{**own, **where, **changes})


def run(root: Path, stage: Harvest, **inputs: str) -> Run:
    with LocalEngine(workers=1) as engine:
        return run_recipe(Recipe(stages=(stage,), inputs=inputs), str(root), engine)


def captions(made: Run) -> list[str]:
    _, manifest = made.newest("pairs")
    return sorted(tables.read_all(made.paths(manifest, "pairs"))["caption"].to_pylist())


def test_a_run_asks_the_queries_that_it_is_given_and_asks_nothing_twice(tmp_path: Path) -> None:
    words = listed(tmp_path, *(f"square {number:02}" for number in range(20)))
    with ApiServer(FakeWiki(FILES)) as server:
        first = run(tmp_path / "run", commons(server), queries=words)
        asked = len(server.asked)
        again = run(tmp_path / "run", commons(server, delay_seconds=1, max_lag_seconds=9), queries=words)
    assert captions(first) == captions(again) == [file.title[:-4] for file in FILES]
    assert (asked, len(server.asked)) == (20, 20)
    _, manifest = first.newest("pairs")
    assert (manifest.identity.name, len(manifest.parts), manifest.rows_in) == ("harvest", 2, None)


def test_a_run_that_was_put_off_goes_on_where_it_was(tmp_path: Path) -> None:
    words = listed(tmp_path, *(f"square {number:02}" for number in range(20)))
    wiki = FakeWiki(FILES)
    with ApiServer(wiki) as server:
        answers = wiki.__call__
        calls = iter(range(1_000))
        server.answer = lambda asked: Said(b"", 429, {"Retry-After": "999"}) if next(calls) == 7 else answers(asked)
        with pytest.raises(RetryLaterError, match="run again later"):
            run(tmp_path / "run", commons(server), queries=words)
        made = run(tmp_path / "run", commons(server), queries=words)
    assert captions(made) == [file.title[:-4] for file in FILES]
    assert len(server.asked) == 20 + 1


def test_other_queries_are_another_harvest_but_only_where_they_are_asked(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "b").mkdir()
    one, other = listed(tmp_path / "a", "square 01"), listed(tmp_path / "b", "square 02")
    (tmp_path / "list.csv").write_text("url,text\nhttp://a.test/,x\n")
    with ApiServer(FakeWiki(FILES)) as server:
        run(tmp_path / "asked", commons(server), queries=one)
        with pytest.raises(RunMismatchError, match=r"queries: comes from"):
            run(tmp_path / "asked", commons(server), queries=other)
        files = Harvest(source="urls", inputs=(str(tmp_path / "list.csv"),))
        for stage in (commons(server, listing="allimages"), files):
            root = tmp_path / stage.source / stage.listing
            run(root, stage, queries=one)
            run(root, stage, queries=other)


def test_a_run_without_queries_says_where_they_come_from(tmp_path: Path) -> None:
    with (
        ApiServer(FakeWiki(FILES)) as server,
        pytest.raises(RecipeError, match=r"source commons reads queries.*--queries"),
    ):
        run(tmp_path / "run", commons(server))
    assert server.asked == []


def test_the_recipe_tells_all_of_it() -> None:
    stage = Harvest(source="commons", user_agent=AGENT, limit=7, thumbnail_width=500, listing="allimages", per_query=3)
    recipe = Recipe(stages=(stage,))
    assert Recipe.parse(recipe.to_yaml()) == recipe
