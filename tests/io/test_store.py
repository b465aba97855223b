"""Bytes at rest: whole or not at all, on a disk and on an object store."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest

from witbuild.errors import InputError, MissingExtraError
from witbuild.io import store


@pytest.fixture(params=["disk", "memory"])
def root(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[str]:
    if request.param == "disk":
        yield str(tmp_path / "root")
    else:
        path = f"memory://{uuid.uuid4().hex}"
        yield path
        store.remove(path)


def test_a_committed_file_is_there_with_its_folder(root: str) -> None:
    path = store.join(root, "a", "b.txt")
    store.commit_bytes(path, b"one")
    store.commit_bytes(path, b"two")
    assert (store.read_bytes(path), store.size(path), store.listdir(store.join(root, "a"))) == (b"two", 3, ["b.txt"])


def test_a_failed_commit_leaves_what_was_there(root: str) -> None:
    path = store.join(root, "b.txt")
    store.commit_bytes(path, b"old")

    def fail() -> None:
        with store.commit(path) as partial:
            partial.write_bytes(b"half")
            raise ValueError("planted")

    with pytest.raises(ValueError, match="planted"):
        fail()
    assert store.read_bytes(path) == b"old"
    assert store.listdir(root) == ["b.txt"]


def test_publish_moves_a_local_file(root: str, tmp_path: Path) -> None:
    local = tmp_path / "local"
    local.write_bytes(b"x")
    store.publish(local, store.join(root, "c", "d"))
    assert store.read_bytes(store.join(root, "c", "d")) == b"x"
    assert not local.exists()


def test_expand_finds_files_folders_and_globs(root: str) -> None:
    for name in ("x/1.parquet", "x/2.parquet", "y/3.txt"):
        store.commit_bytes(store.join(root, name), b"")
    names = [path.rsplit("/", 1)[-1] for path in store.expand(root)]
    assert sorted(names) == ["1.parquet", "2.parquet", "3.txt"]
    globbed = store.expand(store.join(root, "x", "*.parquet"))
    assert [path.rsplit("/", 1)[-1] for path in globbed] == ["1.parquet", "2.parquet"]
    assert store.read_bytes(globbed[0]) == b""
    assert store.expand(store.join(root, "z*")) == []


def test_a_missing_file_is_named(root: str) -> None:
    with pytest.raises(InputError, match="no-such"):
        store.read_bytes(store.join(root, "no-such"))
    assert store.listdir(root) == []
    store.remove(store.join(root, "no-such"))


def test_a_scheme_whose_driver_is_absent_says_which_line_brings_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "s3fs", None)
    store._filesystem.cache_clear()
    with pytest.raises(MissingExtraError, match=r"pip install 'witbuild\[s3\]'"):
        store.exists("s3://bucket/x")
    with pytest.raises(InputError, match="no such kind of storage"):
        store.exists("nonsense://x")


_WRITER = """
import sys
from witbuild.io import store
for number in range(10**9):
    store.commit_bytes(sys.argv[1], str(number).encode() * 100_000)
"""


def test_a_reader_never_sees_half_a_file(tmp_path: Path) -> None:
    path = tmp_path / "a"
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).resolve().parents[2])}
    writer = subprocess.Popen([sys.executable, "-c", _WRITER, str(path)], env=environment)
    deadline = time.monotonic() + 300
    seen: set[bytes] = set()
    while len(seen) < 5 and time.monotonic() < deadline:
        if path.exists():
            content = path.read_bytes()
            number = content[: len(content) // 100_000]
            assert content == number * 100_000
            seen.add(number)
    writer.send_signal(signal.SIGKILL)
    writer.wait()
    assert len(seen) == 5
