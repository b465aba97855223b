"""The demo's web in small, as a recipe: SEED and SIZE are the test module's."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from witbuild.demo.run import write_recipe
from witbuild.demo.serving import Serving
from witbuild.recipe import Recipe


@pytest.fixture(scope="module")
def recipe(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Serve the web while the module's tests run."""
    seed, size = request.module.SEED, request.module.SIZE
    path = tmp_path_factory.mktemp("recipe") / "tiny.yaml"
    with Serving(seed, size) as server:
        write_recipe(str(path), seed, size, server.resolve)
        # the demo gives up on pictures after four seconds: none of so small a web is late unless the machine is
        path.write_text(Recipe.load(str(path)).with_overrides(["fetch.timeout_seconds=60.0"]).to_yaml())
        yield path
