"""What a fetch takes over from an earlier one: answers that stand, and nothing that another attempt may change."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.fetched import jpeg
from witbuild.io import tables, tars
from witbuild.schema import FETCHES, PAIRS
from witbuild.stages.fetch.journal import AGAIN, Journal
from witbuild.stages.fetch.recall import NOT_OF_THE_URL, recall
from witbuild.text.keys import pair_key


def url(number: int) -> str:
    return f"http://a.test/{number}.jpg"


def part(folder: Path, statuses: list[str], **more: Any) -> list[str]:
    """A part as fetch leaves it: one URL for each status."""
    stored = [number for number, status in enumerate(statuses) if status == "ok"]
    with (folder / "images.tar").open("wb") as stream, tars.TarWriter(stream) as tar:
        offsets = {number: tar.add(f"{number}.jpg", jpeg(number)) for number in stored}
    keys = [pair_key(url(number), "x") for number in range(len(statuses))]
    told = [{"key": keys[i], "url": url(i) + "#top", "status": status} for i, status in enumerate(statuses)]
    shared: dict[str, Any] = {"caption": "x", "caption_source": "alt", "source": "list", "image_format": "jpg"}
    shared |= {"width": 8, "height": 8, "image_part": 0}
    shared |= {
        "original_width": 9,
        "original_height": 9,
        "original_bytes": 99,
        "original_format": "png",
        "pixel_sha256": "ab",
        "phash": 2**63,
    }
    rows = [
        {"key": keys[number], "url": url(number), "original_sha256": f"{number:064x}", **shared, **more}
        | {"image_offset": offsets[number], "image_bytes": len(jpeg(number))}
        for number in stored
    ]
    tables.write(folder / "pairs.parquet", tables.from_rows(rows, PAIRS), dropped={})
    tables.write(folder / "fetches.parquet", tables.from_rows(told, FETCHES), dropped={})
    return [str(folder / name) for name in ("pairs.parquet", "fetches.parquet", "images.tar")]


def recalled(folder: Path, paths: list[str], *, hashes_needed: bool = False) -> Journal:
    with Journal(folder) as journal:
        recall(journal, *paths, hashes_needed=hashes_needed)
    return journal


def test_images_and_lasting_failures_are_taken_over(tmp_path: Path) -> None:
    paths = part(tmp_path, ["ok", "http_404", "ok", "not_an_image"])
    recalled(tmp_path / "scratch", paths)
    with Journal(tmp_path / "scratch") as journal:
        assert {name: one.status for name, one in journal.outcomes.items()} == {
            url(0): "ok", url(1): "http_404", url(2): "ok", url(3): "not_an_image",
        }  # fmt: skip
        image = journal.outcomes[url(2)].image
        assert image is not None and journal.read(image) == jpeg(2)
        assert (image.phash, image.original_width, image.original_sha256) == (2**63, 9, f"{2:064x}")


@pytest.mark.parametrize("status", sorted(AGAIN | NOT_OF_THE_URL))
def test_what_may_end_otherwise_is_asked_again(tmp_path: Path, status: str) -> None:
    recalled(tmp_path / "scratch", part(tmp_path, [status, "ok"]))
    with Journal(tmp_path / "scratch") as journal:
        assert set(journal.outcomes) == {url(1)}


def test_twice_adds_nothing(tmp_path: Path) -> None:
    paths = part(tmp_path, ["ok", "ok", "http_410"])
    recalled(tmp_path / "scratch", paths)
    size = (tmp_path / "scratch" / "spool").stat().st_size
    recalled(tmp_path / "scratch", paths)
    assert (tmp_path / "scratch" / "spool").stat().st_size == size == len(jpeg(0)) + len(jpeg(1))
    assert len((tmp_path / "scratch" / "journal.jsonl").read_text().splitlines()) == 3


def test_where_hashes_judge_an_image_without_any_is_asked_again(tmp_path: Path) -> None:
    paths = part(tmp_path, ["ok"])
    assert not recalled(tmp_path / "a", paths, hashes_needed=True).outcomes
    (tmp_path / "known").mkdir()
    known = part(tmp_path / "known", ["ok"], expected_md5="0" * 32)
    assert recalled(tmp_path / "b", known, hashes_needed=True).outcomes.keys() == {url(0)}
