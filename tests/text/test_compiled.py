"""What is kept of a kernel is not found any more when something in another file changed that it is made of."""

from __future__ import annotations

import fcntl
import os
import subprocess
import sys
from collections import namedtuple
from pathlib import Path

import numpy as np
import pytest
from numba import njit, types

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
WRITTEN = """
from numba import types
from numba.extending import intrinsic
def written(builder, number, kind):
    return builder.add(number, kind({step}))
@intrinsic
def more(context, number):
    def write(context, builder, signature, values):
        return written(builder, values[0], values[0].type)
    return types.int64(types.int64), write
"""


def start(folder: Path) -> subprocess.Popen[str]:
    environment = {**os.environ, "NUMBA_CACHE_DIR": str(folder / "kept"), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.Popen(
        [sys.executable, "calling.py"], cwd=folder, env=environment, stdout=subprocess.PIPE, text=True
    )


def told(started: subprocess.Popen[str]) -> list[int]:
    """Return what the kernel gives, and how often it was found on the disk."""
    out, _ = started.communicate()
    assert started.returncode == 0
    return [int(word) for word in out.split()]


def run(folder: Path, *, step: int, plus: int = 0, called: str = INNER) -> list[int]:
    """Return the same for a version of what the kernel calls."""
    (folder / "called.py").write_text(called.format(step=step, plus=plus))
    return told(start(folder))


@pytest.mark.parametrize("name", ["more", "called.more"])
def test_found_again_only_while_all_is_the_same(tmp_path: Path, name: str) -> None:
    (tmp_path / "calling.py").write_text(OUTER.format(name=name))
    assert run(tmp_path, step=0, plus=1) == [3, 0]
    assert run(tmp_path, step=0, plus=1) == [3, 1]
    assert run(tmp_path, step=0, plus=2) == [5, 0]  # a function of another file
    assert run(tmp_path, step=4, plus=2) == [13, 0]  # a constant of another file
    assert run(tmp_path, step=0, plus=1) == [3, 1]  # what was kept stays


def test_what_writes_for_llvm_counts(tmp_path: Path) -> None:
    (tmp_path / "calling.py").write_text(OUTER.format(name="more"))
    assert run(tmp_path, step=1, called=WRITTEN) == [3, 0]
    assert run(tmp_path, step=1, called=WRITTEN) == [3, 1]
    assert run(tmp_path, step=2, called=WRITTEN) == [5, 0]  # in a plain function that an intrinsic calls


def test_a_kernel_that_calls_one_of_its_file_does_not_wait_for_itself(tmp_path: Path) -> None:
    kernels = (
        "@kernel\ndef one(number):\n    return number + 1\n@kernel\ndef two(number):\n    return one(one(number))\n"
    )
    (tmp_path / "calling.py").write_text(f"from witbuild.text.kernels import kernel\n{kernels}print(two(1), one(2))")
    done = start(tmp_path)
    assert done.communicate(timeout=120)[0].split() == ["3", "3"]


def test_who_has_the_lock_and_does_not_go_on_is_not_waited_for(tmp_path: Path) -> None:
    kernels = "".join(f"@kernel\ndef {name}(number):\n    return number + 1\n" for name in ("one", "two"))
    least = "from witbuild.text import compiled\ncompiled.PATIENCE_SECONDS = 0.5\n"
    (tmp_path / "calling.py").write_text(
        f"{least}from witbuild.text.kernels import kernel\n{kernels}print(one(2), two(2), len(compiled._stuck))"
    )
    with (tmp_path / "calling.py").open("rb") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        assert told(start(tmp_path)) == [3, 3, 1]


def test_processes_that_start_together_compile_once(tmp_path: Path) -> None:
    (tmp_path / "called.py").write_text(INNER.format(step=0, plus=1))
    (tmp_path / "calling.py").write_text(OUTER.format(name="more"))
    started = [start(tmp_path) for _ in range(3)]
    assert sorted(map(told, started)) == [[3, 0], [3, 1], [3, 1]]


@pytest.mark.parametrize("value", [3, 2.5, b"3", (1, 2), np.arange(3), np.uint64(3), types.int64])
def test_constants_count(value: object) -> None:
    def digest(constant: object) -> str:
        made: dict[str, object] = {"CONSTANT": constant}
        exec("def reads():\n    return CONSTANT", made)  # noqa: S102
        return made_of(made["reads"])  # type: ignore[arg-type]

    other = types.int32 if value is types.int64 else (1, 3) if isinstance(value, tuple) else value + value  # type: ignore[operator]
    assert digest(value) == digest(value)
    assert digest(value) != digest(other)


def test_what_is_written_for_llvm_counts() -> None:
    def digest(called: object) -> str:
        made: dict[str, object] = {"called": called}
        exec("def calls(bits):\n    return called(bits)", made)  # noqa: S102
        return made_of(made["calls"])  # type: ignore[arg-type]

    assert len({digest(bits_set), digest(njit(lambda bits: bits)), digest(njit(lambda bits: bits + 1))}) == 3


def test_the_order_of_a_named_tuple_counts() -> None:
    def digest(*fields: str) -> str:
        made: dict[str, object] = {"Known": namedtuple("Known", fields)}  # noqa: PYI024
        exec("def makes(one, other):\n    return Known(one, other)", made)  # noqa: S102
        return made_of(made["makes"])  # type: ignore[arg-type]

    assert digest("first", "second") == digest("first", "second")
    assert digest("first", "second") != digest("second", "first")


def test_the_options_of_what_is_called_count() -> None:
    def digest(**options: bool) -> str:
        made: dict[str, object] = {"called": njit(**options)(_half)}
        exec("def calls(number):\n    return called(number)", made)  # noqa: S102
        return made_of(made["calls"])  # type: ignore[arg-type]

    assert digest(fastmath=True) == digest(fastmath=True)
    assert digest(fastmath=True) != digest()


def _half(number: float) -> float:
    return number / 2


def test_what_an_argument_is_by_default_counts() -> None:
    def digest(value: int) -> str:
        made: dict[str, object] = {"VALUE": value}
        exec("def adds(number, more=VALUE):\n    return number + more", made)  # noqa: S102
        return made_of(made["adds"])  # type: ignore[arg-type]

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)


def test_what_is_held_around_a_function_counts() -> None:
    def digest(more: int) -> str:
        def adds(number: int) -> int:
            return number + more

        return made_of(adds)  # type: ignore[arg-type]

    assert digest(1) == digest(1)
    assert digest(1) != digest(2)
