"""The demo's web in small, as a recipe: SEED and SIZE are the test module's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from witbuild.demo.run import write_recipe
from witbuild.demo.serving import Serving


@pytest.fixture(scope="module")
def recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve the web while the module's tests run."""
    seed, size = request.module.SEED, request.module.SIZE
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    with Serving(seed, size) as server:
        write_recipe(str(path), seed, size, server.resolve)
        yield path
