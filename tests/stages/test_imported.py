"""A finished img2dataset download taken over: its bytes, its records, its failures; and all that can follow."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fetched import WORDS, jpeg, save, some
from witbuild.audit.explain import explain
from witbuild.cli.app import load
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError
from witbuild.io import tables, tars
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stage import Stage
from witbuild.stages.dedup import Dedup
from witbuild.stages.imported import Img2dataset
from witbuild.stages.shard import Shard

FAILED = {3: "HTTP Error 404: Not Found", 4: "<urlopen error timed out>"}


def download(folder: Path, *, parquet: bool = True) -> dict[str, bytes]:
    """Two shards as img2dataset 1.45 leaves them; URL -> image bytes."""
    folder.mkdir()
    out = {}
    for shard in range(2):
        rows: list[dict[str, Any]] = []
        with (folder / f"{shard:05d}.tar").open("wb") as stream, tars.TarWriter(stream) as tar:
            for i in range(6):
                number = shard * 6 + i
                row = record(f"{shard:05d}{i:04d}", number, FAILED.get(number))
                rows.append(row)
                if row["status"] == "success":
                    image = b"\xff\xd8\xff broken" if number == 7 else jpeg(number, 64)
                    out[row["url"]] = image
                    tar.add(f"{row['key']}.jpg", image)
                    tar.add(f"{row['key']}.json", json.dumps(row).encode())
                    tar.add(f"{row['key']}.txt", (row["caption"] or "").encode())
        if parquet:
            pq.write_table(pa.Table.from_pylist(rows), folder / f"{shard:05d}.parquet")
        (folder / f"{shard:05d}_stats.json").write_text("{}")
    return out


def record(key: str, number: int, error: str | None) -> dict[str, Any]:
    return {
        "url": f"http://a.test/{number}.jpg",
        "caption": None if number == 9 else f"a {WORDS[number % 8]}  thing",
        "key": key,
        "status": "failed_to_download" if error else "success",
        "error_message": error,
        "width": None if error else 64,
        "height": None if error else 64,
        "original_width": None if error else 640,
        "original_height": None if error else 640,
        "exif": None if error else "{}",
        "sha256": None if error else hashlib.sha256(str(number).encode()).hexdigest(),
    }


def carry_out(root: Path, *stages: Stage) -> Run:
    with LocalEngine(1) as engine:
        return run_recipe(Recipe(stages=stages), str(root), engine)


def pairs_of(run: Run) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = tables.read_all(run.paths(run.newest("pairs")[1], "pairs")).to_pylist()
    return rows


def test_pairs_images_and_failures_are_taken_over(tmp_path: Path) -> None:
    images = download(tmp_path / "got")
    run = carry_out(tmp_path / "run", Img2dataset(folder=str(tmp_path / "got")))
    _, manifest = run.newest("fetches")
    paths = run.paths(manifest, "images")
    rows = {row["url"]: row for row in pairs_of(run)}
    assert len(rows) == 8
    for url, row in rows.items():
        extent = tars.Extent(row["image_offset"], row["image_bytes"])
        assert tars.read(paths[row["image_part"]], extent) == images[url]
        assert (row["width"], row["original_width"], row["image_format"]) == (64, 640, "jpg")
        assert row["phash"] is not None and len(row["pixel_sha256"]) == 64
        number = int(url.rpartition("/")[2].partition(".")[0])
        assert row["original_sha256"] == hashlib.sha256(str(number).encode()).hexdigest()
        assert row["caption"] == f"a {WORDS[number % 8]} thing"
    reasons = dict(manifest.dropped)
    assert (reasons["http_404"], reasons["failed_to_download"], reasons["no_caption"]) == (1, 1, 1)
    assert sum(reasons.values()) == 4
    fetches = tables.read_all(run.paths(manifest, "fetches")).to_pylist()
    assert len(fetches) == 12
    assert {row["http_status"] for row in fetches if row["status"] == "http_404"} == {404}
    assert Path(paths[0]).samefile(tmp_path / "got" / "00000.tar"), "the bytes are not written again"


def test_without_the_parquet_files_the_records_in_the_tars_do(tmp_path: Path) -> None:
    download(tmp_path / "got", parquet=False)
    run = carry_out(tmp_path / "run", Img2dataset(folder=str(tmp_path / "got")))
    assert len(pairs_of(run)) == 8


def test_every_stage_can_follow(tmp_path: Path) -> None:
    images = download(tmp_path / "got")
    run = carry_out(tmp_path / "run", Img2dataset(folder=str(tmp_path / "got")), Dedup(slices=2), Shard(slices=1))
    records = [
        row for path in run.paths(run.newest("sidecars")[1], "sidecars") for row in pq.read_table(path).to_pylist()
    ]
    assert len(records) == 8 and {row["url"] for row in records} < images.keys()
    told = explain(run.root, records[0]["key"])
    assert told.place is not None and told.fetches[0]["status"] == "ok"


def test_our_own_layout_comes_back_as_it_went_out(tmp_path: Path) -> None:
    inputs = save(tmp_path / "in", [some(20, 32)])
    recipe = Recipe(stages=(Shard(layout="img2dataset", samples_per_shard=6, slices=1),), inputs=inputs)
    with LocalEngine(1) as engine:
        run_recipe(recipe, str(tmp_path / "out"), engine)
    run = carry_out(tmp_path / "run", Img2dataset(folder=str(tmp_path / "out" / "dataset")))
    back = {row["key"]: row for row in pairs_of(run)}
    assert back.keys() == {pair.key for pair in some(20)}
    paths = run.paths(run.newest("images")[1], "images")
    for pair in some(20, 32):
        row = back[pair.key]
        extent = tars.Extent(row["image_offset"], row["image_bytes"])
        assert tars.read(paths[row["image_part"]], extent) == pair.image


def test_what_is_no_such_folder_is_said(tmp_path: Path) -> None:
    (tmp_path / "x").mkdir()
    (tmp_path / "x" / "0.txt").write_text("")
    with pytest.raises(InputError, match="no tars; expected the output of img2dataset"):
        carry_out(tmp_path / "run", Img2dataset(folder=str(tmp_path / "x")))
    pq.write_table(pa.table({"URL": ["http://a.test/"]}), tmp_path / "x" / "0.parquet")
    with (tmp_path / "x" / "0.tar").open("wb") as stream, tars.TarWriter(stream):
        pass
    with pytest.raises(InputError, match="its records have URL; expected url, caption, key and status"):
        carry_out(tmp_path / "other", Img2dataset(folder=str(tmp_path / "x")))


def test_the_command(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    download(tmp_path / "got")
    arguments = ["img2dataset", str(tmp_path / "got"), "--out", str(tmp_path / "run"), "--workers", "1"]
    load("import").main(arguments, standalone_mode=False)
    assert len(pairs_of(Run(str(tmp_path / "run")))) == 8
