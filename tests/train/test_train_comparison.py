"""The stage objectives: every arm is trained and measured on its way, whatever its seed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from tests.train import pictures  # noqa: E402
from witbuild.errors import RecipeError  # noqa: E402
from witbuild.stage import Task  # noqa: E402
from witbuild.train.comparison import Objectives  # noqa: E402

COMMON = {"model": "tiny", "image_size": 32, "batch_size": 64, "epochs": 6, "lr": 3e-3, "warmup": 4, "device": "cpu"}


def rows_of(stage: Objectives, tars: tuple[str, ...], scratch: Path) -> list[dict[str, Any]]:
    tasks = list(stage.plan({"tars": tars}))
    parts = [stage.process(Task(t.index, t.sources, t.arguments, str(scratch / str(t.index)))) for t in tasks]
    assert [task.index for task in tasks] == list(range(len(tasks)))
    return [row for part in parts for row in part.table.to_pylist()]


def test_every_arm_gets_better(tmp_path: Path) -> None:
    tars = (pictures.captioned(tmp_path / "train-0.tar", 320),)
    data = pictures.labelled(tmp_path / "shapes.tar", 64)
    templates = tmp_path / "templates.txt"
    templates.write_text("a {} on paper\n")
    arms: dict[str, dict[str, Any]] = {
        "contrastive": {},
        "transformer": {"model": "tiny-transformer"},
        "words": {"objective": "bow", "vocabulary": 40},
        "captions": {"objective": "virtex", "vocabulary": 40},
    }
    common = COMMON | {"threads": 1}
    stage = Objectives(arms=arms, common=common, seeds=(0,), evaluate_every=12, data=data, templates=str(templates))
    rows = rows_of(stage, tars, tmp_path)
    assert [row["arm"] for row in rows] == [arm for arm in arms for _ in range(3)]
    for arm in arms:
        own = [row for row in rows if row["arm"] == arm]
        steps = [row["step"] for row in own]
        assert steps == sorted(set(steps)) and steps[-1] == 30 and 12 <= steps[0] <= 13
        assert [row["samples_seen"] for row in own] == [step * 64 for step in steps]
        assert [row["seconds"] for row in own] == sorted(row["seconds"] for row in own)
        assert own[-1]["loss"] < own[0]["loss"]
        if arm != "transformer":  # thirty steps teach it little
            assert own[-1]["accuracy"] > 1.5 / 8
    assert {row["objective"] for row in rows} == {"clip", "bow", "virtex"}


def test_what_is_wrong_is_said_before_anything_is_trained(tmp_path: Path) -> None:
    tars = (pictures.captioned(tmp_path / "train-0.tar", 8),)
    with pytest.raises(RecipeError, match="a labelled set"):
        list(Objectives(arms={"a": {}}).plan({"tars": tars}))
    with pytest.raises(ValueError, match="nonsense"):
        list(Objectives(arms={"a": {"nonsense": 1}}, data="x").plan({"tars": tars}))
