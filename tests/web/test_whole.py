"""Archives read member by member: the records and damages of the reader that knows every archive."""

from __future__ import annotations

import gzip
import io
import random
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import IO

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warcs import http, packed, page, record
from witbuild.web import members, warc, whole
from witbuild.web.warc import Damage, Record

WHOLE = [
    page("<p>" + "x" * 500, "http://a.test/1"),
    page("<p>é", "<http://a.test/2>"),
    record(b"GET / HTTP/1.1\r\n\r\n", "http://a.test/3", "request"),
    record(b"", "", "metadata"),
    page("<p>" + "".join(map(str, range(40_000)))),
    record(http(b"<p>")).replace(b"WARC/1.0", b"WARC/1.1"),
]
ODD = [
    WHOLE[0] + WHOLE[1],
    WHOLE[0][:-4],
    WHOLE[0][:-1],
    WHOLE[0] + b"\r\n",
    b"\r\n" + WHOLE[0],
    WHOLE[0].replace(b"Content-Length: 5", b"Content-Length: 6"),
    WHOLE[0].replace(b"Content-Length: 5", b"Content-Length: 1"),
    WHOLE[0].replace(b"Content-Length: ", b"Content-Length: x"),
    WHOLE[0].replace(b"Content-Length", b"content-length"),
    WHOLE[0].replace(b"WARC-Type", b"warc-type"),
    WHOLE[0].replace(b"WARC-Date", b"WARC-Target-URI"),
    WHOLE[0].replace(b"\r\nWARC-Date: ", b"\r\n  "),
    WHOLE[0].replace(b"WARC/1.0", b"WARC/0.9"),
    WHOLE[0].replace(b"http://a.test/1", "http://a.test/é".encode()),
    WHOLE[0].replace(b"http://a.test/1", b"http://a.test/\xff"),
    b"text",
    b"",
]
usual = st.sampled_from(WHOLE).map(lambda part: gzip.compress(part, mtime=0))
odd = st.sampled_from(ODD).map(lambda part: gzip.compress(part, mtime=0))
rubbish = st.sampled_from([b"\0" * 20, b"rubbish", b"\x1f\x8b", b"\x1f\x8b\x08\0", packed(WHOLE[0])[:60]])


def read(archive: bytes) -> list[tuple[object, ...]]:
    return [
        one[:5] if isinstance(one, Record) else (one.reason,)
        for one in warc.records(io.BytesIO(archive))
        if isinstance(one, Record | Damage)
    ]


def by_the_other_reader(archive: bytes) -> list[tuple[object, ...]]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "records", none)
        return read(archive)


def none(stream: object, position: int) -> Generator[Record, None, int]:
    yield from ()
    return position


@settings(max_examples=400)
@given(st.lists(usual, min_size=1, max_size=5), st.lists(usual | odd | rubbish, max_size=4), st.integers(0, 40))
def test_any_archive_gives_what_the_other_reader_finds(first: list[bytes], then: list[bytes], cut: int) -> None:
    archive = b"".join(first + then)
    archive = archive[: len(archive) - max(0, cut - 20)]
    assert read(archive) == by_the_other_reader(archive)


@settings(max_examples=400)
@given(st.lists(usual | odd | rubbish, min_size=1, max_size=12), st.integers(0, 40))
def test_any_archive_gives_the_same_where_members_are_tried_again_at_every_record(parts: list[bytes], cut: int) -> None:
    archive = b"".join(parts)
    archive = archive[: len(archive) - max(0, cut - 20)]
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(whole, "_MOST_WAIT", 0)
        found = read(archive)
    assert found == by_the_other_reader(archive)


@given(st.binary(min_size=1, max_size=8), st.integers(0, 2_000))
def test_any_damage_gives_what_the_other_reader_finds(noise: bytes, at: int) -> None:
    archive = packed(*WHOLE[:3], WHOLE[5])
    archive = archive[:at] + noise + archive[at + len(noise) :]
    assert read(archive) == by_the_other_reader(archive)


@pytest.mark.parametrize("place", range(10))
def test_any_byte_of_a_members_header_gives_what_the_other_reader_finds(place: int) -> None:
    first, second = packed(WHOLE[0]), bytearray(packed(WHOLE[1]))
    for second[place] in range(256):
        archive = first + second + first
        assert read(archive) == by_the_other_reader(archive)


def test_usual_archives_are_not_left_to_the_other_reader() -> None:
    left: list[int | None] = []

    def told() -> Iterator[Record | Damage]:
        left.append((yield from whole.records(io.BytesIO(packed(*WHOLE)), 0)))

    assert [one.__class__ for one in told()] == [Record] * len(WHOLE)
    assert left == [None]


def by_the_other(archive: bytes, monkeypatch: pytest.MonkeyPatch) -> int:
    """How many records the reader that knows every archive reads of one."""
    count = 0
    block = warc._block

    def counted(found: object) -> bytes:
        nonlocal count
        count += 1
        return block(found)  # type: ignore[arg-type]

    monkeypatch.setattr(warc, "_block", counted)
    read(archive)
    return count


LARGE = packed(page("<p>" + random.Random(1).randbytes(100_000).hex()))
DAMAGED = [
    LARGE[:50_000] + b"damage" + LARGE[50_006:],
    LARGE[:-9],
    gzip.compress(WHOLE[0] + WHOLE[1], mtime=0),
    b"rubbish",
    gzip.compress(record(bytes(12_000_000)), mtime=0),
]


@pytest.mark.parametrize("damage", DAMAGED)
def test_members_are_read_as_such_again_behind_damage(damage: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    run = LARGE * 60
    assert len(run) > whole._WORTH_BYTES
    assert by_the_other((run + damage) * 3 + run, monkeypatch) < 3 * 8


def test_members_are_not_tried_again_at_every_record_of_an_odd_archive(monkeypatch: pytest.MonkeyPatch) -> None:
    tried: list[int] = []
    usual = whole.records
    archive = packed(*[part.replace(b"WARC-Date", b"WARC-Target-URI") for part in WHOLE]) * 100

    def counted(stream: IO[bytes], position: int) -> Generator[Record | Damage, None, int | None]:
        tried.append(position)
        return usual(stream, position)

    monkeypatch.setattr(whole, "records", counted)
    assert len(read(archive)) == 100 * len(WHOLE)
    assert len(tried) < 2 * 12


@pytest.mark.parametrize("other", [{"length": 9}, {"content": b"x"}, {"url": "http://b.test/"}, {"offset": 0}])
def test_both_readers_must_have_found_the_same_record(
    other: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(whole, "_MOST_WAIT", 0)
    stream = io.BytesIO(packed(*WHOLE[:4]))
    found = list(warc.records(stream))
    second = found[1]
    assert isinstance(second, Record)
    again = whole.Again(stream)
    assert again.after(second) is None  # the first is too early
    stream.seek(7)
    assert again.after(second._replace(**other)) is None  # type: ignore[arg-type]
    assert stream.tell() == 7
    behind = again.after(second)
    assert behind is not None
    assert list(behind) == found[2:]


def test_members_larger_than_what_is_read_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    wanted = read(packed(*WHOLE))
    for name in ("_BLOCK_BYTES", "_FIRST", "_MORE"):
        monkeypatch.setattr(members, name, 100)
    assert read(packed(*WHOLE)) == wanted


def test_real_archives_are_read_as_by_the_other_reader(shared: Path, shared_hostile: dict[str, bytes]) -> None:
    archives = [path.read_bytes() for path in sorted((shared / "warc").glob("*.gz"))]
    archives += [body for name, body in sorted(shared_hostile.items()) if name.startswith("warc/")]
    for archive in archives:
        assert read(archive) == by_the_other_reader(archive)
