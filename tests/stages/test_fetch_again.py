"""Fetch asks again on condition, keeps what must not come away, tells when it was; what it does with no sink."""

from __future__ import annotations

import hashlib
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest

from tests.fetched import jpeg
from tests.server import Behaviour, Reply, Site, redirect
from tests.stages.test_fetch import download, fetches, pair, process, run
from witbuild.errors import InputError, RecipeError
from witbuild.io import tars
from witbuild.io.run import Run
from witbuild.stage import Part
from witbuild.stages.fetch.stage import Fetch

NAMES = ("etag", "modified", "neither", "changed", "gone")


def rows() -> list[dict[str, Any]]:
    return [pair(f"http://a.test/{name}.jpg", name) for name in NAMES]


def pages(**more: Reply | Behaviour) -> dict[str, Reply | Behaviour]:
    headers = {"etag": {"ETag": '"1"'}, "modified": {"Last-Modified": "Sun, 06 Nov 1994 08:49:37 GMT"}, "neither": {}}
    found: dict[str, Reply | Behaviour] = {}
    for number, name in enumerate(NAMES):
        found[f"/{name}.jpg"] = Reply(
            jpeg(number, 64), headers={**headers.get(name, {"ETag": '"1"'}), "X-Robots-Tag": ""}
        )
    return {**found, **more}


def stored(run: Run) -> dict[str, str]:
    """Caption -> SHA-256 of the stored image."""
    _, manifest = run.newest("images")
    found = {}
    for part, tar in zip(run.paths(manifest, "pairs"), run.paths(manifest, "images"), strict=True):
        for row in pq.read_table(part).to_pylist():
            image = tars.read(tar, tars.Extent(row["image_offset"], row["image_bytes"]))
            found[row["caption"]] = hashlib.sha256(image).hexdigest()
    return found


@pytest.mark.parametrize("shards", [3, 5])
def test_what_did_not_change_is_kept_without_its_body(tmp_path: Path, shards: int) -> None:
    unchanged = Reply(status=304)
    with Site(pages()) as site:
        first = stored(run(tmp_path / "first", site, [rows()], 1))
        site.pages.update(
            {"/etag.jpg": unchanged, "/modified.jpg": unchanged, "/changed.jpg": Reply(jpeg(9, 64)),
             "/gone.jpg": Reply(status=410)},
        )  # fmt: skip
        site.headers.clear()
        parameters = {"revalidate": str(tmp_path / "first" / "run"), "shards": shards}
        again = run(tmp_path / "second", site, [rows()], 1, **parameters)
        asked = [one for one in site.headers if "if-none-match" in one or "if-modified-since" in one]
    second = stored(again)
    assert sorted(second) == ["changed", "etag", "modified", "neither"]
    assert {name: second[name] == first[name] for name in second} == {
        "etag": True, "modified": True, "neither": True, "changed": False,
    }  # fmt: skip
    assert sorted(one.get("if-none-match", "") for one in asked) == ["", '"1"', '"1"', '"1"']
    assert [one["if-modified-since"] for one in asked if "if-modified-since" in one] == [
        "sun, 06 nov 1994 08:49:37 gmt"
    ]
    told = {
        row["url"]: row
        for path in again.paths(again.newest("fetches")[1], "fetches")
        for row in pq.read_table(path).to_pylist()
    }
    kept = told["http://a.test/etag.jpg"]
    assert (kept["status"], kept["http_status"], kept["etag"]) == ("ok", 304, '"1"')


def test_images_made_otherwise_cannot_be_kept(tmp_path: Path) -> None:
    with Site(pages()) as site:
        run(tmp_path / "first", site, [rows()], 1)
        site.hits.clear()
        with pytest.raises(RecipeError, match=r"size 256.*with 64"):
            run(tmp_path / "second", site, [rows()], 1, revalidate=str(tmp_path / "first" / "run"), size=64)
        assert not site.hits


def test_a_visit_tells_when_it_was_and_how_long(tmp_path: Path) -> None:
    found: dict[str, Reply | Behaviour] = {
        "/x.jpg": Reply(jpeg(1), delay_seconds=0.1, headers={"Link": '<http://a.test/cc>; rel="license"'}),
        "/to.jpg": redirect("/x.jpg"),
        "/noai.jpg": Reply(jpeg(2), headers={"X-Robots-Tag": "witbuild-test: noai", "Content-Usage": "train-ai=n"}),
        "/robots.txt": Reply(b"User-agent: *\nDisallow: /no.jpg"),
    }
    with Site(found) as site:
        names = ("x", "to", "noai", "no", "x")
        part = process(
            tmp_path, [pair(f"http://a.test/{name}.jpg", str(i)) for i, name in enumerate(names)], download(site)
        )
    visits = pq.read_table(part.files["visits"]).to_pylist()
    assert [row["url"].rpartition("/")[2] for row in visits] == ["no.jpg", "noai.jpg", "to.jpg", "x.jpg"]
    no, noai, to, x = visits
    assert (no["started"], no["status"]) == (None, "robots")
    assert (noai["status"], noai["signals"]) == ("opt_out_header", "noai,train-ai=n")
    assert datetime.now(UTC) - x["started"] < timedelta(minutes=1)
    assert 0.1 <= x["seconds"] < 1
    assert to["seconds"] >= 0.1
    licences = {row["url"]: row["licence"] for row in pq.read_table(part.files["fetches"]).to_pylist()}
    assert licences["http://a.test/x.jpg"] == "http://a.test/cc"


def test_times_do_not_count_in_a_runs_root(tmp_path: Path) -> None:
    with Site(pages()) as site:
        runs = [run(tmp_path / name, site, [rows()], 1) for name in ("one", "two")]
    assert runs[0].merkle_root() == runs[1].merkle_root()
    assert [len(one.newest("visits")[1].files("visits")) for one in runs] == [3, 3]


def test_blocked_hosts_come_from_a_file_and_go_for_what_lies_below(tmp_path: Path) -> None:
    (tmp_path / "hosts").write_text("# a hosts file\n0.0.0.0 b.test\n\nbücher.test\n")
    names = ("a.test", "b.test", "img.b.test", "xn--bcher-kva.test", "c.test", "notb.test")
    with Site({"/x.jpg": Reply(jpeg(1)), "http://a.test/to.jpg": redirect("http://img.b.test/x.jpg")}) as site:
        given = [pair(f"http://{name}/x.jpg") for name in names] + [pair("http://a.test/to.jpg")]
        stage = download(site, *names, block_hosts_file=str(tmp_path / "hosts"), block_hosts=("c.test",))
        part = process(tmp_path / "task", given, stage)
    assert part.dropped == {"blocked_host": 5}
    assert sorted(part.table["url"].to_pylist()) == ["http://a.test/x.jpg", "http://notb.test/x.jpg"]


@pytest.mark.parametrize("kind", ["sha256", "md5"])
def test_a_blocked_body_is_never_stored(tmp_path: Path, kind: str) -> None:
    bad, good = jpeg(1, 64), jpeg(2, 64)
    (tmp_path / "hashes").write_text(f"{hashlib.new(kind, bad).hexdigest().upper()}  some-file.jpg\n")
    with Site({"/bad.jpg": Reply(bad), "/good.jpg": Reply(good)}) as site:
        given = [pair(f"http://a.test/{name}.jpg") for name in ("bad", "good")]
        part = process(tmp_path / "task", given, download(site, block_hashes=str(tmp_path / "hashes")))
    assert part.dropped == {"blocked_hash": 1}
    (spooled,) = tars.index(str(part.files["images"]))
    assert (tmp_path / "task" / "scratch" / "spool").stat().st_size == next(iter(spooled.members.values())).size


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("block_hosts_file", "a.test\nhttp://b.test/x\n", r"list:2: found .*expected a host"),
        ("block_hashes", "# hashes\n0123\n", r"list:2: found '0123', expected 64 or 32"),
        ("block_hashes", None, "no such file"),
    ],
)
def test_a_list_that_cannot_be_read_says_where(tmp_path: Path, name: str, content: str | None, message: str) -> None:
    if content is not None:
        (tmp_path / "list").write_text(content)
    stage = Fetch(user_agent="x (+http://contact.test/)", **{name: str(tmp_path / "list")})
    with pytest.raises(InputError, match=message):
        stage.steps()


def test_a_domain_gives_no_more_than_its_cap(tmp_path: Path) -> None:
    given = [pair(f"http://{host}.a.test/{i}.jpg", f"{i} {n}") for i in range(6) for host in "xy" for n in range(2)]
    given += [pair("http://b.test/0.jpg")]
    found: list[Part] = []
    with Site({f"/{i}.jpg": Reply(jpeg(i)) for i in range(6)}) as site:
        for order in (given, given[::-1]):
            stage = download(site, "x.a.test", "y.a.test", "b.test", max_per_domain=4)
            found.append(process(tmp_path / str(len(found)), order, stage))
    assert found[0].dropped == {"domain_cap": 16}
    assert len(set(found[0].table["url"].to_pylist())) == 5
    assert found[0].table.equals(found[1].table)


def test_what_a_cap_left_over_comes_by_a_later_run_which_asks_for_no_body_twice(tmp_path: Path) -> None:
    given = [pair(f"http://a.test/{i}.jpg", str(i)) for i in range(6)]
    with Site({f"/{i}.jpg": Reply(jpeg(i, 64), headers={"ETag": '"1"'}) for i in range(6)}) as site:
        first = stored(run(tmp_path / "first", site, [given], 1, max_per_domain=2))
        site.pages.update({f"/{name}.jpg": Reply(status=304) for name in first})
        again = run(tmp_path / "second", site, [given], 1, revalidate=str(tmp_path / "first" / "run"))
    second = stored(again)
    assert len(first) == 2
    assert sorted(second) == [str(i) for i in range(6)]
    assert first.items() <= second.items()


@pytest.mark.parametrize("how", ["require_hash", "block_hashes"])
def test_what_an_earlier_run_did_not_hash_is_asked_for_anew(tmp_path: Path, how: str) -> None:
    bodies = {name: jpeg(number, 64) for number, name in enumerate(("right", "wrong"))}
    md5 = {name: hashlib.md5(body, usedforsecurity=False).hexdigest() for name, body in bodies.items()}
    (tmp_path / "list").write_text(md5["wrong"])
    given = [pair(f"http://a.test/{name}.jpg", name, expected_md5=md5["right"]) for name in bodies]
    parameters = {"require_hash": True} if how == "require_hash" else {"block_hashes": str(tmp_path / "list")}

    def answered(name: str) -> Reply:
        return Reply(bodies[name], headers={"ETag": '"1"'})

    with Site({f"/{name}.jpg": answered(name) for name in bodies}) as site:
        first = run(tmp_path / "first", site, [given], 1)
        site.headers.clear()
        again = run(tmp_path / "second", site, [given], 1, revalidate=first.root, **parameters)
        assert not [one for one in site.headers if "if-none-match" in one]
        site.headers.clear()
        third = run(tmp_path / "third", site, [given], 1, revalidate=again.root, **parameters)
        conditional = [one for one in site.headers if "if-none-match" in one]
    assert sorted(stored(first)) == ["right", "wrong"]
    assert sorted(stored(again)) == sorted(stored(third)) == ["right"]
    assert len(conditional) == (how == "require_hash")


@pytest.mark.parametrize(("parameters", "decoded"), [({"sink": "none"}, True), ({"decode": False}, False)])
def test_without_a_sink_everything_is_done_but_nothing_stored(
    tmp_path: Path, parameters: dict[str, Any], *, decoded: bool
) -> None:
    with Site({"/x.jpg": Reply(jpeg(1)), "/page.jpg": Reply(b"<html>")}) as site:
        given = [pair(f"http://a.test/{name}.jpg") for name in ("x", "page", "gone")]
        part = process(tmp_path, given, download(site, **parameters))
    assert part.dropped == {"http_404": 1, **({"not_an_image": 1} if decoded else {})}
    assert part.table["image_part"].null_count == part.table.num_rows > 0
    assert tars.index(str(part.files["images"])) == []
    assert fetches(part)["http://a.test/x.jpg"] == "ok"
    assert (tmp_path / "scratch" / "spool").stat().st_size == 0


def test_a_task_goes_through_a_proxy_at_its_hours_and_bandwidth(tmp_path: Path) -> None:
    now = datetime.now().astimezone()
    with Site({f"http://a.test/{i}.jpg": Reply(jpeg(i, 200)) for i in range(6)}) as site:
        size = sum(len(jpeg(i, 200)) for i in range(6))
        stage = download(
            site, proxy=f"http://127.0.0.1:{site.port}", resolve={"a.test": "127.0.0.1:9"}, respect="none",
            bandwidth_limit=size / 1e6, hours=f"{now - timedelta(hours=1):%H:%M}-{now + timedelta(hours=1):%H:%M}",
        )  # fmt: skip
        part = process(tmp_path, [pair(f"http://a.test/{i}.jpg") for i in range(6)], stage)
    assert part.table.num_rows == 6
    begun = sorted(row["started"] for row in pq.read_table(part.files["visits"]).to_pylist())
    assert begun[-1] - begun[0] > timedelta(seconds=0.25)


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"hours": "25-26"}, "hours: found '25-26'"),
        ({"proxy": "127.0.0.1"}, "proxy: found '127.0.0.1'"),
        ({"http2": True, "proxy": "http://127.0.0.1:3128"}, "http2: not through a proxy"),
    ],
)
def test_what_a_task_cannot_do_is_told_before_any_work(parameters: dict[str, Any], message: str) -> None:
    with pytest.raises(RecipeError, match=message):
        Fetch(user_agent="x (+http://contact.test/)", **parameters).steps()
