"""What is kept of a kernel is not found any more when something in another file changed that it is made of."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from numba import njit

from witbuild.text.compiled import made_of
from witbuild.text.simd import bits_set

INNER = """
from witbuild.text.kernels import inner
STEP = {step}
@inner
def more(number):
    return number + {plus} + STEP
"""
OUTER = """
import sys
from witbuild.text.kernels import kernel
import called
from called import more
@kernel
def twice(number):
    return {name}({name}(number))
print(twice(1), sum(twice._cache_hits.values()))
"""


def run(folder: Path, *, step: int, plus: int) -> list[int]:
    """Return what the kernel gives, and how often it was found on the disk."""
    (folder / "called.py").write_text(INNER.format(step=step, plus=plus))
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
    done = subprocess.run(
        [sys.executable, "calling.py"], cwd=folder, env=environment, capture_output=True, text=True, check=True
    )
    return [int(word) for word in done.stdout.split()]


@pytest.mark.parametrize("name", ["more", "called.more"])
def test_found_again_only_while_all_is_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / "calling.py").write_text(OUTER.format(name=name))
    assert run(tmp_path, step=0, plus=1) == [3, 0]
    assert run(tmp_path, step=0, plus=1) == [3, 1]
    assert run(tmp_path, step=0, plus=2) == [5, 0]  # a function of another file
    assert run(tmp_path, step=4, plus=2) == [13, 0]  # a constant of another file
    assert run(tmp_path, step=0, plus=1) == [3, 1]  # what was kept stays


@pytest.mark.parametrize("value", [3, 2.5, b"3", (1, 2), np.arange(3), np.uint64(3)])
def test_constants_count(value: object) -> None:
    def digest(constant: object) -> str:
        made: dict[str, object] = {"CONSTANT": constant}
        exec("def reads():\n    return CONSTANT", made)  # noqa: S102
        return made_of(made["reads"])  # type: ignore[arg-type]

    other = (1, 3) if isinstance(value, tuple) else value + value  # type: ignore[operator]
    assert digest(value) == digest(value)
    assert digest(value) != digest(other)


def test_what_is_written_for_llvm_counts() -> None:
    def digest(called: object) -> str:
        made: dict[str, object] = {"called": called}
        exec("def calls(bits):\n    return called(bits)", made)  # noqa: S102
        return made_of(made["calls"])  # type: ignore[arg-type]

    assert len({digest(bits_set), digest(njit(lambda bits: bits)), digest(njit(lambda bits: bits + 1))}) == 3


def test_what_is_held_around_a_function_counts() -> None:
    def digest(more: int) -> str:
        def adds(number: int) -> int:
            return number + more

        return made_of(adds)  # type: ignore[arg-type]

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)
