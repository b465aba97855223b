"""The forecast counts what would be asked, says which hosts are slow, and asks nobody."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from tests.server import Site
from tests.stages.test_fetch import pair, save
from witbuild.cli.app import app
from witbuild.stages.fetch.forecast import IMAGE_BYTES, REQUEST_SECONDS, forecast, lines
from witbuild.stages.fetch.stage import Fetch

ROWS = [pair(f"http://a.test/{i}.jpg") for i in range(100)]
ROWS += [pair("http://a.test/0.jpg#top", "again"), pair("http://b.test/x.jpg"), pair("gopher://c.test/")]
ROWS += [pair("http://b.test/y.jpg", opt_out="noai"), pair("http://blocked.test/x.jpg")]


def found(tmp_path: Path, **parameters: Any) -> Any:
    folder = Path(save(tmp_path / "in", [ROWS[:50] + ROWS[100:], ROWS[50:100]]))
    stage = Fetch(block_hosts=("blocked.test",), **parameters)
    return forecast([str(path) for path in sorted(folder.iterdir())], stage)


def test_requests_and_bytes(tmp_path: Path) -> None:
    counted = found(tmp_path)
    assert dict(counted.hosts) == {"a.test": 100, "b.test": 1}
    assert dict(counted.refused) == {"bad_url": 1, "opt_out_page": 1, "blocked_host": 1}
    assert (counted.images, counted.requests, counted.bytes) == (101, 107, 101 * IMAGE_BYTES)
    assert sum(counted.tasks.values()) == 101


@pytest.mark.parametrize(
    ("parameters", "seconds"),
    [
        ({}, 103 * REQUEST_SECONDS / 2),
        ({"per_host": 1}, 103 * REQUEST_SECONDS),
        ({"delay_seconds": 10.0}, 1030),
        ({"respect": "none"}, 100 * REQUEST_SECONDS / 2),
        ({"max_per_domain": 10, "respect": "none", "per_host": 1}, 10 * REQUEST_SECONDS),
        ({"bandwidth_limit": 0.001, "shards": 1}, 101 * IMAGE_BYTES / 1000),
    ],
)
def test_time_is_that_of_the_slowest_host_or_of_the_bandwidth(
    tmp_path: Path, parameters: dict[str, Any], seconds: float
) -> None:
    counted = found(tmp_path, **parameters)
    assert counted.hosts["a.test"] == parameters.get("max_per_domain", 100)
    assert counted.seconds(1) == pytest.approx(seconds)


def test_it_is_told_in_words(tmp_path: Path) -> None:
    told = "\n".join(lines(found(tmp_path, delay_seconds=60.0, hours="22-6"), 4))
    for words in (
        "107: 101 images, 6 files of rules, 2 hosts",
        "1.7 h",
        "22-6",
        "blocked_host",
        "slow host a.test: 100",
    ):
        assert words in told


def test_a_dry_run_asks_nobody_and_needs_no_contact(tmp_path: Path) -> None:
    with Site({}) as site:
        pairs = save(tmp_path / "in", [[pair(f"http://a.test/{i}.jpg") for i in range(3)]])
        options = ["--pairs", pairs, "--dry-run", "--allow-private", "--resolve", f"a.test: 127.0.0.1:{site.port}"]
        done = CliRunner().invoke(app, ["fetch", *options, "--delay", "2", "--out", str(tmp_path / "run")])
        assert not site.hits
    assert done.exit_code == 0, done.output
    assert "requests  6: 3 images" in done.output
    assert "12 s" in done.output
    assert not (tmp_path / "run").exists()


def test_seconds_need_not_be_said() -> None:
    help_text = CliRunner().invoke(app, ["fetch", "--help"], env={"COLUMNS": "200"}).output
    for name in ("--timeout", "--delay", "--proxy", "--bandwidth-limit", "--hours", "--max-hosts", "--dry-run"):
        assert name in help_text
