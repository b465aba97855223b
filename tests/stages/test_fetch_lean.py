"""Code that was given back runs again, and takes no memory until it does."""

from __future__ import annotations

import subprocess
import sys

import pytest

CODE = """
from pathlib import Path
from numba import njit
from witbuild.stages.fetch.lean import unmap_code

def held():
    rows = Path("/proc/self/smaps_rollup").read_text().splitlines()
    return next(int(row.split()[1]) for row in rows if row.startswith("Rss:")) / 1024

njit(lambda x: x + 1)(1)
before = held()
assert unmap_code("libllvmlite") > 10_000_000
assert held() < before - 10, (before, held())
assert njit(lambda x: x * 3)(2) == 6
assert unmap_code("no such library") == 0
"""


@pytest.mark.skipif(sys.platform != "linux", reason="looks at /proc")
def test_a_compiler_that_was_given_back_compiles_again() -> None:
    subprocess.run([sys.executable, "-c", CODE], check=True)
