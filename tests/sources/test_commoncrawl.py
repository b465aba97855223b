"""Common Crawl over HTTP: a crawl by its name, ranges, a busy server, and places that can be asked for again."""

from __future__ import annotations

import gzip
import io
import json
import pickle
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from tests.files_server import FileServer
from tests.warcs import packed, page, record
from witbuild.errors import InputError, RetryLaterError
from witbuild.stage import Task
from witbuild.stages.harvest import Harvest
from witbuild.web import remote
from witbuild.web.warc import Record, records

CRAWL, FILES, PAGES = "CC-MAIN-2024-22", 5, 40
IMAGE = '<p>{0}<img src="/{0}.jpg" alt="picture {0}">'


def body(number: int) -> str:
    return IMAGE.format(number) + "x" * (number * 97 % 4_000)


def warc(file: int) -> tuple[bytes, list[tuple[int, int]]]:
    """Return an archive, and the offset and length of each page in it."""
    members = [packed(page(body(file * PAGES + n), f"http://a.test/{file}/{n}")) for n in range(PAGES)]
    starts = [sum(map(len, members[:n])) for n in range(PAGES)]
    return b"".join(members), [(start, len(member)) for start, member in zip(starts, members, strict=True)]


def wat(file: int, name: str, places: list[tuple[int, int]]) -> bytes:
    return packed(
        *(record(told(file, n, name, place), f"http://a.test/{file}/{n}", "metadata") for n, place in enumerate(places))
    )


def told(file: int, number: int, name: str, place: tuple[int, int]) -> bytes:
    """What a WAT tells of a page."""
    link = {"path": "IMG@/src", "url": f"/{file * PAGES + number}.jpg", "alt": f"picture {file * PAGES + number}"}
    html = {"Response-Message": {"Status": "200"}, "HTML-Metadata": {"Head": {}, "Links": [link]}}
    at = {"Filename": name, "Offset": str(place[0]), "Gzip-Metadata": {"Deflate-Length": str(place[1])}}
    header = {"WARC-Type": "response", "WARC-Target-URI": f"http://a.test/{file}/{number}"}
    envelope = {"WARC-Header-Metadata": header, "Payload-Metadata": {"HTTP-Response-Metadata": html}}
    return json.dumps({"Container": at, "Envelope": envelope}).encode()


def crawl() -> dict[str, bytes]:
    """Path below the root -> content, as data.commoncrawl.org lays a crawl out."""
    files: dict[str, bytes] = {}
    names: dict[str, list[str]] = {"warc": [], "wat": []}
    for file in range(FILES):
        start = f"crawl-data/{CRAWL}/segments/1715971057{file:03}.0"
        archive, places = warc(file)
        name = f"CC-MAIN-20240517233122-20240518023122-{file:05}.warc.gz"
        paths = {"warc": f"{start}/warc/{name}", "wat": f"{start}/wat/{name[:-3]}.wat.gz"}
        files |= {f"/{paths['warc']}": archive, f"/{paths['wat']}": wat(file, name, places)}
        for kind, path in paths.items():
            names[kind].append(path)
    lists = {f"/crawl-data/{CRAWL}/{kind}.paths.gz": "\n".join(paths) + "\n" for kind, paths in names.items()}
    return files | {path: gzip.compress(text.encode(), mtime=0) for path, text in lists.items()}


class Moody(FileServer):
    """Answers 503 to every other request for a range, as a busy Common Crawl does."""

    asked = 0

    def answer(self, path: str, asked: str) -> tuple[int, bytes, dict[str, str]]:
        self.asked += bool(asked)
        if asked and self.asked % 2:
            return 503, b"Please reduce your request rate.", {}
        return super().answer(path, asked)


@pytest.fixture(scope="module")
def files() -> dict[str, bytes]:
    return crawl()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    taken: list[float] = []
    monkeypatch.setattr("time.sleep", taken.append)
    return taken


def harvest(kind: str, root: str, **options: Any) -> tuple[list[Task], list[dict[str, Any]]]:
    stage = Harvest(**{"source": kind, "inputs": (f"cc:{CRAWL}",), "root": root, **options})
    tasks = [pickle.loads(pickle.dumps(task)) for task in stage.plan({})]  # noqa: S301
    parts = [stage.process(task) for task in tasks]
    assert [dict(part.dropped) for part in parts] == [{}] * len(parts)
    return tasks, pa.concat_tables([part.table for part in parts]).to_pylist()


@pytest.mark.parametrize(("shards", "sizes"), [(0, [1] * FILES), (2, [3, 2]), (3, [2, 2, 1]), (99, [1] * FILES)])
def test_a_crawl_by_its_name_is_cut_into_tasks(shards: int, sizes: list[int], files: dict[str, bytes]) -> None:
    with FileServer(files) as server:
        stage = Harvest(source="wat", inputs=(f"cc://{CRAWL}",), root=server.url("/"), shards=shards)
        tasks = list(stage.plan({}))
    paths = [path for task in tasks for path in task.sources["input"]]
    assert [len(task.sources["input"]) for task in tasks] == sizes
    assert paths == [server.url(path) for path in files if path.endswith(".wat.gz")]


@pytest.mark.parametrize("kind", ["warc", "wat"])
def test_a_busy_server_gives_what_a_disk_gives(
    kind: str, files: dict[str, bytes], tmp_path: Path, pauses: list[float]
) -> None:
    for path, content in files.items():
        (tmp_path / path[1:]).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path[1:]).write_bytes(content)
    _, wanted = harvest(kind, f"{tmp_path}/")
    with Moody(files) as server:
        _, found = harvest(kind, server.url("/"), shards=2)
    assert len(found) == FILES * PAGES
    assert [strip(row) for row in found] == [strip(row) for row in wanted]
    assert len(pauses) >= FILES
    assert min(pauses) >= 1, "Common Crawl asks for at least a second"


def test_an_object_store_gives_what_a_server_gives(files: dict[str, bytes]) -> None:
    import fsspec

    memory = fsspec.filesystem("memory")
    for path, content in files.items():
        memory.pipe_file(f"/commoncrawl{path}", content)
    with FileServer(files) as server:
        _, wanted = harvest("wat", server.url("/"))
    _, found = harvest("wat", "memory://commoncrawl/")
    assert [strip(row) for row in found] == [strip(row) for row in wanted]


def strip(row: dict[str, Any]) -> dict[str, Any]:
    return {**row, "source_file": row["source_file"].rpartition("/")[2]}


def test_wat_and_warc_of_a_crawl_give_the_same_pairs_at_the_same_places(files: dict[str, bytes]) -> None:
    with FileServer(files) as server:
        _, from_warc = harvest("warc", server.url("/"))
        _, from_wat = harvest("wat", server.url("/"), shards=2)
    assert [strip({**row, "source": ""}) for row in from_wat] == [strip({**row, "source": ""}) for row in from_warc]


def test_a_place_is_one_range_that_holds_the_page(files: dict[str, bytes]) -> None:
    by_name = {path.rpartition("/")[2]: path for path in files}
    with FileServer(files) as server:
        _, rows = harvest("wat", server.url("/"))
        for row in rows[:: PAGES // 4]:
            with remote.open_read(server.url(by_name[row["source_file"]])) as stream:
                stream.seek(row["source_offset"])
                member = stream.read(row["source_length"])
            (found,) = records(io.BytesIO(member))
            assert isinstance(found, Record) and found.url == row["page_url"]
            assert row["caption"].encode() in gzip.decompress(member)


def test_archives_are_read_by_ranges_and_once(files: dict[str, bytes]) -> None:
    with FileServer(files) as server:
        harvest("warc", server.url("/"))
        size = sum(
            len(content) for path, content in files.items() if "warc.gz" in path or path.endswith("warc.paths.gz")
        )
    assert server.octets <= size * 1.05


def test_a_limit_leaves_the_rest_unread(files: dict[str, bytes]) -> None:
    with FileServer(files) as server:
        _, rows = harvest("warc", server.url("/"), shards=1, limit=3)
    assert len(rows) == 3
    assert server.requests < 2 * FILES


@pytest.fixture
def gone() -> Iterator[FileServer]:
    with FileServer({}) as server:
        yield server


def test_a_crawl_that_is_not_there_is_named(gone: FileServer) -> None:
    with pytest.raises(InputError, match=rf"{CRAWL}/wat\.paths\.gz: no such file"):
        harvest("wat", gone.url("/"))


def test_a_server_that_stays_busy_puts_the_work_off(files: dict[str, bytes]) -> None:
    with (
        FileServer(files, refusals=10_000) as server,
        pytest.raises(RetryLaterError, match=r"HTTP status 503; run again"),
    ):
        harvest("warc", server.url("/"))
