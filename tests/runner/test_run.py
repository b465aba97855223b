"""Laws 1, 2, 4, 5, 9 of the design on small stages."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tests.toys import Count, Fail, Halve, Odd
from witbuild.engine.local import LocalEngine
from witbuild.errors import (
    CorruptPartError,
    EmptyError,
    RecipeError,
    RetryLaterError,
    RunMismatchError,
    VerificationError,
    WorkerError,
)
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import Settings, run_recipe
from witbuild.runner.identity import parameters
from witbuild.stage import Stage, digested

ONE = LocalEngine(workers=1)


def run(root: Path, *stages: Stage, engine: LocalEngine = ONE, settings: Settings | None = None) -> Run:
    return run_recipe(Recipe(stages=stages), str(root), engine, settings)


def digests(root: Path) -> dict[str, str]:
    """Return the sha256 of every table and side file."""
    files = [path for path in root.rglob("*") if path.suffix in {".parquet", ".txt", ".tar"}]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_a_run_leaves_parts_records_and_manifests_and_nothing_else(tmp_path: Path) -> None:
    run(tmp_path, Count(parts=2), Odd())
    found = sorted(str(path.relative_to(tmp_path)) for path in tmp_path.rglob("*") if path.is_file())
    folders = [("01-count", "queries", 2), ("02-odd", "queries", 2)]
    parts = [f"{name}/{kind}/{i:05d}.parquet" for name, kind, count in folders for i in range(count)]
    records = [f"{name}/done/{i:05d}.json" for name, _, count in folders for i in range(count)]
    singles = [f"{name}/{file}.json" for name, _, _ in folders for file in ("identity", "manifest")]
    notes = [f"out/notes/{i:05d}.txt" for i in range(2)]
    assert found == sorted([*parts, *records, *singles, *notes, "recipe.yaml"])


def test_the_manifest_proves_the_funnel(tmp_path: Path) -> None:
    manifests = [manifest for _, manifest in run(tmp_path, Count(), Odd()).manifests()]
    assert [(m.rows_in, m.rows, m.dropped) for m in manifests] == [(None, 40, {}), (40, 20, {"even": 20})]


def test_lost_rows_stop_the_run_and_nothing_is_published(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match=r"10 rows in, 4 out, 5 dropped; 1 unaccounted"):
        run(tmp_path, Count(), Odd(lose=1))
    assert not list((tmp_path / "02-odd").rglob("*.parquet"))


def test_engines_agree_to_the_byte(tmp_path: Path) -> None:
    run(tmp_path / "one", Count(), Odd(), Halve())
    with LocalEngine(workers=3) as engine:
        run(tmp_path / "many", Count(), Odd(), Halve(), engine=engine)
    assert digests(tmp_path / "one") == digests(tmp_path / "many")
    assert Run(str(tmp_path / "one")).merkle_root() == Run(str(tmp_path / "many")).merkle_root()


def test_a_finished_run_is_left_alone_and_a_lost_part_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, Count(), Odd())
    before = digests(tmp_path)
    (tmp_path / "02-odd/manifest.json").unlink()
    (tmp_path / "02-odd/queries/00001.parquet").unlink()
    kept = tmp_path / "02-odd/queries/00000.parquet"
    stamp = kept.stat().st_mtime_ns
    run(tmp_path, Count(), Odd())
    assert digests(tmp_path) == before
    assert kept.stat().st_mtime_ns == stamp


def test_a_part_without_its_record_is_made_again(tmp_path: Path) -> None:
    run(tmp_path, Count(parts=2))
    before = digests(tmp_path)
    (tmp_path / "01-count/manifest.json").unlink()
    (tmp_path / "01-count/done/00001.json").unlink()
    run(tmp_path, Count(parts=2))
    assert digests(tmp_path) == before
    assert (tmp_path / "01-count/done/00001.json").exists()


def test_other_parameters_are_refused_with_both_fingerprints_and_the_way_out(tmp_path: Path) -> None:
    run(tmp_path, Count(rows=10))
    old = json.loads((tmp_path / "01-count/identity.json").read_text())["fingerprint"]
    with pytest.raises(RunMismatchError) as caught:
        run(tmp_path, Count(rows=11))
    text = str(caught.value)
    assert old in text
    assert "rows: found 10, expected 11" in text
    assert "--restart-from count" in text


def test_runtime_parameters_do_not_count_and_files_count_by_content(tmp_path: Path) -> None:
    seed = tmp_path / "seed.txt"
    seed.write_text("a")
    run(tmp_path / "run", Count(seed_file=str(seed), patience=1))
    run(tmp_path / "run", Count(seed_file=str(seed), patience=2))
    seed.write_text("b")
    with pytest.raises(RunMismatchError, match="seed_file"):
        run(tmp_path / "run", Count(seed_file=str(seed)))


def test_files_count_by_content_inside_lists_and_mappings_too(tmp_path: Path) -> None:
    class Nested(Count):
        lists: dict[str, list[str]] = digested({})

    path = tmp_path / "a"
    path.write_text("one")
    stage = Nested(lists={"x": [str(path)]})
    before = parameters(stage)["lists"]
    path.write_text("two")
    assert before != parameters(stage)["lists"]
    assert before["x"][0][0][0] == "a"


def test_a_change_upstream_is_a_change_downstream(tmp_path: Path) -> None:
    one = [m.fingerprint for _, m in run(tmp_path / "one", Count(rows=4), Odd()).manifests()]
    two = [m.fingerprint for _, m in run(tmp_path / "two", Count(rows=5), Odd()).manifests()]
    assert one[1] != two[1]


def test_rounds_go_on_until_settled(tmp_path: Path) -> None:
    made = run(tmp_path, Count(parts=2, rows=8), Halve())
    names = [folder.name for folder, _ in made.manifests()]
    assert names == ["01-count", "02-halve.r01", "02-halve.r02", "02-halve.r03", "02-halve.r04"]
    assert made.newest("queries")[1].rows == 2


def test_rounds_that_do_not_settle_are_an_error(tmp_path: Path) -> None:
    with pytest.raises(VerificationError, match="did not settle in 9 rounds"):
        run(tmp_path, Count(parts=1, rows=2048), Halve())


@pytest.mark.parametrize("workers", [1, 2])
def test_a_failing_task_names_its_place_and_the_rest_resumes(tmp_path: Path, workers: int) -> None:
    with LocalEngine(workers=workers) as engine, pytest.raises(ValueError, match="planted") as caught:
        run(tmp_path, Count(), Fail(index=2), engine=engine)
    assert any("stage fail, task 2" in note for note in caught.value.__notes__)
    assert not (tmp_path / "02-fail/manifest.json").exists()
    run(tmp_path, Count(), Fail())
    assert Run(str(tmp_path)).newest("queries")[1].rows == 40


def test_slices_do_their_share_and_the_last_one_seals(tmp_path: Path) -> None:
    recipe = (Count(parts=5), Odd())
    for index in range(2):
        with pytest.raises(RetryLaterError, match="of 5 parts"):
            run(tmp_path / "array", *recipe, settings=Settings(slice_index=index, slice_count=3))
    with pytest.raises(RetryLaterError):  # seals the first stage, does its share of the second
        run(tmp_path / "array", *recipe, settings=Settings(slice_index=2, slice_count=3))
    for index in range(2):
        settings = Settings(slice_index=index, slice_count=3)
        if index == 0:
            with pytest.raises(RetryLaterError):
                run(tmp_path / "array", *recipe, settings=settings)
        else:
            run(tmp_path / "array", *recipe, settings=settings)
    run(tmp_path / "plain", *recipe)
    assert digests(tmp_path / "array") == digests(tmp_path / "plain")


def test_nothing_left_is_an_error_that_says_why(tmp_path: Path) -> None:
    with pytest.raises(EmptyError, match=r"stage odd yielded no queries of 1 rows in; dropped: even 1"):
        run(tmp_path, Count(parts=1, rows=1), Odd())


def test_a_corrupt_part_is_named_and_can_be_made_again(tmp_path: Path) -> None:
    run(tmp_path, Count())
    part = tmp_path / "01-count/queries/00001.parquet"
    whole = part.read_bytes()
    part.write_bytes(whole[:-20])
    with pytest.raises(CorruptPartError, match=r"00001\.parquet"):
        run(tmp_path, Count(), Odd())
    part.unlink()
    (tmp_path / "01-count/manifest.json").unlink()
    run(tmp_path, Count(), Odd())
    assert part.read_bytes() == whole


def test_a_stage_that_reads_what_nobody_makes_is_refused_before_any_work(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="stage odd reads queries, and nothing before it makes queries"):
        run(tmp_path / "run", Odd())
    assert not (tmp_path / "run").exists()


def test_a_stage_that_can_stand_once_only_is_refused_twice(tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="stage count stands 2 times"):
        run(tmp_path / "run", Count(), Odd(), Count(parts=9))


def test_restarting_removes_what_lies_in_a_home(tmp_path: Path) -> None:
    run(tmp_path, Count(parts=4))
    (tmp_path / "01-count/queries/00003.parquet").unlink()  # as if killed after publishing the note
    run(tmp_path, Count(parts=2), settings=Settings(restart_from="count"))
    assert sorted(path.name for path in (tmp_path / "out/notes").iterdir()) == ["00000.txt", "00001.txt"]


def test_inputs_come_from_another_run_or_from_files(tmp_path: Path) -> None:
    run(tmp_path / "first", Count())
    for name, path in {"run": tmp_path / "first", "folder": tmp_path / "first/01-count/queries"}.items():
        recipe = Recipe(stages=(Odd(),), inputs={"queries": str(path)})
        assert run_recipe(recipe, str(tmp_path / name), ONE).newest("queries")[1].rows == 20


def test_a_third_party_stage_is_named_by_its_module() -> None:
    recipe = Recipe.parse("stages: [{'tests.toys:Count': {parts: 2}}]")
    assert recipe.stages == (Count(parts=2),)
    assert Recipe.parse(recipe.to_yaml()) == recipe


def _die(_: int) -> None:
    import os

    os.abort()


def test_a_dead_worker_is_a_clear_error() -> None:
    with LocalEngine(workers=2) as engine, pytest.raises(WorkerError, match="a worker process died"):
        list(engine.map(_die, [1]))
