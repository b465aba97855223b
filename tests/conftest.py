"""What all tests share: the folder of real inputs beside the checkout, and Hypothesis without a stopwatch.

`make test` tries the same examples each time, so that a commit passes or fails the same everywhere; `make fuzz` looks
for new ones.
"""

from __future__ import annotations

import tarfile
from pathlib import Path

import pytest
from hypothesis import settings

# The first example of a test may compile a kernel; machines that run tests are shared.
settings.register_profile("witbuild", deadline=None, derandomize=True)
settings.register_profile("fuzz", deadline=None, max_examples=2_000)
settings.load_profile("witbuild")


@pytest.fixture(scope="session")
def shared() -> Path:
    """The folder of real inputs; tests that want it are skipped where it is not."""
    folder = Path(__file__).parents[2] / "shared" / "data"
    if not folder.is_dir():
        pytest.skip(f"{folder} is not there")
    return folder


@pytest.fixture(scope="session")
def shared_hostile(shared: Path) -> dict[str, bytes]:
    """Name -> content of the files that broke or tried programs."""
    with tarfile.open(shared / "hostile" / "hostile.tar.xz") as archive:
        files = [member for member in archive.getmembers() if member.isfile()]
        return {member.name: stream.read() for member in files if (stream := archive.extractfile(member))}
