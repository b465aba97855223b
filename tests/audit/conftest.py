"""A finished run over a small web, made once: what is asked about here, and what copies of it are changed."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from witbuild.demo.run import run


@pytest.fixture(scope="session")
def demo_run(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of the recipe `demo`, without training; not to be changed."""
    root = tmp_path_factory.mktemp("audited") / "run"
    assert run(str(root), train=False, seed=3, size=60, workers=1).verified
    return root


@pytest.fixture
def a_copy(demo_run: Path, tmp_path: Path) -> Callable[[str], Path]:
    """Makes a copy of the run that may be changed, under a name."""

    def copy(name: str) -> Path:
        return Path(shutil.copytree(demo_run, tmp_path / name))

    return copy
