"""`witbuild crawl` as batch jobs: slices seal what is whole, and all together equal one undivided crawl."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cli.test_cli import witbuild
from witbuild.demo.serving import Serving
from witbuild.io.manifest import TIMED

SEED, SIZE, SHARDS = 3, 40, 3


@pytest.fixture(scope="module")
def options() -> Iterator[list[str]]:
    with Serving(SEED, SIZE) as server:
        yield [
            "--source", "site", "--inputs", "http://gallery.witbuild.test/",
            "--inputs", "http://blog.picturebook.test/", "--shards", str(SHARDS), "--max-depth", "2",
            "--user-agent", "test/1.0 (+http://gallery.witbuild.test/)", "--delay-seconds", "0", "--allow-private",
            "--timeout-seconds", "60", "--per-host", "8", "--rules", "min_words: 3", "--workers", "1",
            "--resolve", json.dumps(server.resolve),
        ]  # fmt: skip


@pytest.fixture
def queries(tmp_path: Path) -> Path:
    (tmp_path / "list.txt").write_text("red\nblue\ngreen\ncircle\nred circle\nbackground\n")
    done = witbuild(
        "queries", "--lists", "list.txt", "--no-synsets", "--out", "queries.parquet", "--workers", "1", cwd=tmp_path
    )
    assert (done.returncode, done.stdout) == (0, "queries.parquet\n"), done.stderr
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith("queries")] == ["queries.parquet"]
    return tmp_path


def parts(run: Path) -> dict[str, str]:
    files = [path for path in run.rglob("*") if path.suffix in {".parquet", ".tar"} and path.parent.name not in TIMED]
    return {str(path.relative_to(run)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_slices_of_a_crawl_equal_the_whole(queries: Path, options: list[str]) -> None:
    whole = witbuild("crawl", "--queries", "queries.parquet", "--out", "whole", *options, cwd=queries)
    assert whole.returncode == 0, whole.stderr
    sliced = ("crawl", "--queries", "queries.parquet", "--out", "sliced", *options)
    codes: list[int] = []
    while 0 not in codes[-SHARDS:] and len(codes) < 8 * SHARDS:
        index = str(len(codes) % SHARDS)
        done = witbuild(*sliced, cwd=queries, AWS_BATCH_JOB_ARRAY_INDEX=index)
        codes.append(done.returncode)
        assert done.returncode in {0, 75}, done.stderr
    assert codes[-1] == 0
    assert codes.count(75) == SHARDS - 1  # the seeds fall into one task; the images into three
    assert parts(queries / "sliced") == parts(queries / "whole")
    assert len(list((queries / "sliced/05-fetch.download/pairs").iterdir())) == SHARDS
    for name in ("02-match", "03-filter", "05-fetch.download"):
        assert (queries / "sliced" / name / "manifest.json").exists()


def test_a_shard_that_is_none_is_refused(queries: Path, options: list[str]) -> None:
    done = witbuild("crawl", "--shard", "3", "--queries", "queries.parquet", *options, cwd=queries)
    assert (done.returncode, "expected an index from 0 to 2" in done.stderr) == (2, True)


def test_a_crawl_without_queries_says_where_they_come_from(tmp_path: Path, options: list[str]) -> None:
    done = witbuild("crawl", *options, cwd=tmp_path)
    assert (done.returncode, "reads queries, and nothing before it makes queries" in done.stderr) == (2, True)


def test_a_crawl_without_a_contact_is_refused(queries: Path, options: list[str]) -> None:
    place = options.index("--user-agent")
    silent = [*options[:place], *options[place + 2 :]]
    done = witbuild("crawl", "--queries", "queries.parquet", *silent, cwd=queries)
    assert (done.returncode, "contact" in done.stderr, "Traceback" in done.stderr) == (3, True, False), done.stderr
