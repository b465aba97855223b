"""The command line as a person meets it: exit codes, messages, files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from witbuild.cli.app import COMMANDS, load
from witbuild.recipe import stage_class, stage_names
from witbuild.schema import TABLES

RECIPE = "stages:\n- tests.toys:Count: {parts: 3}\n- tests.toys:Odd\n"


def witbuild(*arguments: str, cwd: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    root = str(Path(__file__).resolve().parents[2])
    return subprocess.run(
        [sys.executable, "-m", "witbuild", *arguments],
        cwd=cwd,
        env={**os.environ, "PYTHONPATH": root, "COLUMNS": "200", **environment},
        capture_output=True,
        text=True,
        check=False,
    )


@pytest.fixture
def recipe(tmp_path: Path) -> Path:
    (tmp_path / "toy.yaml").write_text(RECIPE)
    return tmp_path


def test_the_recipes_that_ship_are_listed_and_printed(tmp_path: Path) -> None:
    listed = witbuild("recipes", cwd=tmp_path)
    names = [path.stem for path in sorted((Path(__file__).resolve().parents[2] / "pipelines").glob("*.yaml"))]
    assert [line.split()[0] for line in listed.stdout.splitlines()] == names
    assert witbuild("recipes", "demo", cwd=tmp_path).stdout.startswith("# The whole way")
    wrong = witbuild("recipes", "demos", cwd=tmp_path)
    assert (wrong.returncode, "no recipe 'demos' ships; there are " in wrong.stderr) == (2, True)
    wrong = witbuild("run", "demos", cwd=tmp_path)
    assert (wrong.returncode, "no recipe of that name ships; there are " in wrong.stderr) == (2, True)


def test_a_stage_and_a_rule_can_be_left_out(tmp_path: Path) -> None:
    (tmp_path / "my.yaml").write_text("stages: [match, {filter: {rules: [{min_words: 3}]}}, {dedup: {}}]")
    done = witbuild("run", "my.yaml", "--check", "--without", "match", "--without", "filter.min_words", cwd=tmp_path)
    assert done.stdout == "my.yaml: 1 stages: dedup\n"
    wrong = witbuild("run", "my.yaml", "--check", "--without", "filter.max_words", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "no such stage or rule; it has match, filter, dedup, filter.min_words" in wrong.stderr


def test_a_recipe_runs_and_its_funnel_is_printed(recipe: Path) -> None:
    done = witbuild("run", "toy.yaml", "--out", "run", "--workers", "1", cwd=recipe)
    assert (done.returncode, done.stdout) == (0, "run\n")
    assert "02-odd: 15 queries, 15 dropped" in done.stderr
    text = witbuild("status", "run", cwd=recipe).stdout
    assert "even 15" in text
    totals = json.loads(witbuild("status", "run", "--json", cwd=recipe).stdout)
    assert [stage["rows"] for stage in totals["stages"]] == [30, 15]
    assert totals["root"] in text


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("stages:\n- mach\n", "toy.yaml:2: stages[0]: unknown stage 'mach'; did you mean 'match'?"),
        ("stages:\n- tests.toys:Count:\n    rowz: 3\n", "toy.yaml:3: stages[0].tests.toys:Count.rowz: unknown field"),
        ("stages:\n- tests.toys:Count: {rows: many}\n", "rows: found 'many', expected: a valid integer"),
        ("stages:\n- tests.toys:Nothing\n", "cannot be imported"),
        ("stages: 3\n", "toy.yaml:1: stages: found 3, expected a list of stages"),
        ("stagez: []\n", "toy.yaml:1: stagez: unknown field; expected one of name, description, inputs, stages"),
        ("stages: [\n", "toy.yaml:2: not valid YAML"),
        ("a: 1\na: 2\n", "toy.yaml:2: 'a' stands twice"),
        ("- 3\n", "toy.yaml:1: found [3], expected a mapping with `stages`"),
        ("stages:\n- tests.toys:Odd\n", "stage odd reads queries, and nothing before it makes queries"),
    ],
)
def test_a_wrong_recipe_is_one_line_and_exit_code_two(recipe: Path, text: str, message: str) -> None:
    (recipe / "toy.yaml").write_text(text)
    done = witbuild("run", "toy.yaml", cwd=recipe)
    assert message in done.stderr
    assert done.returncode == 2
    assert "Traceback" not in done.stderr
    assert not (recipe / "run").exists()


def test_overrides_are_checked_like_the_recipe(recipe: Path) -> None:
    for override, message in {
        "count.rowz=1": "unknown field",
        "count.rows=x": "found 'x', expected: a valid integer",
        "cound.rows=1": "has no stage 'cound'",
        "rows": "expected stage.field=value",
    }.items():
        done = witbuild("run", "toy.yaml", "--set", override, cwd=recipe)
        assert (done.returncode, message in done.stderr) == (2, True), done.stderr
    assert witbuild("run", "toy.yaml", "--set", "count.rows=2", "--workers", "1", cwd=recipe).returncode == 0


def test_another_recipe_is_refused_and_restart_from_is_the_way_out(recipe: Path) -> None:
    assert witbuild("run", "toy.yaml", "--workers", "1", cwd=recipe).returncode == 0
    again = ("run", "toy.yaml", "--workers", "1", "--set", "count.rows=4")
    done = witbuild(*again, cwd=recipe)
    assert done.returncode == 2
    assert "rows: found 10, expected 4" in done.stderr
    assert witbuild(*again, "--restart-from", "count", cwd=recipe).returncode == 0
    totals = json.loads(witbuild("status", "--json", cwd=recipe).stdout)
    assert [stage["rows"] for stage in totals["stages"]] == [12, 6]


def test_a_slice_that_waits_for_others_says_so_and_exits_75(recipe: Path) -> None:
    done = witbuild("run", "toy.yaml", "--slice", "/3", "--workers", "1", cwd=recipe, SLURM_ARRAY_TASK_ID="1")
    assert done.returncode == 75
    assert "2 of 3 parts of other slices are not yet there" in done.stderr
    assert [path.name for path in (recipe / "run/01-count/queries").iterdir()] == ["00001.parquet"]
    bad = witbuild("run", "toy.yaml", "--slice", "3/3", cwd=recipe)
    assert (bad.returncode, "expected an index from 0 to 2" in bad.stderr) == (2, True)


def test_a_recipe_that_ships_is_found_by_its_bare_name_beside_a_folder_of_that_name(tmp_path: Path) -> None:
    (tmp_path / "demo").mkdir()
    done = witbuild("run", "demo", "--check", cwd=tmp_path)
    assert (done.returncode, done.stdout.startswith("demo: 11 stages: queries, harvest")) == (0, True), done.stderr
    folder = witbuild("run", "./demo", "--check", cwd=tmp_path)
    assert (folder.returncode, "./demo: is a folder, expected a file" in folder.stderr) == (2, True)


def test_until_stops_and_a_later_run_goes_on(recipe: Path) -> None:
    witbuild("run", "toy.yaml", "--until", "count", "--workers", "1", cwd=recipe)
    assert not (recipe / "run/02-odd").exists()
    done = witbuild("run", "toy.yaml", "--workers", "1", cwd=recipe)
    assert done.returncode == 0
    assert "01-count" not in done.stderr


def test_status_of_no_run_is_a_clear_error(tmp_path: Path) -> None:
    done = witbuild("status", "nowhere", cwd=tmp_path)
    assert (done.returncode, "nowhere: not a run directory" in done.stderr) == (1, True)


@pytest.mark.parametrize("name", list(COMMANDS))
def test_every_command_explains_itself(name: str) -> None:
    command = load(name)
    options = {flag for parameter in command.params for flag in parameter.opts}
    own = {"out", "workers", "engine", "again", "restart_from"}
    if name in stage_names():
        assert not own & set(stage_class(name).model_fields), "a parameter has the name of a common option"
        fields = set(stage_class(name).model_fields)
        assert {f"--{field.replace('_', '-')}" for field in fields} <= options
    assert COMMANDS[name][2].endswith(".")


@pytest.mark.parametrize("name", stage_names())
def test_every_parameter_is_documented_and_every_table_known(name: str) -> None:
    stage = stage_class(name)
    silent = [field for field, info in stage.model_fields.items() if not (info.description or "").endswith(".")]
    assert not silent, f"{name}: no sentence under {silent}"
    kinds = {stage.output, *stage.reads, *stage.optional}
    assert {kind for kind in kinds if kind in TABLES}, kinds
    assert stage.__doc__


def test_help_lists_everything_without_loading_a_stage() -> None:
    code = """import sys
sys.argv = ["witbuild", "--help"]
from witbuild.cli import main
try:
    main()
except SystemExit:
    heavy = {"pyarrow", "numpy", "numba", "torch", "pydantic", "aiohttp"}
    print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.rstrip().endswith("[]")
    assert all(name in done.stdout for name in COMMANDS)
