"""The options that choose the engine."""

from __future__ import annotations

import pytest

from witbuild.cli.where import Where
from witbuild.engine.local import LocalEngine
from witbuild.errors import RecipeError


def test_the_default_is_this_machine() -> None:
    values = {"workers": 3, "engine": "local", "address": "", "task_cpus": 1.0, "task_memory": 0.0, "out": "run"}
    engine = Where.given(values).open()
    assert isinstance(engine, LocalEngine)
    assert engine.workers == 3


def test_an_unknown_engine_is_refused() -> None:
    with pytest.raises(RecipeError, match="--engine spark: expected local or ray"):
        Where(engine="spark").open()


@pytest.mark.parametrize(
    ("where", "option"),
    [
        (Where(address="auto"), "--address"),
        (Where(task_memory=2), "--task-memory"),
        (Where(task_cpus=2), "--task-cpus"),
    ],
)
def test_what_only_ray_is_told_is_refused_elsewhere(where: Where, option: str) -> None:
    with pytest.raises(RecipeError, match=f"{option} is for --engine ray"):
        where.open()
