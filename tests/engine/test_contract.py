"""What every engine promises; a new engine joins by one line in ENGINES."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest

from witbuild.engine import Engine
from witbuild.engine.local import LocalEngine, available_cores
from witbuild.engine.ray import RayEngine
from witbuild.errors import InputError, MissingExtraError


def ray_engine() -> RayEngine:
    pytest.importorskip("ray")
    return RayEngine(workers=3)


ENGINES: dict[str, Callable[[], AbstractContextManager[Engine]]] = {
    "local 1": lambda: LocalEngine(workers=1),
    "local 3": lambda: LocalEngine(workers=3),
    "ray": ray_engine,
}
MARKED = [pytest.param(name, marks=[pytest.mark.ray] if name == "ray" else []) for name in ENGINES]


@pytest.fixture(params=MARKED)
def engine(request: pytest.FixtureRequest) -> Iterator[Engine]:
    with ENGINES[request.param]() as made:
        yield made


def square(number: int) -> int:
    return number * number


def fail_on_three(number: int) -> int:
    if number == 3:
        raise InputError("planted")
    return number


def lack_an_extra(number: int) -> int:
    error = MissingExtraError(f"task {number}", "train")
    error.add_note("noted")
    raise error


def note(path: str) -> str:
    Path(path).touch()
    time.sleep(0.02)
    return path


def test_every_item_once(engine: Engine) -> None:
    assert sorted(engine.map(square, range(50))) == [n * n for n in range(50)]


def test_nothing_to_do(engine: Engine) -> None:
    assert list(engine.map(square, [])) == []


def test_it_can_be_used_again(engine: Engine) -> None:
    assert sorted(engine.map(square, [1, 2])) == sorted(engine.map(square, [2, 1]))


def test_the_first_error_is_raised_here_unchanged(engine: Engine) -> None:
    with pytest.raises(InputError, match=r"^planted$"):
        list(engine.map(fail_on_three, range(10)))


def test_it_can_be_used_after_an_error(engine: Engine) -> None:
    with pytest.raises(InputError):
        list(engine.map(fail_on_three, range(10)))
    assert sorted(engine.map(square, [1, 2])) == [1, 4]


def test_an_error_keeps_its_text_and_its_notes(engine: Engine) -> None:
    with pytest.raises(MissingExtraError, match=r"^task 7 needs an extra .*witbuild\[train\]'") as caught:
        list(engine.map(lack_an_extra, [7]))
    assert caught.value.__notes__[0] == "noted"


def test_only_a_bounded_number_of_items_is_taken(engine: Engine, tmp_path: Path) -> None:
    taken: list[int] = []

    def items() -> Iterator[str]:
        for index in range(100):
            taken.append(index)
            yield str(tmp_path / str(index))

    results = engine.map(note, items())
    next(results)
    assert len(taken) <= 7


def test_an_error_stops_the_taking(engine: Engine) -> None:
    taken: list[int] = []

    def items() -> Iterator[int]:
        for index in range(1000):
            taken.append(index)
            yield index

    with pytest.raises(InputError):
        list(engine.map(fail_on_three, items()))
    assert len(taken) < 100


def test_cores_are_counted() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)


_PARENT = """
import sys, time
from tests.engine.test_contract import report_and_wait
from witbuild.engine.local import LocalEngine
if __name__ == "__main__":
    with LocalEngine(workers=2) as engine:
        list(engine.map(report_and_wait, sys.argv[1:]))
"""


def report_and_wait(path: str) -> None:
    Path(path).write_text(str(os.getpid()))
    time.sleep(60)


def _alive(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text().rsplit(")", 1)[1].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_workers_die_with_a_killed_parent(tmp_path: Path) -> None:
    script = tmp_path / "parent.py"
    script.write_text(_PARENT)
    files = [tmp_path / "0", tmp_path / "1"]
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    parent = subprocess.Popen([sys.executable, str(script), *map(str, files)], env=environment)
    _wait(lambda: all(file.exists() and file.read_text() for file in files))
    workers = [int(file.read_text()) for file in files]
    parent.kill()
    parent.wait()
    _wait(lambda: not any(map(_alive, workers)))


def _wait(condition: Callable[[], bool], seconds: float = 300) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited too long"
        time.sleep(0.05)


PRELOADING = """
import sys
from witbuild.engine.local import LocalEngine

class Asked:
    preload = ("wave",)

    def __call__(self, name):
        return name in sys.modules

if __name__ == "__main__":
    with LocalEngine(workers=2) as engine:
        print(*engine.map(Asked(), ["wave"] * 4), "wave" in sys.modules)
"""


def test_local_workers_are_forked_with_what_the_first_function_needs(tmp_path: Path) -> None:
    (tmp_path / "asking.py").write_text(PRELOADING)
    done = subprocess.run(
        [sys.executable, str(tmp_path / "asking.py")], capture_output=True, text=True, timeout=300, check=True
    )
    assert done.stdout.split() == ["True"] * 4 + ["False"]
