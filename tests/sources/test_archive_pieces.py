"""Tasks that each read a piece of an archive give, one after the other, what a task over all of it gives."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pyarrow as pa
import pytest

from tests.bench.web_pages import Maker, warc, wat
from tests.warcs import packed, page
from witbuild.sources.archives import Archives
from witbuild.stages.harvest import Harvest
from witbuild.web import pieces

PAGES = 40


@pytest.fixture
def archives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """A WARC and a WAT of the same pages, cut off in the end, and what makes pieces of so little."""
    monkeypatch.setattr(pieces, "LEAD", 20_000)
    monkeypatch.setattr(pieces, "LEAST_BYTES", 40_000)
    maker = Maker()
    pages = [maker.page(number) for number in range(PAGES)]
    for name, content in (("warc", warc(pages)), ("wat", wat(pages * 3))):
        (tmp_path / name).write_bytes(content[:-99])
    return {name: str(tmp_path / name) for name in ("warc", "wat")}


def harvested(source: str, path: str, shards: int) -> tuple[int, pa.Table, Counter[str]]:
    """Return how many tasks there were, their rows, and what they lost."""
    stage = Harvest(source=source, inputs=(path,), shards=shards)
    parts = [stage.process(task) for task in stage.plan({})]
    dropped: Counter[str] = Counter()
    for part in parts:
        dropped.update(part.dropped)
    return len(parts), pa.concat_tables([part.table for part in parts]), dropped


@pytest.mark.parametrize("source", ["warc", "wat"])
def test_pieces_give_the_same_rows(source: str, archives: dict[str, str]) -> None:
    _, whole, lost = harvested(source, archives[source], 1)
    for shards in (2, 3, 7):
        tasks, table, dropped = harvested(source, archives[source], shards)
        assert tasks == min(shards, Path(archives[source]).stat().st_size // 40_000) > 1
        if source == "warc":
            assert table.to_pylist() == whole.to_pylist()
            assert dropped == lost
        else:  # a page that is there three times is lost as the same key in a task, not from task to task
            assert set(table["key"].to_pylist()) == set(whole["key"].to_pylist())
            assert dropped["same_key"] + len(table) == lost["same_key"] + len(whole)


@pytest.mark.parametrize("shards", [0, 1, 2])
def test_no_more_tasks_than_files_are_no_pieces(shards: int, archives: dict[str, str]) -> None:
    stage = Harvest(source="warc", inputs=tuple(archives.values()), shards=shards)
    assert [(len(task.sources["input"]), dict(task.arguments)) for task in stage.plan({})] == (
        [(2, {})] if shards == 1 else [(1, {}), (1, {})]
    )


def test_only_what_is_large_is_cut(tmp_path: Path, archives: dict[str, str]) -> None:
    small = tmp_path / "a-small.warc.gz"
    small.write_bytes(packed(page("<img src=/a.jpg alt=x>")))
    tasks = list(Harvest(source="warc", inputs=(str(small), archives["warc"]), shards=6).plan({}))
    names = [Path(task.sources["input"][0]).name for task in tasks]
    assert names == ["a-small.warc.gz", "warc", "warc", "warc"]
    assert [task.index for task in tasks] == list(range(4))
    assert [task.arguments.get("piece") for task in tasks] == [None, 0, 1, 2]


def test_a_remote_archive_is_not_asked_for_its_size_to_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LEAST_BYTES", 1)
    source = Harvest(source="warc", inputs=("https://host.invalid/a.warc.gz",), shards=9).reader()
    assert isinstance(source, Archives)
    assert [dict(task.arguments) for task in source.plan()] == [{}]
