"""The source `commons` against a real MediaWiki, and a whole crawl of it."""

from __future__ import annotations

import io
import json
import tarfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from tests.cli.test_cli import witbuild
from tests.mediawiki import Wiki, installed, mediawiki
from tests.sources.listed import listed
from witbuild.errors import RetryLaterError
from witbuild.sources import commons
from witbuild.stages.harvest import Harvest
from witbuild.web import asking

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not installed(), reason="apt install mediawiki php-cli php-sqlite3 php-gd php-mbstring php-xml"),
]
AGENT = "witbuild-test/0 (+http://contact.test/)"
SQUARES, CIRCLES = 17, 3
LICENCE = "https://creativecommons.org/licenses/by-sa/4.0"


def picture(number: int, kind: str) -> bytes:
    noise = np.random.default_rng(number).integers(0, 255, (12, 16, 3), np.uint8)
    out = io.BytesIO()
    Image.fromarray(noise).resize((640, 480)).save(out, kind)
    return out.getvalue()


def pictures() -> dict[str, tuple[bytes, str]]:
    square = (
        "|ImageDescription.en=A <b>red</b> square &amp; its number {0}\n|ImageDescription.de=Quadrat {0}\n"
        f"|LicenseUrl={LICENCE}\n|LicenseShortName=CC BY-SA 4.0\n|Artist=<a href='http://alice.test'>Alice</a>\n"
        "|Credit=Own work\n" + "padding " * 150
    )
    found = {f"Red_square_{n:02}.jpg": (picture(n, "JPEG"), square.format(n)) for n in range(SQUARES)}
    circle = "|ImageDescription=A blue circle.\n|LicenseShortName=Public domain\n"
    found |= {f"Circle_{n}.png": (picture(100 + n, "PNG"), circle) for n in range(CIRCLES)}
    drawing = b"<svg xmlns='http://www.w3.org/2000/svg' width='10' height='10'/>"
    return {**found, "A_drawing.svg": (drawing, "|ImageDescription=A blue circle, drawn\n")}


@pytest.fixture(scope="module")
def wiki(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wiki]:
    with mediawiki(tmp_path_factory.mktemp("wiki"), pictures()) as wiki:
        yield wiki


@pytest.fixture(autouse=True)
def _own_places(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("witbuild.web.turnstile.places_folder", lambda: tmp_path / "places")


def harvest(wiki: Wiki, queries: tuple[str, ...], **changes: Any) -> tuple[list[dict[str, Any]], dict[str, int]]:
    own = {"user_agent": AGENT, "delay_seconds": 0, "allow_private": True, "search_filter": "", **changes}
    stage = Harvest(source="commons", inputs=("http://wiki.test/w/api.php",), resolve=wiki.resolve, **own)
    rows: list[dict[str, Any]] = []
    dropped: dict[str, int] = {}
    for task in stage.plan({"queries": queries}):
        part = stage.process(task)
        rows += part.table.to_pylist()
        dropped |= part.dropped
    return rows, dropped


def test_exactly_the_pairs_of_the_wiki(wiki: Wiki, tmp_path: Path) -> None:
    rows, dropped = harvest(wiki, (listed(tmp_path, "red square", "circle", "nothing here"),))
    told = [
        (row["caption"], row["caption_source"], row["language"], row["licence"], row["attribution"]) for row in rows
    ]
    wanted: list[tuple[Any, ...]] = []
    for number in range(SQUARES):
        rights = (LICENCE, "Alice, Own work")
        wanted.append((f"A red square & its number {number}", "api", "en", *rights))
        wanted.append((f"Quadrat {number}", "api", "de", *rights))
        wanted.append((f"Red square {number:02}", "title", None, *rights))
    for number in range(CIRCLES):
        wanted.append(("A blue circle.", "api", None, "Public domain", None))
        wanted.append((f"Circle {number}", "title", None, "Public domain", None))
    assert sorted(told, key=str) == sorted(wanted, key=str)
    assert dropped == {"file_type": 1, "no_result": 1}
    assert {(row["width"], row["height"], row["source"]) for row in rows} == {(640, 480, "commons")}
    assert {row["source_file"].partition("?")[2] for row in rows} == {
        "gsrsearch=%22red%20square%22",
        "gsrsearch=circle",
    }
    assert len({row["source_offset"] for row in rows}) == SQUARES + CIRCLES


def test_batches_and_pieces_of_batches_give_the_same(
    wiki: Wiki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = listed(tmp_path, "red square")
    before = len(wiki.requests())
    whole = harvest(wiki, (words,))
    in_one = len(wiki.requests()) - before
    assert in_one > 1, "the wiki gives 4 kB an answer, so that one batch takes several"
    monkeypatch.setattr(commons, "BATCH", 4)
    assert harvest(wiki, (words,)) == whole
    asked = wiki.requests()[before + in_one :]
    assert sum("gsroffset=" in request for request in asked) >= SQUARES // 4


def test_a_limit_ends_the_asking(wiki: Wiki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commons, "BATCH", 4)
    before = len(wiki.requests())
    rows, _ = harvest(wiki, (listed(tmp_path, "red square"),), limit=5)
    assert len(rows) == 5
    assert len(wiki.requests()) - before == 1


@pytest.mark.parametrize("shards", [1, 3])
def test_all_images_by_name(shards: int, wiki: Wiki, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(commons, "BATCH", 6)
    rows, dropped = harvest(wiki, (), listing="allimages", shards=shards)
    names = [row["caption"] for row in rows if row["caption_source"] == "title"]
    assert names == [f"Circle {n}" for n in range(CIRCLES)] + [f"Red square {n:02}" for n in range(SQUARES)]
    assert dropped == {"file_type": 1}


def test_thumbnails(wiki: Wiki, tmp_path: Path) -> None:
    rows, _ = harvest(wiki, (listed(tmp_path, "circle"),), thumbnail_width=120)
    assert {(row["width"], row["height"]) for row in rows} == {(120, 90)}
    assert all("/thumb/" in row["url"] and "120px-" in row["url"] for row in rows)


def test_a_lagging_wiki_is_left_alone_until_it_has_caught_up(wiki: Wiki, tmp_path: Path) -> None:
    (wiki.folder / "lag").touch()
    threading.Timer(2, (wiki.folder / "lag").unlink).start()
    start = time.monotonic()
    rows, _ = harvest(wiki, (listed(tmp_path, "circle"),))
    assert len(rows) == 2 * CIRCLES
    assert time.monotonic() - start >= 5, "MediaWiki asks for five seconds"


def test_a_wiki_that_lags_for_ever_puts_the_work_off(
    wiki: Wiki, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(asking, "MAX_PAUSE_SECONDS", 4)
    (wiki.folder / "lag").touch()
    try:
        with pytest.raises(RetryLaterError, match=r"maxlag, and asks to wait 5 s"):
            harvest(wiki, (listed(tmp_path, "circle"),))
    finally:
        (wiki.folder / "lag").unlink()


def test_a_crawl_by_query_from_list_to_pictures(wiki: Wiki, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("red square\ncircle\ndodo\n")
    made = witbuild("queries", "--lists", "words.txt", "--no-synsets", "--out", "queries.parquet", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    options = [
        "--source", "commons", "--queries", "queries.parquet", "--limit", "10000", "--user-agent", AGENT,
        "--inputs", "http://wiki.test/w/api.php", "--search-filter", "", "--allow-private",
        "--resolve", json.dumps(wiki.resolve), "--delay-seconds", "0", "--shards", "2", "--workers", "2",
    ]  # fmt: skip
    done = witbuild("crawl", *options, "--out", "run", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    rows = [
        row
        for part in sorted((tmp_path / "run").glob("*-fetch.download/pairs/*"))
        for row in pq.read_table(part).to_pylist()
    ]
    captions = [f"A red square & its number {n}" for n in range(SQUARES)] + [
        f"Red square {n:02}" for n in range(SQUARES)
    ]
    captions += ["A blue circle."] * CIRCLES + [f"Circle {n}" for n in range(CIRCLES)]
    assert sorted(row["caption"] for row in rows) == sorted(captions)
    assert all(row["query_ids"] and row["image_bytes"] and row["original_width"] == 640 for row in rows)
    before = len(wiki.requests())
    again = witbuild("crawl", *options, "--out", "run", cwd=tmp_path)
    assert (again.returncode, len(wiki.requests())) == (0, before)


def test_the_recipe_makes_tars_that_name_licence_and_author(wiki: Wiki, tmp_path: Path) -> None:
    (tmp_path / "words.txt").write_text("red square\ncircle\n")
    own = {
        "queries.lists": ["words.txt"], "queries.synsets": False, "harvest.inputs": ["http://wiki.test/w/api.php"],
        "harvest.search_filter": "", "harvest.thumbnail_width": 300, "harvest.delay_seconds": 0,
    }  # fmt: skip
    for name in ("harvest", "fetch"):
        own |= {f"{name}.user_agent": AGENT, f"{name}.resolve": wiki.resolve, f"{name}.allow_private": True}
    settings = [word for name, value in own.items() for word in ("--set", f"{name}={json.dumps(value)}")]
    done = witbuild("run", "commons", "--out", "run", *settings, "--workers", "2", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    samples = []
    for tar in (tmp_path / "run").glob("dataset/**/*.tar"):
        with tarfile.open(tar) as archive:
            members = [member for member in archive.getmembers() if member.name.endswith(".json")]
            samples += [json.load(stream) for member in members if (stream := archive.extractfile(member))]
    told = {(sample["caption"], sample["licence"], sample["attribution"]) for sample in samples}
    wanted = {(f"A red square & its number {n}", LICENCE, "Alice, Own work") for n in range(SQUARES)}
    assert wanted <= told
    assert {licence for _, licence, _ in told} == {LICENCE, "Public domain"}
    assert {sample["original_width"] for sample in samples} == {300}
