"""Fetch: every pair accounted for, the same bytes whatever the network's order, nothing done twice."""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.fetched import jpeg
from tests.server import EVILS, Behaviour, Reply, Site, evil_pages, redirect
from witbuild.engine.local import LocalEngine
from witbuild.errors import PolicyError
from witbuild.io import tables, tars
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.schema import PAIRS
from witbuild.stage import Part, Task
from witbuild.stages.fetch.download import Download
from witbuild.stages.fetch.stage import Fetch
from witbuild.text.keys import pair_key

AGENT = "witbuild-test/0 (+http://contact.test/)"
QUICK: dict[str, Any] = {"timeout_seconds": 60.0, "retries": 0, "max_delay_seconds": 0.1, "user_agent": AGENT}
JPEG = {"Content-Type": "image/jpeg", "ETag": '"1"'}


def pair(url: str, caption: str = "a picture", **more: Any) -> dict[str, Any]:
    return {
        "key": pair_key(url, caption), "url": url, "caption": caption, "caption_source": "alt", "source": "list",
        **more,
    }  # fmt: skip


def save(folder: Path, parts: list[list[dict[str, Any]]]) -> str:
    folder.mkdir(parents=True)
    for index, rows in enumerate(parts):
        tables.write(folder / f"{index:05d}.parquet", tables.from_rows(rows, PAIRS), dropped={})
    return str(folder)


def process(folder: Path, rows: list[dict[str, Any]], stage: Download) -> Part:
    """Do the only task of a download over one part."""
    folder.mkdir(exist_ok=True)
    path = folder / "pairs.parquet"
    table = tables.from_rows(rows, PAIRS)
    tables.write(path, table, dropped={}, row_groups=(len(rows),))
    return stage.process(Task(0, {"pairs": (str(path),)}, {"slice": 0}, str(folder / "scratch")))


def download(site: Site, *hosts: str, **parameters: Any) -> Download:
    return Download(**{**QUICK, "allow_private": True, "resolve": site.resolve("a.test", *hosts), **parameters})


def fetches(part: Part) -> dict[str, str]:
    table = pq.read_table(part.files["fetches"])
    return dict(zip(table["url"].to_pylist(), table["status"].to_pylist(), strict=True))


def test_every_pair_is_stored_or_dropped_with_its_reason(tmp_path: Path) -> None:
    pages: dict[str, Reply | Behaviour] = {
        "/robots.txt": Reply(b"User-agent: *\nDisallow: /private/"),
        "/good.jpg": Reply(jpeg(1, 300), headers=JPEG),
        "/moved.jpg": redirect("/good.jpg"),
        "/private/x.jpg": Reply(jpeg(2)),
        "/page.jpg": Reply(b"<html>no picture</html>", headers={"Content-Type": "image/jpeg"}),
        "/noai.jpg": Reply(jpeg(3), headers={"X-Robots-Tag": "noai, noimageai"}),
        "/cut.jpg": Reply(jpeg(4, 300)[:-900]),
        "/mislabelled.jpg": Reply(jpeg(5), headers={"Content-Type": "text/html"}),
    }
    with Site(pages) as site:
        names = [*pages, "/gone.jpg"]
        rows = [pair(f"http://a.test{name}") for name in names if name != "/robots.txt"]
        rows += [pair("http://a.test/good.jpg", "closed by its page", opt_out="noai")]
        rows += [pair("http://nowhere.invalid/x.jpg"), pair("http://blocked.a.test/x.jpg"), pair("gopher://a.test/")]
        part = process(tmp_path, rows, download(site, block_hosts=("blocked.a.test",)))
    assert part.dropped == {
        "robots": 1, "not_an_image": 1, "opt_out_header": 1, "image_truncated": 1, "http_404": 1, "opt_out_page": 1,
        "dns": 1, "blocked_host": 1, "bad_url": 1,
    }  # fmt: skip
    assert part.table.num_rows + sum(part.dropped.values()) == len(rows)
    assert sorted(part.table["url"].to_pylist()) == [
        f"http://a.test/{name}.jpg" for name in ("good", "mislabelled", "moved")
    ]
    told = pq.read_table(part.files["fetches"]).to_pylist()
    assert [row["key"] for row in told] == sorted(row["key"] for row in rows)
    moved = next(row for row in told if row["url"] == "http://a.test/moved.jpg")
    assert (moved["final_url"], moved["mime"], moved["etag"]) == ("http://a.test/good.jpg", "image/jpeg", '"1"')
    refused = next(row for row in told if row["url"] == "http://a.test/noai.jpg")
    assert (refused["status"], refused["signals"]) == ("opt_out_header", "noai,noimageai")


def test_the_columns_lead_to_the_stored_image(tmp_path: Path) -> None:
    body = jpeg(1, 300)
    with Site({"/x.jpg": Reply(body)}) as site:
        part = process(tmp_path, [pair("http://a.test/x.jpg#top")], download(site, size=64))
    (row,) = part.table.to_pylist()
    tar = str(part.files["images"])
    (sample,) = tars.index(tar)
    assert sample.key == row["key"]
    assert sample.members[row["image_format"]] == (row["image_offset"], row["image_bytes"])
    assert tars.read(tar, tars.Extent(row["image_offset"], row["image_bytes"]))[:3] == b"\xff\xd8\xff"
    assert row["original_sha256"] == hashlib.sha256(body).hexdigest()
    assert (row["width"], row["height"], row["original_width"], row["original_bytes"]) == (64, 64, 300, len(body))
    assert row["original_format"] == "jpg"


def test_pairs_that_share_a_url_share_one_download_and_one_image(tmp_path: Path) -> None:
    with Site({"/x.jpg": Reply(jpeg(1))}) as site:
        rows = [pair("http://a.test/x.jpg", f"caption {i}") for i in range(5)]
        part = process(tmp_path, [*rows, rows[0]], download(site))
        assert site.hits["http://a.test/x.jpg"] == 1
    assert part.table.num_rows == 6
    assert len(set(part.table["image_offset"].to_pylist())) == 1
    assert [sample.key for sample in tars.index(str(part.files["images"]))] == [min(row["key"] for row in rows)]


@pytest.mark.parametrize("require", [False, True])
def test_hashes_that_a_list_carries_are_held_to(tmp_path: Path, *, require: bool) -> None:
    body = jpeg(1)
    sha256, md5 = hashlib.sha256(body).hexdigest(), hashlib.md5(body, usedforsecurity=False).hexdigest()
    hashes = [{}, {"expected_sha256": sha256}, {"expected_md5": md5}, {"expected_sha256": "0" * 64}]
    hashes += [{"expected_md5": "0" * 32, "expected_sha256": sha256}]
    rows = [pair("http://a.test/x.jpg", f"caption {i}", **more) for i, more in enumerate(hashes)]
    with Site({"/x.jpg": Reply(body)}) as site:
        part = process(tmp_path, rows, download(site, require_hash=require))
    assert part.dropped == ({"hash_mismatch": 2} if require else {})


def test_the_worst_servers_cost_one_row_each_and_end(tmp_path: Path) -> None:
    with Site({**evil_pages(), "http://b.test/x.jpg": Reply(jpeg(1))}) as site:
        rows = [pair(f"http://a.test/evil/{name}") for name in EVILS] + [pair("http://b.test/x.jpg")]
        # what ends by itself does so long before the deadline, however loaded the machine
        options = {"give_up_after": 0, "max_bytes": 1_000_000, "per_host": 16, "timeout_seconds": 3.0}
        part = process(tmp_path, rows, download(site, "b.test", **options))
    told = {url.rpartition("/")[2]: status for url, status in fetches(part).items()}
    assert told == {**{name: reason for name, (_, reason) in EVILS.items()}, "x.jpg": "ok"}


def run(folder: Path, site: Site, parts: list[list[dict[str, Any]]], workers: int, **parameters: Any) -> Run:
    options = {**QUICK, "allow_private": True, "resolve": site.resolve("a.test", "b.test", "c.test"), **parameters}
    recipe = Recipe(stages=(Fetch(**{"shards": 3, **options}),), inputs={"pairs": save(folder / "in", parts)})
    with LocalEngine(workers) as engine:
        return run_recipe(recipe, str(folder / "run"), engine)


def bytes_of(run: Run) -> dict[str, str]:
    root = Path(run.root)
    kinds = [path for kind in ("pairs", "images", "fetches") for path in root.glob(f"*download*/{kind}/*")]
    return {str(path.relative_to(root)): hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(kinds)}


def test_workers_parts_and_the_networks_order_change_no_byte(tmp_path: Path) -> None:
    rows = [pair(f"http://{host}.test/{i}.jpg", f"number {i}") for host in "abc" for i in range(8)]
    order = random.Random(1)
    found = []
    for attempt, (workers, cuts) in enumerate([(1, 1), (3, 4)]):
        pages: dict[str, Reply | Behaviour] = {
            f"/{i}.jpg": Reply(jpeg(i, 80), status=200 if i else 404, delay_seconds=order.random() / 20)
            for i in range(8)
        }
        order.shuffle(rows)
        with Site(pages) as site:
            done = run(tmp_path / str(attempt), site, [rows[i::cuts] for i in range(cuts)], workers)
        found.append(bytes_of(done))
        manifests = {manifest.identity.name: manifest for _, manifest in done.manifests()}
        assert manifests["fetch.download"].dropped == {"http_404": 3}
        assert manifests["fetch.download"].rows == 21
    assert found[0] == found[1]
    assert len(found[0]) == 9


def test_a_domain_is_one_tasks_business(tmp_path: Path) -> None:
    rows = [pair(f"http://{name}.a.test/{i}.jpg") for i in range(3) for name in ("x", "y")]
    with Site({f"/{i}.jpg": Reply(jpeg(i)) for i in range(3)}) as site:
        done = run(tmp_path, site, [rows], 1, resolve=site.resolve("x.a.test", "y.a.test"))
    parts = sorted(Path(done.root).glob("*download*/pairs/*"))
    assert sorted(pq.read_metadata(path).num_rows for path in parts) == [0, 0, 6]


SCRIPT = """
import json, sys
from witbuild.stage import Task
from witbuild.stages.fetch.download import Download
values = json.loads(sys.argv[1])
stage = Download(**values["parameters"])
stage.process(Task(0, {"pairs": (values["pairs"],)}, {"slice": 0}, values["scratch"]))
"""


def test_after_a_kill_finished_downloads_are_not_done_again(tmp_path: Path) -> None:
    count = 30
    pages: dict[str, Reply | Behaviour] = {f"/{i}.jpg": Reply(jpeg(i, 64), delay_seconds=0.02) for i in range(count)}
    rows = [pair(f"http://a.test/{i}.jpg") for i in range(count)]
    with Site(pages) as site:
        undisturbed = process(tmp_path / "calm", rows, download(site, respect="none"))
        site.hits.clear()
        _kill_midway(tmp_path / "killed", rows, site, after=count // 2)
        before = sum(site.hits.values())
        journal = (tmp_path / "killed" / "scratch" / "journal.jsonl").read_bytes()
        resumed = process(tmp_path / "killed", rows, download(site, respect="none"))
        again = sum(site.hits.values()) - before
    whole = journal.count(b"\n")
    assert whole > 0
    assert again == count - whole
    assert resumed.table.equals(undisturbed.table)
    assert resumed.files["images"].read_bytes() == undisturbed.files["images"].read_bytes()
    assert resumed.files["fetches"].read_bytes() == undisturbed.files["fetches"].read_bytes()


def _kill_midway(folder: Path, rows: list[dict[str, Any]], site: Site, after: int) -> None:
    folder.mkdir()
    tables.write(folder / "pairs.parquet", tables.from_rows(rows, PAIRS), dropped={}, row_groups=(len(rows),))
    parameters = json.loads(download(site, respect="none").model_dump_json())
    values = {"parameters": parameters, "pairs": str(folder / "pairs.parquet"), "scratch": str(folder / "scratch")}
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    with subprocess.Popen([sys.executable, "-c", SCRIPT, json.dumps(values)], env=environment) as child:
        while sum(site.hits.values()) < after and child.poll() is None:
            time.sleep(0.005)
        child.send_signal(signal.SIGKILL)


@pytest.mark.parametrize("damage", ["spool", "line", "cut"])
def test_what_a_crash_damaged_is_fetched_again(tmp_path: Path, damage: str) -> None:
    rows = [pair(f"http://a.test/{i}.jpg") for i in range(3)]
    with Site({f"/{i}.jpg": Reply(jpeg(i)) for i in range(3)}) as site:
        first = process(tmp_path, rows, download(site, respect="none"))
        images = first.files["images"].read_bytes()
        _damage(tmp_path / "scratch", damage)
        site.hits.clear()
        second = process(tmp_path, rows, download(site, respect="none"))
        assert sum(site.hits.values()) == 1
    assert second.files["images"].read_bytes() == images
    assert second.table.equals(first.table)


def _damage(scratch: Path, damage: str) -> None:
    spool, lines = scratch / "spool", scratch / "journal.jsonl"
    if damage == "spool":
        content = bytearray(spool.read_bytes())
        content[100] ^= 1
        spool.write_bytes(content)
    elif damage == "line":
        whole = lines.read_bytes().splitlines(keepends=True)
        lines.write_bytes(b"".join(whole[:2]) + b'{"url": 1\n')
    else:
        lines.write_bytes(lines.read_bytes()[:-5])


def test_a_failure_that_may_pass_is_tried_again_after_a_kill(tmp_path: Path) -> None:
    pages: dict[str, Reply | Behaviour] = {"/x.jpg": EVILS["reset"][0], "/gone.jpg": Reply(status=404)}
    rows = [pair("http://a.test/x.jpg"), pair("http://a.test/gone.jpg")]
    with Site(pages) as site:
        first = process(tmp_path, rows, download(site, respect="none"))
        site.pages["/x.jpg"] = Reply(jpeg(1))
        second = process(tmp_path, rows, download(site, respect="none"))
        assert site.hits["http://a.test/gone.jpg"] == 1
    assert first.dropped == {"reset": 1, "http_404": 1}
    assert second.dropped == {"http_404": 1}


@pytest.mark.parametrize(
    ("parameters", "reason"),
    [
        ({"min_bytes": 100_000}, "too_few_bytes"),
        ({"max_bytes": 100}, "too_large"),
        ({"min_side": 301}, "image_too_small"),
        ({"max_pixels": 300 * 300 - 1}, "image_too_large"),
        ({"ports": (443,)}, "port"),
        ({"allow_private": False}, "private_address"),
        ({"resolve": {"a.test": "127.0.0.1:9"}}, "refused"),
    ],
)
def test_bounds_are_kept(tmp_path: Path, parameters: dict[str, Any], reason: str) -> None:
    with Site({"/x.jpg": Reply(jpeg(1, 300))}) as site:
        part = process(tmp_path, [pair("http://a.test/x.jpg")], download(site, **parameters))
    assert part.dropped == {reason: 1}


def test_levels_of_respect(tmp_path: Path) -> None:
    pages = {
        "/robots.txt": Reply(b"User-agent: *\nDisallow: /no.jpg"),
        "/no.jpg": Reply(jpeg(1)),
        "/noai.jpg": Reply(jpeg(2), headers={"X-Robots-Tag": "noai"}),
        "/page.jpg": Reply(jpeg(3)),
    }
    rows = [
        pair("http://a.test/no.jpg"),
        pair("http://a.test/noai.jpg"),
        pair("http://a.test/page.jpg", opt_out="noai"),
    ]
    found = {}
    with Site(pages) as site:
        for level in ("strict", "robots", "none"):
            found[level] = process(tmp_path / level, rows, download(site, respect=level)).dropped
    assert found["strict"] == {"robots": 1, "opt_out_header": 1, "opt_out_page": 1}
    assert found["robots"] == {"robots": 1}
    assert found["none"] == {}


def test_nothing_in_nothing_out(tmp_path: Path) -> None:
    with Site({}) as site:
        part = process(tmp_path, [], download(site))
    assert part.table.num_rows == 0
    assert part.table.schema.equals(pa.schema(PAIRS))
    assert tars.index(str(part.files["images"])) == []


@pytest.mark.parametrize("agent", ["", "Mozilla/5.0"])
def test_a_live_crawl_needs_a_contact(agent: str) -> None:
    with pytest.raises(PolicyError, match="contact"):
        Fetch(user_agent=agent).steps()
