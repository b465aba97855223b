"""Decontamination: planted test images and captions are found in every form of set, and counted for each."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from witbuild.audit.explain import explain
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError, RecipeError
from witbuild.image.prepare import Plan, prepare
from witbuild.io import tables, tars
from witbuild.io.run import Run
from witbuild.recipe import Recipe, make_stage
from witbuild.runner import run_recipe
from witbuild.schema import PAIRS
from witbuild.stages.decontaminate import Decontaminate
from witbuild.stages.decontaminate.read import set_name
from witbuild.text.keys import pair_key


def picture(number: int, side: int = 200, quality: int = 95) -> bytes:
    """A smooth picture of its own, in any size and quality."""
    coarse = np.random.default_rng(number).integers(0, 256, (6, 6, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(coarse).resize((side, side), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=quality)
    return stream.getvalue()


def pair(number: int, caption: str, *, fetched: bool = True) -> dict[str, Any]:
    url = f"http://a.test/{number}.jpg"
    row: dict[str, Any] = {"key": pair_key(url, caption), "url": url, "caption": caption}
    row |= {"caption_source": "alt", "source": "site"}
    return row | ({"phash": prepare(picture(number), Plan()).phash} if fetched else {})


LONG = "A photograph of seven red boats on a lake"
PAIRS_ = [
    *(pair(number, f"picture of something with number {number}") for number in range(20)),
    pair(30, "a PHOTOGRAPH of seven red boats -- on a lake!"),
    pair(31, "a dog"),
    pair(32, "picture without an image that is known yet", fetched=False),
]


@pytest.fixture
def inputs(tmp_path: Path) -> dict[str, str]:
    (tmp_path / "pairs").mkdir()
    for part, rows in enumerate((PAIRS_[:8], PAIRS_[8:])):
        table = tables.from_rows(rows, PAIRS)
        tables.write(tmp_path / "pairs" / f"{part:05d}.parquet", table, dropped={})
    return {"pairs": str(tmp_path / "pairs")}


@pytest.fixture
def sets(tmp_path: Path) -> dict[str, str]:
    """The pictures 3 and 4 in a folder, smaller and worse; 4 and 5 in a tar, with captions; 6 and a text in a list."""
    folder = tmp_path / "ImageNet-V2" / "n01"
    folder.mkdir(parents=True)
    for number in (3, 4):
        (folder / f"{number}.JPG").write_bytes(picture(number, 96, 60))
    (folder / "broken.jpg").write_bytes(b"\xff\xd8\xff broken")
    (folder / "notes.md").write_text("not part of it")
    with (tmp_path / "coco.tar").open("wb") as stream, tars.TarWriter(stream) as tar:
        tar.add("0.jpg", picture(4, 120))
        tar.add("0.txt", LONG.encode())
        tar.add("1.jpg", picture(5, 120))
        tar.add("1.txt", b"a dog")
    (tmp_path / "hashes.txt").write_text(f"# known\n{prepare(picture(6), Plan()).phash:016x}\ncaption {LONG}\n")
    return {name: str(tmp_path / name) for name in ("ImageNet-V2", "coco.tar", "hashes.txt")}


def carry_out(root: Path, inputs: dict[str, str], *paths: str, **more: Any) -> Run:
    with LocalEngine(1) as engine:
        return run_recipe(Recipe(stages=(Decontaminate(sets=paths, **more),), inputs=inputs), str(root), engine)


def kept(run: Run) -> set[str]:
    return set(tables.read_all(run.paths(run.newest("pairs")[1], "pairs"))["key"].to_pylist())


def written(run: Run) -> list[tuple[str, str, str]]:
    paths = run.paths(run.newest("contaminated")[1], "contaminated")
    rows = [row for path in paths for row in pq.read_table(path).to_pylist()]
    numbers = {row["key"]: row["url"].rpartition("/")[2] for row in PAIRS_}
    return sorted((numbers[row["key"]], row["set"], row["by"]) for row in rows)


EVERYTHING = [
    ("3.jpg", "imagenet_v2", "image"),
    ("30.jpg", "coco", "caption"),
    ("30.jpg", "hashes", "caption"),
    ("4.jpg", "coco", "image"),
    ("4.jpg", "imagenet_v2", "image"),
    ("5.jpg", "coco", "image"),
    ("6.jpg", "hashes", "image"),
]


def test_what_stands_in_a_set_is_dropped_and_counted_for_each(
    tmp_path: Path, inputs: dict[str, str], sets: dict[str, str]
) -> None:
    run = carry_out(tmp_path / "run", inputs, *sets.values())
    assert written(run) == EVERYTHING
    _, manifest = run.newest("contaminated")
    assert manifest.dropped == {
        "eval_coco_caption": 1, "eval_coco_image": 1, "eval_hashes_image": 1, "eval_imagenet_v2_image": 2,
    }  # fmt: skip
    gone = {PAIRS_[number]["key"] for number in (3, 4, 5, 6, 20)}
    assert kept(run) == {row["key"] for row in PAIRS_} - gone
    assert sum(run.manifests()[0][1].dropped.values()) == 1, "the picture that is broken"


def test_a_dropped_pair_is_explained_and_nothing_is_left_behind(
    tmp_path: Path, inputs: dict[str, str], sets: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    run = carry_out(tmp_path / "run", inputs, sets["coco.tar"])
    (tmp_path / "empty").mkdir()
    monkeypatch.chdir(tmp_path / "empty")
    assert explain(run.root, PAIRS_[5]["key"]).verdict == "dropped by 02-decontaminate.hold: eval_coco_image"
    assert not list(Path().iterdir())


def test_flagging_writes_the_same_and_drops_nothing(
    tmp_path: Path, inputs: dict[str, str], sets: dict[str, str]
) -> None:
    run = carry_out(tmp_path / "run", inputs, *sets.values(), action="flag")
    assert written(run) == EVERYTHING
    assert kept(run) == {row["key"] for row in PAIRS_}


def test_captions_count_only_where_they_are_asked_for_and_long_enough(
    tmp_path: Path, inputs: dict[str, str], sets: dict[str, str]
) -> None:
    coco = sets["coco.tar"]
    assert "caption" not in {by for _, _, by in written(carry_out(tmp_path / "a", inputs, coco, captions=False))}
    short = written(carry_out(tmp_path / "b", inputs, coco, min_caption_words=1))
    assert ("31.jpg", "coco", "caption") in short


def test_the_content_of_a_set_is_part_of_the_identity(
    tmp_path: Path, inputs: dict[str, str], sets: dict[str, str]
) -> None:
    first = carry_out(tmp_path / "a", inputs, sets["hashes.txt"]).manifests()
    Path(sets["hashes.txt"]).write_text("0000000000000000\n")
    second = carry_out(tmp_path / "b", inputs, sets["hashes.txt"]).manifests()
    assert first[-1][1].fingerprint != second[-1][1].fingerprint


def test_a_set_that_is_none_is_refused(tmp_path: Path, inputs: dict[str, str]) -> None:
    (tmp_path / "list.txt").write_text("0123456789abcdef\nnonsense\n")
    with pytest.raises(InputError, match=r"list.txt:2: found 'nonsense', expected 16 hexadecimal digits"):
        carry_out(tmp_path / "a", inputs, str(tmp_path / "list.txt"))
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "x.md").write_text("")
    with pytest.raises(InputError, match="no images, texts, tars or list of hashes"):
        carry_out(tmp_path / "b", inputs, str(tmp_path / "empty"))
    with pytest.raises(RecipeError, match="sets"):
        make_stage("decontaminate", {"sets": []})


@pytest.mark.parametrize(("path", "name"), [("a/b.c.tar", "b"), ("x-y/", "x_y"), ("s3://b/Flickr30k", "flickr30k")])
def test_a_set_is_known_by_its_name(path: str, name: str) -> None:
    assert set_name(path) == name
