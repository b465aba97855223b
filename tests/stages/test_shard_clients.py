"""The tars in the hands of those they are for: GNU tar, webdataset, open_clip's loader, Hugging Face datasets."""

from __future__ import annotations

import hashlib
import importlib.util
import io
import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.fetched import Fetched, save, some
from witbuild.engine.local import LocalEngine
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stages.shard import Shard

COUNT = 60


@pytest.fixture(scope="module")
def pairs() -> dict[str, Fetched]:
    """By key; among them texts that readers stumble over, known and unknown fields, and a pair without a query."""
    found = some(COUNT, side=16)
    found[3] = Fetched(found[3].url, 'eine "Straße" \\ 日本 \u2028', found[3].image)
    found[4] = Fetched(found[4].url, found[4].caption, found[4].image, {"licence": "CC0", "source_offset": 2**40})
    return {pair.key: pair for pair in found}


@pytest.fixture(scope="module")
def dataset(tmp_path_factory: pytest.TempPathFactory, pairs: dict[str, Fetched]) -> Path:
    folder, every = tmp_path_factory.mktemp("clients"), list(pairs.values())
    recipe = Recipe(
        stages=(Shard(samples_per_shard=16, slices=3, val_fraction=0.2),),
        inputs=save(folder / "in", [every[:20], every[20:]]),
    )
    with LocalEngine(1) as engine:
        run_recipe(recipe, str(folder / "run"), engine)
    return folder / "run" / "dataset"


def pattern(dataset: Path, split: str) -> str:
    splits = json.loads((dataset / "index.json").read_text())["splits"]
    return str(dataset / splits[split]["pattern"])


def read_with(client: str, *arguments: str) -> list[dict[str, Any]]:
    """Run a client in a process of its own: its warnings and open files are its own affair."""
    if importlib.util.find_spec({"open_clip": "open_clip_train"}.get(client, client)) is None:
        pytest.skip(f"{client} is not installed")
    script = Path(__file__).with_name("read_with.py")
    environment = {**os.environ, "HF_HUB_OFFLINE": "1", "HF_DATASETS_OFFLINE": "1"}
    done = subprocess.run(
        [sys.executable, script, client, *arguments], capture_output=True, text=True, env=environment, check=False
    )
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


def pixels(pair: Fetched) -> str:
    return hashlib.sha256(np.asarray(Image.open(io.BytesIO(pair.image or b""))).tobytes()).hexdigest()


def check(lines: list[dict[str, Any]], pairs: dict[str, Fetched]) -> None:
    """Hold what a client read to what was put in: every pair, once."""
    assert sorted(line["key"] for line in lines) == sorted(pairs)
    for line in lines:
        pair, record = pairs[line["key"]], line["record"]
        assert (line["text"], line["pixels"]) == (pair.caption, pixels(pair))
        assert (record["key"], record["caption"], record["url"]) == (pair.key, pair.caption, pair.url)
        assert record["licence"] == pair.more.get("licence", "")


def test_gnu_tar(dataset: Path, pairs: dict[str, Fetched]) -> None:
    names: list[str] = []
    for path in sorted((dataset / "data").glob("*.tar")):
        names += subprocess.run(["tar", "tf", path], check=True, capture_output=True, text=True).stdout.split()
    assert {name.split(".")[0] for name in names} == set(pairs)
    assert [name.partition(".")[2] for name in names] == ["jpg", "json", "txt"] * COUNT


def test_webdataset(dataset: Path, pairs: dict[str, Fetched]) -> None:
    lines = [line for split in ("train", "val") for line in read_with("webdataset", pattern(dataset, split))]
    check(lines, pairs)


def test_open_clip(dataset: Path, pairs: dict[str, Fetched]) -> None:
    sizes, *lines = read_with("open_clip", pattern(dataset, "train"), pattern(dataset, "val"))
    shards = len(list((dataset / "data").glob("train-*.tar")))
    assert sizes["train"] == [COUNT - sizes["val"], shards]
    by_caption = {pair.caption: pixels(pair) for pair in pairs.values()}
    assert all(by_caption[line["text"]] == line["pixels"] for line in lines)
    train, val = ([line["text"] for line in lines if line["split"] == split] for split in ("train", "val"))
    assert sorted([*train, *val]) == sorted(by_caption)
    assert (len(train), len(val)) == (sizes["train"][0], sizes["val"])


@pytest.mark.parametrize("how", ["stream", "download"])
def test_hugging_face_datasets(dataset: Path, pairs: dict[str, Fetched], how: str) -> None:
    lines = read_with("datasets", str(dataset), how)
    check(lines, pairs)
    assert {line["split"] for line in lines} == {"train", "val"}
