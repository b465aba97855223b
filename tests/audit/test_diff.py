"""Two runs side by side; sets of keys, held to Python's."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.made_run import Balanced, Harvested, Listed, make
from witbuild.audit.diff import diff
from witbuild.audit.keysets import Keyed, compare
from witbuild.cli.app import load
from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.stages.shard import Shard

SETS = st.dictionaries(st.integers(0, 2**128 - 1) | st.integers(0, 9), st.sampled_from(["a", "b", None]), max_size=30)


def write(folder: Path, name: str, rows: dict[int, str | None], parts: int) -> Keyed:
    keys = [f"{key:032x}" for key in rows]
    table = pa.table({"key": pa.array(keys, pa.string()), "sha256": pa.array(list(rows.values()), pa.string())})
    paths = [folder / f"{name}-{part}.parquet" for part in range(parts)]
    for part, path in enumerate(paths):
        tables.write(path, table.slice(part * len(keys) // parts, len(keys) // parts + 1), dropped={})
    return Keyed([str(path) for path in paths], "sha256")


@given(SETS, SETS, st.integers(1, 8), st.integers(1, 3))
def test_changes_are_those_of_python_sets(
    tmp_path_factory: pytest.TempPathFactory, old: dict[int, Any], new: dict[int, Any], bucket: int, parts: int
) -> None:
    folder = tmp_path_factory.mktemp("sets")
    found = list(compare(write(folder, "old", old, parts), write(folder, "new", new, parts), bucket))
    both = old.keys() & new.keys()
    assert [key for one in found for key in one.added] == [f"{key:032x}" for key in sorted(new.keys() - old.keys())]
    assert [key for one in found for key in one.removed] == [f"{key:032x}" for key in sorted(old.keys() - new.keys())]
    changed = sorted(key for key in both if old[key] != new[key])
    assert [key for one in found for key in one.changed] == [f"{key:032x}" for key in changed]
    assert sum(one.same for one in found) == len(both) - len(changed)


def a_run(root: Path, limit: int, pairs: int = 20) -> str:
    return make(str(root), Listed(), Harvested(pairs=pairs), Balanced(limit=limit), Shard(slices=1)).root


def keys_of(root: str) -> set[str]:
    return {key for path in Path(root).glob("dataset/metadata/*") for key in pq.read_table(path)["key"].to_pylist()}


def test_a_run_is_equal_to_itself_made_again(tmp_path: Path) -> None:
    found = diff(a_run(tmp_path / "a", 4), a_run(tmp_path / "b", 4))
    assert found.equal and all(step.equal and not step.parameters for step in found.steps)
    assert (found.added, found.removed, found.changed) == (0, 0, 0)
    assert found.same == len(keys_of(str(tmp_path / "a"))) > 0


def test_a_parameter_and_what_came_of_it_are_named(tmp_path: Path) -> None:
    old, new = a_run(tmp_path / "a", 2), a_run(tmp_path / "b", 6)
    found = diff(old, new, str(tmp_path / "keys.parquet"))
    by_name = {step.name: step for step in found.steps}
    assert by_name["balance"].parameters == ["limit: found 2, expected 6"]
    assert by_name["harvest"].equal and not by_name["balance"].equal
    assert by_name["balance"].dropped["over_limit"][0] > by_name["balance"].dropped["over_limit"][1]
    assert (found.added, found.removed) == (len(keys_of(new) - keys_of(old)), 0)
    listed = pq.read_table(tmp_path / "keys.parquet").to_pylist()
    assert {row["key"] for row in listed if row["change"] == "added"} == keys_of(new) - keys_of(old)
    assert not found.equal and set(found.examples["added"]) <= keys_of(new)


def test_runs_that_ended_elsewhere_are_not_compared(tmp_path: Path) -> None:
    short = make(str(tmp_path / "b"), Listed(), Harvested(pairs=3)).root
    with pytest.raises(InputError, match=r"ends with sidecars, .* with pairs"):
        diff(a_run(tmp_path / "a", 2), short)
    with pytest.raises(InputError, match="holds no pairs yet"):
        diff(str(tmp_path / "nothing"), short)


def test_the_command_prints_text_and_json(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    old, new = a_run(tmp_path / "a", 2), a_run(tmp_path / "b", 6)
    load("diff").main([old, new], standalone_mode=False)
    text = capsys.readouterr().out
    assert "limit: found 2, expected 6" in text and "roots differ" in text and "harvest" not in text
    load("diff").main([old, new, "--json"], standalone_mode=False)
    assert json.loads(capsys.readouterr().out)["equal"] is False
