"""The runner hashes what it publishes, but not again what a stage hashed while it wrote."""

from __future__ import annotations

import hashlib
from pathlib import Path

import pytest

from tests.fetched import some
from tests.stages.test_shard import shard
from witbuild.io.manifest import sha256_file
from witbuild.io.run import Run


def test_a_shard_is_hashed_once_and_rightly(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hashed: list[str] = []

    def recorded(path: str) -> str:
        hashed.append(Path(path).name)
        return sha256_file(path)

    monkeypatch.setattr("witbuild.runner.execute.sha256_file", recorded)
    dataset = shard(tmp_path, [some(9)], samples_per_shard=5, slices=1)
    assert "sidecar.parquet" in hashed and "shard" not in hashed
    _, manifest = Run(str(dataset.parent)).newest("tars")
    for file in manifest.files("tars"):
        assert file.sha256 == hashlib.sha256((dataset.parent / file.path).read_bytes()).hexdigest()
    assert len(manifest.files("tars")) == 2
