"""Archives: every record that can be read is read, and what cannot is counted."""

from __future__ import annotations

import gzip
import io
import time
from pathlib import Path

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.warcs import bodies, http, packed, page, record
from witbuild.sources.warc import answered
from witbuild.web import warc
from witbuild.web.warc import Damage, Record, records

PAGES = [page(f"<p>page {i} " + "x" * 3_000, f"http://a.test/{i}") for i in range(5)]


def read(archive: bytes) -> tuple[list[Record], list[str]]:
    found = list(records(io.BytesIO(archive)))
    return [one for one in found if isinstance(one, Record)], [one.reason for one in found if isinstance(one, Damage)]


def urls_of(archive: bytes) -> list[str]:
    return [one.url for one in read(archive)[0]]


def test_a_record_lies_where_it_says() -> None:
    archive = packed(*PAGES)
    found, damage = read(archive)
    assert damage == []
    for one, original in zip(found, PAGES, strict=True):
        assert one.offset is not None
        assert one.length is not None
        assert gzip.decompress(archive[one.offset : one.offset + one.length]) == original


def test_a_plain_archive_has_places_too() -> None:
    archive = b"".join(PAGES)
    for one, original in zip(read(archive)[0], PAGES, strict=True):
        assert one.offset is not None
        assert one.length is not None
        assert archive[one.offset : one.offset + one.length] == original


def test_records_packed_together_have_no_place_of_their_own() -> None:
    found, damage = read(gzip.compress(b"".join(PAGES)))
    assert damage == []
    assert [one.offset for one in found[1:]] == [None] * 4


def test_members_without_a_file_name_or_with_one_are_the_same() -> None:
    buffer = io.BytesIO()
    with gzip.GzipFile("name", "wb", fileobj=buffer) as member:
        member.write(PAGES[0])
    assert urls_of(buffer.getvalue() + packed(PAGES[1])) == ["http://a.test/0", "http://a.test/1"]


@pytest.mark.parametrize("damaged", [0, 1, 2, 3, 4])
@pytest.mark.parametrize("place", [0.3, 0.5, 0.97])
def test_a_damaged_member_costs_itself(damaged: int, place: float) -> None:
    parts = [bytearray(packed(one)) for one in PAGES]
    at = int(len(parts[damaged]) * place)
    parts[damaged][at : at + 4] = bytes(byte ^ 0xFF for byte in parts[damaged][at : at + 4])
    found, damage = read(b"".join(parts))
    kept = [f"http://a.test/{i}" for i in range(5) if i != damaged]
    assert [one.url for one in found] == kept
    assert damage in (["record_damaged"], ["record_truncated"], ["record_truncated", "record_damaged"])


def test_rubbish_between_members_costs_nothing_else() -> None:
    archive = packed(PAGES[0]) + b"rubbish \x1f\x8b\x08 rubbish" + packed(PAGES[1])
    assert urls_of(archive) == ["http://a.test/0", "http://a.test/1"]


@pytest.mark.parametrize("cut", [1, 8, 20, 100])
def test_the_end_may_be_missing(cut: int) -> None:
    found, damage = read(packed(*PAGES)[:-cut])
    assert [one.url for one in found][:4] == [f"http://a.test/{i}" for i in range(4)]
    assert len(found) + len(damage) >= 5


def test_a_plain_record_with_a_wrong_length_costs_itself() -> None:
    broken = PAGES[1].replace(b"Content-Length: 30", b"Content-Length: 10")
    assert broken != PAGES[1]
    found, damage = read(PAGES[0] + broken + PAGES[2] + PAGES[3])
    assert {"http://a.test/0", "http://a.test/2", "http://a.test/3"} <= {one.url for one in found}
    assert damage == ["record_damaged"]


def test_a_record_that_unfolds_without_end_is_refused_and_the_next_one_read(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(warc, "MAX_RECORD_BYTES", 1_000_000)
    bomb = gzip.compress(record(http(b"\0" * 200_000_000)), 1)
    start = time.process_time()
    found, damage = read(packed(PAGES[0]) + bomb + packed(PAGES[1]))
    assert time.process_time() - start < 10
    assert [one.url for one in found] == ["http://a.test/0", "http://a.test/1"]
    assert damage[0] == "record_too_large"


def test_a_bomb_below_the_largest_record_is_refused_by_its_ratio() -> None:
    found, damage = read(packed(record(http(b"\0" * 12_000_000)), PAGES[1]))
    assert [one.url for one in found] == ["http://a.test/1"]
    assert damage == ["record_too_large"]


@pytest.mark.parametrize(
    "content", [b"PK\x03\x04 no archive", b"\x1f\x8b\x08" * 1_000, gzip.compress(b"text\n" * 9, mtime=0), b"{}"]
)
def test_what_is_no_archive_is_said_to_be_none(content: bytes) -> None:
    assert read(content) == ([], ["not_an_archive"])


def test_an_empty_archive_holds_nothing() -> None:
    assert read(b"") == ([], [])


def test_many_false_starts_do_not_take_forever() -> None:
    start = time.process_time()
    read(packed(PAGES[0]) + b"\x1f\x8b\x08\x00" * 500_000)
    assert time.process_time() - start < 5


@given(st.binary(max_size=400), st.integers(0, 400))
def test_any_bytes_in_an_archive_are_survived(noise: bytes, at: int) -> None:
    archive = packed(*PAGES[:2])
    read(noise)
    read(archive[:at] + noise + archive[at:])


CODINGS = {
    "gzip": gzip.compress(b"<p>text"),
    "br": brotli.compress(b"<p>text"),
    "": b"<p>text",
    "identity": b"<p>text",
    "none, gzip": gzip.compress(b"<p>text"),
}


@pytest.mark.parametrize("coding", CODINGS)
def test_content_codings(coding: str) -> None:
    (found,) = read(record(http(CODINGS[coding], Content_Encoding=coding)))[0]
    answer = answered(found)
    assert answer is not None
    assert answer.body(1_000) == b"<p>text"


def test_a_coding_that_the_archive_already_undid() -> None:
    (found,) = read(record(http(b" <p>text", Content_Encoding="gzip", Transfer_Encoding="chunked")))[0]
    answer = answered(found)
    assert answer is not None
    assert answer.body(1_000) == b" <p>text"


def test_lz4_and_zstandard_archives() -> None:
    from fastwarc.stream_io import Lz4Writer, ZstdWriter

    for writer in (Lz4Writer, ZstdWriter):
        buffer = io.BytesIO()
        with writer(buffer) as stream:
            stream.write(PAGES[0])
        archive = buffer.getvalue()
        assert urls_of(archive) == ["http://a.test/0"]


def test_real_archives_of_other_projects(shared_hostile: dict[str, bytes]) -> None:
    counts = {name: read(body) for name, body in shared_hostile.items() if name.startswith("warc/")}
    assert len(counts) == 27
    assert all(found or damage for found, damage in counts.values())
    same = ("warc/5cb22a7ab6d90664.gz", "warc/60fa1d65fa1670ca.lz4", "warc/6b24c24068ffdd92.warc")
    blocks = [[one.block for one in counts[name][0]] for name in same]
    assert len(blocks[0]) == 50
    assert blocks[0] == blocks[1] == blocks[2]


def test_arc_and_warc_of_a_page_hold_the_same(shared: Path) -> None:
    arc = bodies(shared / "warc" / "example.arc.gz")["http://example.com/"]
    archive = bodies(shared / "warc" / "example.warc.gz")["http://example.com/"]
    assert arc[0].startswith("text/html")
    assert b"Example Domain" in archive[1]
    assert b"Example Domain" in arc[1]


def test_an_archive_lends_its_bodies_to_a_server(shared: Path) -> None:
    found = bodies(shared / "warc" / "main-page.warc.gz")
    assert "http://en.wikipedia.org/wiki/Main_Page" in found
    pictures = [body for kind, body in found.values() if kind == "image/jpeg"]
    assert len(pictures) >= 5
    assert all(body.startswith(b"\xff\xd8") for body in pictures)
