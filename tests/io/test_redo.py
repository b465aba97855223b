"""Files replaced as one: killed at any point, all of them or none."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.killing import Killed, killed_at
from witbuild.errors import InputError
from witbuild.io import redo, store


def contents(root: Path) -> dict[str, str]:
    files = [path for path in root.rglob("*") if path.is_file() and redo.FOLDER not in path.parts]
    return {str(path.relative_to(root)): path.read_text() for path in files}


OLD = {"a": "1", "b/c": "2", "gone": "3"}
NEW = {"a": "new", "b/c": "newer", "d/e": "newest"}


@pytest.fixture
def root(tmp_path: Path) -> Path:
    for name, text in OLD.items():
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).write_text(text)
    return tmp_path


def change(root: Path) -> None:
    with redo.replacing(str(root)) as one:
        for name, text in NEW.items():
            one.write(name, text.encode())
        one.remove("gone")


def test_all_is_replaced(root: Path) -> None:
    change(root)
    assert contents(root) == NEW
    assert not (root / redo.FOLDER).exists() and not redo.pending(str(root))


def test_an_error_before_the_decision_changes_nothing(root: Path) -> None:
    def fails() -> None:
        with redo.replacing(str(root)) as one:
            one.write("a", b"new")
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert contents(root) == OLD and not redo.pending(str(root))


@pytest.mark.parametrize("moment", range(6))
def test_killed_at_any_publication_it_is_finished_by_whoever_comes_next(
    root: Path, moment: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    with killed_at(monkeypatch, moment):
        try:
            change(root)
        except Killed:
            assert redo.pending(str(root))
    redo.finish(str(root))
    assert contents(root) == NEW


def test_killed_before_the_plan_stands_nothing_has_happened(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def dies(path: str, content: bytes) -> None:
        raise Killed

    with monkeypatch.context() as patched:
        patched.setattr(store, "commit_bytes", dies)
        with pytest.raises(Killed):
            change(root)
    redo.finish(str(root))
    assert contents(root) == OLD
    change(root)
    assert contents(root) == NEW


def test_an_object_store_is_refused() -> None:
    with pytest.raises(InputError, match="on a disk only"), redo.replacing("memory://run"):
        pass
