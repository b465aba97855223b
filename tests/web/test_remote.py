"""Remote files: ranges, a server that is busy, a server that breaks off, a file that is not there."""

from __future__ import annotations

import re
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Self

import pytest

from tests.warcs import packed, page
from witbuild.errors import InputError, RetryLaterError
from witbuild.stages.harvest import Harvest
from witbuild.web import remote

PAGES = [page(f"<p>{'x' * 2_000}<img src=/{number}.jpg alt=x>", f"http://a.test/{number}") for number in range(300)]
ARCHIVE = packed(*PAGES)


class Busy:
    """A server of one file that refuses or breaks off its first requests."""

    def __init__(self, refusals: int, status: int = 503, cut: int | None = None) -> None:
        self.refusals = refusals
        self.requests = 0
        busy = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_HEAD(self) -> None:
                self.answer(b"")

            def do_GET(self) -> None:
                first, last = re.findall(r"\d+", self.headers.get("Range", f"0-{len(ARCHIVE)}"))
                self.answer(ARCHIVE[int(first) : int(last) + 1], int(first))

            def answer(self, body: bytes, first: int = 0) -> None:
                busy.requests += 1
                if self.path != "/x.warc.gz":
                    return self.send(404, b"", {})
                if busy.requests <= busy.refusals and cut is None:
                    return self.send(status, b"", {})
                ranges = {"Accept-Ranges": "bytes"}
                if self.command == "HEAD":
                    return self.send(200, b"", {**ranges, "Content-Length": str(len(ARCHIVE))})
                ranges["Content-Range"] = f"bytes {first}-{first + len(body) - 1}/{len(ARCHIVE)}"
                broken = cut is not None and busy.requests <= busy.refusals
                return self.send(206, body[:cut] if broken else body, {**ranges, "Content-Length": str(len(body))})

            def send(self, code: int, body: bytes, headers: dict[str, str]) -> None:
                self.send_response(code)
                for name, value in {"Content-Length": str(len(body)), **headers}.items():
                    self.send_header(name, value)
                self.end_headers()
                self.wfile.write(body)
                self.close_connection = True

            def log_message(self, *_: Any) -> None:
                return

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server.server_port}/x.warc.gz"

    def __enter__(self) -> Self:
        threading.Thread(target=self.server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        self.server.shutdown()
        self.server.server_close()


@pytest.fixture(autouse=True)
def quick(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    pauses: list[float] = []
    monkeypatch.setattr("time.sleep", pauses.append)
    return pauses


def test_a_remote_file_is_read_and_sought(quick: list[float]) -> None:
    with Busy(0) as busy, remote.open_read(busy.url) as stream:
        assert stream.read() == ARCHIVE
        assert stream.seek(-10, 2) == len(ARCHIVE) - 10
        assert stream.read() == ARCHIVE[-10:]
        stream.seek(5)
        assert stream.read(7) == ARCHIVE[5:12]
    assert quick == []


def test_a_busy_server_is_asked_again_later_and_later(quick: list[float]) -> None:
    with Busy(8) as busy, remote.open_read(busy.url) as stream:
        assert stream.read() == ARCHIVE
    assert quick == [1.0, 2.0, 4.0, 8.0], "an attempt is two requests: one for the head, one for the size"


def test_a_connection_that_breaks_off_is_taken_up_where_it_broke() -> None:
    with Busy(3, cut=100) as busy, remote.open_read(busy.url) as stream:
        assert stream.read() == ARCHIVE


def test_a_server_that_stays_busy_ends_in_an_error_that_says_so(quick: list[float]) -> None:
    with Busy(10_000) as busy, pytest.raises(RetryLaterError, match=r"x\.warc\.gz: HTTP status 503; run again later"):
        remote.open_read(busy.url)
    assert len(quick) == remote.TRIES - 1
    assert max(quick) == remote.MAX_PAUSE_SECONDS


def test_a_refusal_is_not_asked_again(quick: list[float]) -> None:
    with Busy(10_000, status=403) as busy, pytest.raises(RetryLaterError):
        remote.open_read(busy.url)
    assert quick == []


def test_a_file_that_is_not_there_is_named() -> None:
    with Busy(0) as busy, pytest.raises(InputError, match=r"y\.warc\.gz"):
        remote.open_read(busy.url.replace("x.warc", "y.warc"))


def test_an_archive_is_harvested_from_a_server_as_from_a_disk(tmp_path: Any) -> None:
    (tmp_path / "x.warc.gz").write_bytes(ARCHIVE)
    with Busy(2) as busy:
        tables = []
        for name in (busy.url, str(tmp_path / "x.warc.gz")):
            stage = Harvest(source="warc", inputs=(name,))
            (part,) = [stage.process(task) for task in stage.plan({})]
            tables.append(part.table.drop_columns(["source_file"]))
    assert tables[0].num_rows == 300
    assert tables[0].equals(tables[1])
