"""Shard: the same tars whatever the parts, slices and workers; every image byte in is an image byte out."""

from __future__ import annotations

import hashlib
import json
import os
import random
import subprocess
import sys
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.fetched import WORDS, Fetched, jpeg, save, some
from witbuild.engine.local import LocalEngine
from witbuild.errors import CorruptPartError, EmptyError, InputError, RecipeError
from witbuild.io import tars
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stages.shard import Shard


def shard(folder: Path, parts: list[list[Fetched]], workers: int = 1, **parameters: Any) -> Path:
    """Save the parts, shard them and return the data set's folder."""
    inputs = save(folder / "in", parts)
    recipe = Recipe(stages=(Shard(**parameters),), inputs=inputs)
    with LocalEngine(workers) as engine:
        run_recipe(recipe, str(folder / "run"), engine)
    return folder / "run" / "dataset"


def content(dataset: Path) -> dict[str, str]:
    files = sorted(path for path in dataset.rglob("*") if path.is_file())
    return {str(path.relative_to(dataset)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def samples(dataset: Path, split: str = "train") -> list[tuple[str, dict[str, bytes]]]:
    out = []
    for path in sorted((dataset / "data").glob(f"{split}-*.tar")):
        for sample in tars.index(str(path)):
            members = {name: tars.read(str(path), extent) for name, extent in sample.members.items()}
            out.append((sample.key, members))
    return out


def dropped(dataset: Path) -> dict[str, int]:
    manifests = [manifest for _, manifest in Run(str(dataset.parent)).manifests()]
    return {reason: rows for manifest in manifests for reason, rows in manifest.dropped.items()}


def cut(pairs: list[Fetched], count: int) -> list[list[Fetched]]:
    return [pairs[i::count] for i in range(count)]


def test_names_members_and_sizes(tmp_path: Path) -> None:
    dataset = shard(tmp_path, cut(some(25), 3), samples_per_shard=10, slices=4)
    assert sorted(content(dataset)) == [
        *(f"data/{name}" for name in ("sizes.json", *(f"train-0000{i}-of-00003.tar" for i in range(3)))),
        "index.json",
        *(f"metadata/train-0000{i}-of-00003.parquet" for i in range(3)),
    ]
    sizes = json.loads((dataset / "data" / "sizes.json").read_text())
    assert sizes == {f"train-0000{i}-of-00003.tar": rows for i, rows in enumerate((10, 10, 5))}
    for name, rows in sizes.items():
        index = tars.index(str(dataset / "data" / name))
        assert len(index) == rows
        assert {tuple(sample.members) for sample in index} == {("jpg", "json", "txt")}


def test_index_says_what_is_there(tmp_path: Path) -> None:
    dataset = shard(tmp_path, [some(12)], samples_per_shard=5, slices=2)
    index = json.loads((dataset / "index.json").read_text())
    train = {"pattern": "data/train-{00000..00002}-of-00003.tar", "shards": 3, "samples": 12}
    assert index["splits"] == {"train": train | {"bytes": sum(row["bytes"] for row in index["shards"])}}
    for row in index["shards"]:
        whole = (dataset / "data" / row["shard"]).read_bytes()
        assert (row["bytes"], row["sha256"]) == (len(whole), hashlib.sha256(whole).hexdigest())


def test_members_hold_the_pair(tmp_path: Path) -> None:
    pairs = some(6)
    pairs[2] = Fetched(
        "http://a.test/ü?a=1&b=2", 'a "dog"\\\u2028 красный', jpeg(99), {"licence": "CC0", "phash": 2**64 - 1}
    )
    found = dict(samples(shard(tmp_path, [pairs], slices=1)))
    assert set(found) == {pair.key for pair in pairs}
    for pair in pairs:
        members = found[pair.key]
        assert members["jpg"] == pair.image
        assert members["txt"].decode() == pair.caption
        record = json.loads(members["json"])
        assert (record["key"], record["url"], record["caption"]) == (pair.key, pair.url, pair.caption)
        assert record["queries"] == [word for word in WORDS if word in pair.caption.split()]
        assert record["page_url"] == "" and record["source_offset"] == -1
    special = json.loads(found[pairs[2].key]["json"])
    assert (special["licence"], special["phash"]) == ("CC0", "f" * 16)


def test_carried_columns_lie_in_the_tar_and_beside_it(tmp_path: Path) -> None:
    carried = '{"photo_id":7,"note":"é \\"q\\""}'
    pairs = [
        Fetched("http://a.test/1", "a dog", jpeg(1), {"carried": carried}),
        Fetched("http://a.test/2", "b", jpeg(2)),
    ]
    dataset = shard(tmp_path, cut(pairs, 1))
    told = {
        json.loads(members["json"])["url"]: json.loads(members["json"])["carried"] for _, members in samples(dataset)
    }
    assert told == {"http://a.test/1": carried, "http://a.test/2": ""}
    rows = [row for path in dataset.glob("metadata/*.parquet") for row in pq.read_table(path).to_pylist()]
    assert {row["url"]: row["carried"] for row in rows} == told


def test_the_sidecar_holds_the_same_records(tmp_path: Path) -> None:
    dataset = shard(tmp_path, cut(some(9), 2), samples_per_shard=5, slices=3)
    for tar in sorted((dataset / "data").glob("*.tar")):
        rows = pq.read_table(dataset / "metadata" / f"{tar.stem}.parquet").to_pylist()
        records = [json.loads(tars.read(str(tar), sample.members["json"])) for sample in tars.index(str(tar))]
        assert [{name: row[name] for name in record} for row, record in zip(rows, records, strict=True)] == records


@pytest.mark.parametrize(("count", "slices", "workers"), [(1, 1, 1), (2, 7, 1), (5, 3, 2), (40, 16, 1)])
def test_tars_do_not_depend_on_parts_order_slices_or_workers(
    tmp_path: Path, count: int, slices: int, workers: int
) -> None:
    pairs = some(40)
    expected = content(shard(tmp_path / "one", [pairs], samples_per_shard=7, slices=2, val_fraction=0.2))
    random.Random(count).shuffle(pairs)
    parameters = {"samples_per_shard": 7, "slices": slices, "val_fraction": 0.2}
    assert content(shard(tmp_path / "other", cut(pairs, count), workers, **parameters)) == expected


def test_the_seed_and_the_pairs_make_the_order(tmp_path: Path) -> None:
    orders = []
    for name, seed in (("a", 1), ("b", 2)):
        orders.append([key for key, _ in samples(shard(tmp_path / name, [some(30)], seed=seed, slices=2))])
    assert sorted(orders[0]) == sorted(orders[1])
    assert orders[0] != orders[1]
    assert [pair.key for pair in some(30)] not in orders


IMAGES = st.lists(st.none() | st.binary(max_size=2000).map(b"\xff\xd8\xff".__add__), min_size=1, max_size=25)


@settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(IMAGES, st.integers(1, 3), st.integers(1, 5), st.integers(1, 8))
def test_image_bytes_in_are_image_bytes_out(
    tmp_path_factory: pytest.TempPathFactory, images: list[bytes | None], parts: int, slices: int, rows: int
) -> None:
    pairs = [Fetched(f"http://a.test/{i}", "a dog", image) for i, image in enumerate(images)]
    expected = {pair.key: pair.image for pair in pairs if pair.image is not None}
    folder = tmp_path_factory.mktemp("shard")
    if not expected:
        with pytest.raises(EmptyError, match="no pair has a stored image"):
            shard(folder, cut(pairs, parts), slices=slices)
        return
    dataset = shard(folder, cut(pairs, parts), slices=slices, samples_per_shard=rows)
    found = samples(dataset)
    assert {key: members["jpg"] for key, members in found} == expected
    assert len(found) == len(expected)
    missing = len(images) - len(expected)
    assert dropped(dataset) == ({"not_fetched": missing} if missing else {})


def test_one_pair_a_key_and_always_the_same_one(tmp_path: Path) -> None:
    pages = [f"http://a.test/page{i}" for i in range(4)]
    same = [Fetched("http://a.test/1.jpg", "a dog", jpeg(1), {"page_url": page}) for page in pages]
    kept = []
    for name, order in (("a", same), ("b", same[::-1])):
        dataset = shard(tmp_path / name, [[one] for one in order], slices=1)
        assert dropped(dataset) == {"same_key": 3}
        kept.append(content(dataset))
    assert kept[0] == kept[1]


def test_an_image_lies_in_one_split_only(tmp_path: Path) -> None:
    pairs = [Fetched(f"http://a.test/{i}", f"dog {i}", jpeg(i // 4)) for i in range(80)]
    dataset = shard(tmp_path, cut(pairs, 3), val_fraction=0.3, slices=5, samples_per_shard=20)
    train, val = ({members["jpg"] for _, members in samples(dataset, split)} for split in ("train", "val"))
    assert train and val and not train & val
    assert len(samples(dataset, "train")) + len(samples(dataset, "val")) == 80
    index = json.loads((dataset / "index.json").read_text())
    assert set(index["splits"]) == {"train", "val"}


def near(number: int) -> list[Fetched]:
    """Five pairs of images whose perceptual hashes differ in two bits from one to the next: near only in a chain."""
    start = random.Random(number).getrandbits(64)
    hashes = [start ^ ((1 << 2 * i) - 1) for i in range(5)]
    return [
        Fetched(f"http://h{i}.test/{number}", f"dog {number} {i}", jpeg(number * 5 + i), {"phash": value})
        for i, value in enumerate(hashes)
    ]


@pytest.mark.parametrize("parts", [1, 4])
def test_near_duplicates_lie_in_one_split_only(tmp_path: Path, parts: int) -> None:
    clusters = [near(number) for number in range(40)]
    pairs = [pair for cluster in clusters for pair in cluster]
    random.Random(parts).shuffle(pairs)
    dataset = shard(tmp_path, cut(pairs, parts), val_fraction=0.3, slices=3, samples_per_shard=50)
    val = {key for key, _ in samples(dataset, "val")}
    counts = [sum(pair.key in val for pair in cluster) for cluster in clusters]
    assert set(counts) == {0, 5}
    assert 3 <= counts.count(5) <= 24
    assert len(val) + len(samples(dataset)) == 200


def test_shards_stay_below_their_bytes(tmp_path: Path) -> None:
    image = b"\xff\xd8\xff" + bytes(200_000)
    pairs = [Fetched(f"http://a.test/{i}", "a dog", image) for i in range(23)]
    dataset = shard(tmp_path, [pairs], max_shard_bytes=1 << 20, slices=2)
    bytes_of = [path.stat().st_size for path in sorted((dataset / "data").glob("*.tar"))]
    assert len(samples(dataset)) == 23
    assert max(bytes_of) <= 1 << 20
    assert len(bytes_of) == 5  # five samples of 0.2 MB fit a shard of 1 MiB


def test_a_sample_larger_than_a_shard_has_its_own(tmp_path: Path) -> None:
    images = [bytes(100), bytes(3 << 20), bytes(100)]
    pairs = [Fetched(f"http://a.test/{i}", "a dog", b"\xff\xd8\xff" + image) for i, image in enumerate(images)]
    dataset = shard(tmp_path, [pairs], max_shard_bytes=1 << 20, slices=1)
    assert {members["jpg"] for _, members in samples(dataset)} == {pair.image for pair in pairs}
    assert any(len(tars.index(str(path))) == 1 for path in (dataset / "data").glob("*.tar"))


def test_mixed_formats_are_refused(tmp_path: Path) -> None:
    pairs = some(3)
    pairs[1] = Fetched("http://a.test/w", "a dog", b"RIFF....WEBP", {"image_format": "webp"})
    with pytest.raises(InputError, match=r"the images are jpg and webp; .* have one format"):
        shard(tmp_path, cut(pairs, 2), slices=2)


def test_an_image_that_is_not_where_it_should_be_is_named(tmp_path: Path) -> None:
    inputs = save(tmp_path / "in", [some(3)])
    path = tmp_path / "in" / "images" / "00000.tar"
    for change, message in (
        (b"\0" + path.read_bytes()[:-1], "no jpg image begins here"),
        (path.read_bytes()[:600], "ends at byte 600"),
    ):
        path.write_bytes(change)
        with LocalEngine(1) as engine, pytest.raises((CorruptPartError, InputError), match=rf"00000\.tar: .*{message}"):
            run_recipe(Recipe(stages=(Shard(slices=1),), inputs=inputs), str(tmp_path / "run"), engine)
        (tmp_path / "run").rename(tmp_path / message)


def test_a_missing_images_part_is_named(tmp_path: Path) -> None:
    inputs = save(tmp_path / "in", cut(some(6), 2))
    (tmp_path / "in" / "images" / "00001.tar").unlink()
    with LocalEngine(1) as engine, pytest.raises(InputError, match="images part 1 and there are 1 such parts"):
        run_recipe(Recipe(stages=(Shard(slices=1),), inputs=inputs), str(tmp_path / "run"), engine)


SCRIPT = """
import os, sys
from pathlib import Path
from tests.stages.test_shard import content, cut, shard
from tests.fetched import some
os.umask(int(sys.argv[2], 8))
print(content(shard(Path(sys.argv[1]), cut(some(30), 3), samples_per_shard=8, slices=3, val_fraction=0.2)))
"""


@pytest.mark.parametrize(
    ("umask", "environment"),
    [
        ("000", {"PYTHONHASHSEED": "1", "TZ": "Asia/Tokyo", "LC_ALL": "tr_TR.UTF-8"}),
        ("077", {"PYTHONHASHSEED": "2", "TZ": "America/St_Johns", "LC_ALL": "C", "PYTHONUTF8": "0"}),
    ],
)
def test_tars_do_not_depend_on_the_machines_settings(tmp_path: Path, umask: str, environment: dict[str, str]) -> None:
    root = Path(__file__).parents[2]
    done = subprocess.run(
        [sys.executable, "-c", SCRIPT, tmp_path / "other", umask],
        env={**os.environ, "PYTHONPATH": str(root), **environment},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    here = content(shard(tmp_path / "here", cut(some(30), 3), samples_per_shard=8, slices=3, val_fraction=0.2))
    assert done.stdout.strip() == str(here)


def test_a_slice_that_is_too_large_says_how_many_are_needed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("witbuild.stages.shard.sort._LARGEST", 9_999)
    with pytest.raises(RecipeError, match=r"slice 0 holds .* use more slices, \d+ times as many"):
        shard(tmp_path, [some(40)], slices=1)
    assert len(samples(shard(tmp_path / "more", [some(40)], slices=9))) == 40


def test_from_and_to_an_object_store(tmp_path: Path) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    here = shard(tmp_path, cut(some(20), 2), samples_per_shard=8, slices=2)
    memory.put(str(tmp_path / "in") + "/", "/shardtest/in/", recursive=True)
    inputs = {name: f"memory://shardtest/in/{name}" for name in ("pairs", "images", "queries")}
    with LocalEngine(1) as engine:
        stages = (Shard(samples_per_shard=8, slices=2),)
        run_recipe(Recipe(stages=stages, inputs=inputs), "memory://shardtest/run", engine)
    memory.get("/shardtest/run/dataset/", str(tmp_path / "there") + "/", recursive=True)
    assert content(tmp_path / "there") == content(here)
