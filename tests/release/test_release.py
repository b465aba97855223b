"""Release: the same files whatever made the run, and each of them in the hands of those it is for."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
import yaml

from tests.fetched import Fetched, some
from tests.stages.test_shard import content, cut, shard
from tests.stages.test_shard_clients import check, pixels, read_with
from witbuild.errors import InputError, VerificationError
from witbuild.io.manifest import merkle_root
from witbuild.release import release

FILES = ["LICENSES.parquet", "README.md", "about.json", "croissant.json", "datacomp-uids.npy", "manifest.json"]
LICENCES = ("CC0", "https://creativecommons.org/licenses/by/4.0/", "evil | `licence`\n# head")


def pairs(count: int = 40) -> list[Fetched]:
    """Pairs of which every second has one of three licences."""
    made = some(count, side=16)
    return [
        Fetched(one.url, one.caption, one.image, {"licence": LICENCES[i // 2 % 3]} if i % 2 else {})
        for i, one in enumerate(made)
    ]


@pytest.fixture(scope="module", params=["tar", "parquet"])
def dataset(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("release")
    made = shard(folder, cut(pairs(), 2), samples_per_shard=9, slices=2, val_fraction=0.2, format=request.param)
    release(str(made.parent), name="a data set", licence="CC0-1.0", creator="us", published="2026-11-22")
    return made


def test_every_file_is_in_the_manifest(dataset: Path) -> None:
    manifest = json.loads((dataset / "manifest.json").read_text())
    found = content(dataset)
    del found["manifest.json"]
    assert {file["path"]: file["sha256"] for file in manifest["files"]} == found
    assert all(file["bytes"] == (dataset / file["path"]).stat().st_size for file in manifest["files"])
    assert manifest["root"] == merkle_root(found.items())
    assert set(FILES) <= {*found, "manifest.json"}


def test_a_second_release_changes_nothing_and_keeps_what_was_said(dataset: Path) -> None:
    before = content(dataset)
    release(str(dataset))
    assert content(dataset) == before
    release(str(dataset), url="https://a.test/")
    assert json.loads((dataset / "about.json").read_text())["name"] == "a data set"
    assert content(dataset) != before
    (dataset / "about.json").write_text(json.dumps(json.loads((dataset / "about.json").read_text()) | {"url": ""}))
    release(str(dataset))
    assert content(dataset) == before


def test_the_subset_file_holds_every_uid(dataset: Path) -> None:
    found = np.load(dataset / "datacomp-uids.npy")
    assert found.dtype == np.dtype("u8,u8")
    assert [f"{high:016x}{low:016x}" for high, low in found.tolist()] == sorted(pair.key for pair in pairs())


def test_licences_count_and_point_at_the_samples(dataset: Path) -> None:
    by_key = {pair.key: pair.more.get("licence", "") for pair in pairs()}
    index = json.loads((dataset / "index.json").read_text())
    metadata = {row["path"]: pq.read_table(dataset / row["metadata"]) for row in index["shards"]}
    rows = pq.read_table(dataset / "LICENSES.parquet").to_pylist()
    assert sum(row["samples"] for row in rows) == len(by_key)
    for row in rows:
        samples = metadata[row["shard"]].take(row["rows"])
        assert [by_key[key] for key in samples["key"].to_pylist()] == [row["licence"]] * row["samples"]
        assert sum(samples["image_bytes"].to_pylist()) == row["image_bytes"]
    assert {row["licence"] for row in rows} == {"", *LICENCES}


def test_the_card_says_features_and_splits(dataset: Path) -> None:
    _, head, body = (dataset / "README.md").read_text().split("---\n", 2)
    front = yaml.safe_load(head)
    (config,) = front["configs"]
    assert config["config_name"] == front["dataset_info"]["config_name"] == "default"
    splits = {one["name"]: one["num_examples"] for one in front["dataset_info"]["splits"]}
    assert sum(splits.values()) == 40 and set(splits) == {"train", "val"}
    assert {one["split"]: len(list(dataset.glob(one["path"]))) for one in config["data_files"]}.keys() == splits.keys()
    assert "| `CC0` | 7 |" in body and "\n# head" not in body
    assert "| shard.scatter | 40 |" in body


@pytest.mark.parametrize("how", ["stream", "download"])
def test_hugging_face_reads_what_the_card_declares(dataset: Path, how: str) -> None:
    in_rows = list(dataset.glob("data/*.parquet"))
    lines = read_with("datasets", str(dataset), "rows" if in_rows else how)
    check(lines, {pair.key: pair for pair in pairs()})
    assert {line["split"] for line in lines} == {"train", "val"}


def test_mlcroissant_validates_and_loads_every_record(
    dataset: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CROISSANT_CACHE", str(tmp_path))
    issues, *lines = read_with("mlcroissant", str(dataset / "croissant.json"))
    assert issues == {"errors": [], "warnings": issues["warnings"]}
    assert not [text for text in issues["warnings"] if "citeAs" not in text and "schema.org/url" not in text]
    by_key = {pair.key: pair for pair in pairs()}
    assert sorted(line["key"] for line in lines) == sorted(by_key)
    for line in lines:
        pair = by_key[line["key"]]
        assert (line["caption"], line["url"], line["pixels"]) == (pair.caption, pair.url, pixels(pair))
        assert line["licence"] == pair.more.get("licence", "")


def made(folder: Path, parts: list[list[Fetched]], workers: int = 1) -> str:
    numbers: dict[str, Any] = {"samples_per_shard": 9, "slices": 2, "val_fraction": 0.2}
    return release(str(shard(folder, parts, workers, **numbers)))


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_the_root_does_not_depend_on_workers_or_parts(tmp_path: Path, workers: int) -> None:
    expected, shuffled = made(tmp_path / "one", [pairs()]), pairs()
    random.Random(workers).shuffle(shuffled)
    assert made(tmp_path / "other", cut(shuffled, 3), workers) == expected


SCRIPT = """
import os, sys
from pathlib import Path
from tests.release.test_release import cut, made, pairs
os.umask(int(sys.argv[2], 8))
print(made(Path(sys.argv[1]), cut(pairs(), 2)))
"""


@pytest.mark.parametrize(
    ("umask", "environment"),
    [
        ("000", {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"}),
        ("077", {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C", "LANG": "C", "PYTHONUTF8": "0"}),
    ],
)
def test_the_root_does_not_depend_on_the_machines_settings(
    tmp_path: Path, umask: str, environment: dict[str, str]
) -> None:
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path / "other", umask],
        env={**os.environ, "PYTHONPATH": str(Path(__file__).parents[2]), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.strip() == made(tmp_path / "here", cut(pairs(), 2))


def test_a_damaged_shard_is_not_released(tmp_path: Path) -> None:
    dataset = shard(tmp_path, [some(5)], slices=1)
    (path,) = (dataset / "data").glob("*.tar")
    path.write_bytes(path.read_bytes()[:-1] + b"x")
    with pytest.raises(VerificationError, match=r"1 shards are not what index.json says \(first: data/train"):
        release(str(dataset))
    assert not (dataset / "manifest.json").exists()


def test_a_folder_without_a_data_set_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no data set"):
        release(str(tmp_path))


def test_img2datasets_layout_is_released_too(tmp_path: Path) -> None:
    dataset = shard(tmp_path, [pairs()], samples_per_shard=15, slices=2, layout="img2dataset")
    release(str(dataset))
    lines = read_with("datasets", str(dataset), "download")
    assert sorted(line["key"] for line in lines) == sorted(pair.key for pair in pairs())
