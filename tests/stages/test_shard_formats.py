"""Shard's other ways out: parquet files with the images in them, and img2dataset's layout."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fetched import some
from tests.stages.test_shard import content, cut, shard
from tests.stages.test_shard_clients import check, read_with
from witbuild.errors import RecipeError
from witbuild.io import tars
from witbuild.recipe import make_stage
from witbuild.sample.record import RECORD


def records(dataset: Path) -> dict[str, dict[str, object]]:
    """Key -> record, from the members of the tars below a folder."""
    out = {}
    for path in sorted(dataset.rglob("*.tar")):
        for sample in tars.index(str(path)):
            out[sample.key] = json.loads(tars.read(str(path), sample.members["json"]))
    return out


def test_parquet_holds_the_images_in_groups_of_a_hundred(tmp_path: Path) -> None:
    pairs = some(230)
    dataset = shard(tmp_path, cut(pairs, 2), samples_per_shard=220, slices=2, format="parquet")
    paths = sorted((dataset / "data").glob("*.parquet"))
    assert [path.name for path in paths] == [f"train-0000{i}-of-00002.parquet" for i in range(2)]
    file = pq.ParquetFile(paths[0])
    assert [file.metadata.row_group(i).num_rows for i in range(file.num_row_groups)] == [100, 100, 20]
    column = file.metadata.row_group(0).column(0)
    assert (column.path_in_schema, column.compression) == ("image.bytes", "UNCOMPRESSED")
    assert column.has_offset_index and column.has_column_index
    assert all(file.metadata.row_group(0).column(i).compression == "ZSTD" for i in range(2, len(RECORD)))
    rows = {row["key"]: row for path in paths for row in pq.read_table(path).to_pylist()}
    assert {key: row["image"]["bytes"] for key, row in rows.items()} == {pair.key: pair.image for pair in pairs}
    assert all(row["image"]["path"] == f"{key}.jpg" for key, row in rows.items())


def test_parquet_and_tars_hold_the_same(tmp_path: Path) -> None:
    numbers: dict[str, Any] = {"samples_per_shard": 8, "slices": 2, "val_fraction": 0.2}
    in_tars = shard(tmp_path / "tar", cut(some(30), 2), **numbers)
    in_rows = shard(tmp_path / "parquet", cut(some(30), 3), workers=2, format="parquet", **numbers)
    rows = [row for path in sorted((in_rows / "data").glob("*.parquet")) for row in pq.read_table(path).to_pylist()]
    assert {row["key"]: {name: row[name] for name in RECORD.names} for row in rows} == records(in_tars)
    for path in sorted((in_tars / "metadata").glob("*.parquet")):
        assert pq.read_table(in_rows / "metadata" / path.name).equals(pq.read_table(path))


def page_starts(path: Path) -> list[str]:
    """Keys of the images of the first row group that stand first in a page: no other image ends just before them."""
    whole, rows = path.read_bytes(), pq.ParquetFile(path).read_row_group(0).to_pylist()
    images = [row["image"]["bytes"] for row in rows]
    places = [whole.index(len(image).to_bytes(4, "little") + image) for image in images]
    before = [b"", *(image[-16:] for image in images)]
    return [
        row["key"] for row, place, end in zip(rows, places, before, strict=False) if whole[place - 16 : place] != end
    ]


def test_pages_are_cut_by_content(tmp_path: Path) -> None:
    """When a row goes, later pages of its row group begin where they did."""
    pairs = some(100, side=200)
    (one,) = (shard(tmp_path / "one", [pairs], slices=1, format="parquet") / "data").glob("*.parquet")
    keys = pq.read_table(one, columns=["key"])["key"].to_pylist()
    left = [pair for pair in pairs if pair.key != keys[1]]
    (other,) = (shard(tmp_path / "other", [left], slices=1, format="parquet") / "data").glob("*.parquet")
    assert len(page_starts(one)) > 3
    assert page_starts(one)[2:] == page_starts(other)[2:]


def test_parquet_in_hugging_face_datasets(tmp_path: Path) -> None:
    pairs = {pair.key: pair for pair in some(40, side=16)}
    dataset = shard(tmp_path, [list(pairs.values())], samples_per_shard=30, slices=2, format="parquet")
    check(read_with("datasets", str(dataset / "data"), "rows"), pairs)


def test_img2datasets_layout(tmp_path: Path) -> None:
    dataset = shard(tmp_path, cut(some(25), 2), samples_per_shard=10, slices=2, layout="img2dataset")
    shards = [f"{i:05d}{end}" for i in range(3) for end in (".parquet", ".tar", "_stats.json")]
    assert sorted(content(dataset)) == [*shards, "index.json", "sizes.json"]
    for number, rows in enumerate((10, 10, 5)):
        stats = json.loads((dataset / f"{number:05d}_stats.json").read_text())
        assert (stats["count"], stats["successes"], stats["status_dict"]) == (rows, rows, {"success": rows})
        index = tars.index(str(dataset / f"{number:05d}.tar"))
        assert [tuple(sample.members) for sample in index] == [("jpg", "json", "txt")] * rows
    theirs = {"url", "caption", "key", "status", "error_message", "width", "height", "exif", "sha256"}
    for record in records(dataset).values():
        assert theirs | {"original_width", "original_height", "uid"} <= set(record)
        assert (record["status"], record["uid"]) == ("success", record["key"])
    table = pq.read_table(dataset / "00000.parquet")
    assert theirs <= set(table.column_names)
    index = json.loads((dataset / "index.json").read_text())
    assert index["splits"]["train"]["pattern"] == "{00000..00002}.tar"
    assert next((row["path"], row["metadata"]) for row in index["shards"]) == ("00000.tar", "00000.parquet")


@pytest.mark.parametrize("layout", ["witbuild", "img2dataset"])
def test_sidecars_say_what_each_sample_takes(tmp_path: Path, layout: str) -> None:
    dataset = shard(tmp_path, [some(13)], samples_per_shard=6, slices=2, layout=layout)
    for row in json.loads((dataset / "index.json").read_text())["shards"]:
        sizes = pq.read_table(dataset / row["metadata"])["tar_bytes"].to_pylist()
        first = [min(sample.members.values()) for sample in tars.index(str(dataset / row["path"]))]
        assert [extent.offset - 512 for extent in first] == [sum(sizes[:i]) for i in range(len(sizes))]
        assert tars.total(sum(sizes)) == (dataset / row["path"]).stat().st_size


def test_shards_of_img2datasets_layout_stay_below_their_bytes(tmp_path: Path) -> None:
    dataset = shard(tmp_path, [some(700)], max_shard_bytes=1 << 20, slices=2, layout="img2dataset")
    assert max(path.stat().st_size for path in dataset.glob("*.tar")) <= 1 << 20
    assert pa.concat_tables([pq.read_table(path) for path in dataset.glob("*.parquet")]).num_rows == 700


@pytest.mark.parametrize("wrong", [{"format": "parquet"}, {"val_fraction": 0.1}])
def test_img2datasets_layout_has_tars_and_one_split(wrong: dict[str, object]) -> None:
    with pytest.raises(RecipeError, match="img2dataset has tars and one split"):
        make_stage("shard", {"layout": "img2dataset", **wrong})
