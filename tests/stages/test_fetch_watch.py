"""While a fetch goes on, its scratch folder says how far it is, and the command line tells it."""

from __future__ import annotations

import asyncio
import json
import threading
import time
from pathlib import Path

import pytest
from typer.testing import CliRunner

from tests.fetched import jpeg
from tests.server import Reply, Site
from tests.stages.test_fetch import pair, run
from witbuild.cli import live, progress
from witbuild.cli.app import app
from witbuild.stages.fetch import watch
from witbuild.stages.fetch.watch import Watch


def test_counts_by_status_and_host(tmp_path: Path) -> None:
    counted = Watch(tmp_path, ["http://a.test/1", "http://a.test/2", "http://b.test/1"], ["ok"])
    counted.add("http://a.test/1", "http_404")
    counted.write()
    assert json.loads((tmp_path / watch.NAME).read_text()) == {
        "done": 2, "total": 4, "statuses": {"ok": 1, "http_404": 1}, "hosts": [["a.test", 1], ["b.test", 1]],
    }  # fmt: skip


def test_a_log_has_a_line_now_and_then(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(watch, "EVERY_SECONDS", 0.02)
    monkeypatch.setattr(progress, "LOG_SECONDS", 0.05)
    rows = [pair(f"http://a.test/{i}.jpg") for i in range(8)]
    pages = {f"/{i}.jpg": Reply(jpeg(i), delay_seconds=0.1) for i in range(8)}
    with Site(pages) as site, progress.drawn(str(tmp_path / "run")):
        run(tmp_path, site, [rows], 1, respect="none", shards=1)
    lines = capsys.readouterr().err.splitlines()
    assert any("of 8 in 1 task: " in line and "most left: a.test" in line for line in lines), lines


def test_status_tells_of_a_fetch_that_goes_on(tmp_path: Path) -> None:
    folder = tmp_path / "run" / "02-fetch.download" / "scratch" / "00000"
    folder.mkdir(parents=True)
    Watch(folder, ["http://a.test/1"], ["ok", "ok", "timeout"]).write()
    told = CliRunner().invoke(app, ["status", str(tmp_path / "run")]).output
    assert "now 3 of 4 in 1 task: ok 2, timeout 1; most left: a.test 1" in told


def test_a_task_that_fails_leaves_no_task_behind(tmp_path: Path) -> None:
    async def fail() -> None:
        async with Watch(tmp_path, [], []).telling():
            await asyncio.sleep(0)
            raise KeyError

    with pytest.raises(KeyError):
        asyncio.run(fail())
    assert (tmp_path / watch.NAME).exists()


def test_looking_at_a_file_that_is_gone_tells_nothing(tmp_path: Path) -> None:
    folder = tmp_path / "01-x" / "scratch" / "00000"
    folder.mkdir(parents=True)
    (folder / watch.NAME).write_text("{cut")
    assert live.look(str(tmp_path)) == ""
    before = threading.active_count()
    with live.watching(str(tmp_path), print, 600):
        start = time.monotonic()
    assert time.monotonic() - start < 300
    assert threading.active_count() == before
