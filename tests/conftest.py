"""What all tests share: the folder of real inputs beside the checkout, and Hypothesis without a stopwatch."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings

# The first example of a test may compile a kernel; machines that run tests are shared.
settings.register_profile("witbuild", deadline=None)
settings.load_profile("witbuild")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs; tests that want it are skipped where it is not."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder
