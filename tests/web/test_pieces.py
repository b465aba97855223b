"""Pieces of archives: together they are the archive, however it is cut and whatever is in it."""

from __future__ import annotations

import gzip
import io
import random
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.warcs import packed, page, record
from witbuild.web import pieces
from witbuild.web.pieces import boundary, piece_of
from witbuild.web.warc import Record, records

LEAD = 70_000
"""More than a damaged header of a member may say that it holds."""
NOISE = random.Random(1).randbytes(1 << 20)
PAGES = [
    page(f"<p>{number} " + NOISE[:size].hex(), f"http://a.test/{number}") for number, size in enumerate((9, 6_000))
]
SMALL = packed(*PAGES)


def holding(content: bytes) -> bytes:
    """A record that holds bytes as they are, packed as a block that is not."""
    return gzip.compress(record(content, "http://b.test/x.warc.gz", "resource", "application/gzip"), 0, mtime=0)


usual = st.sampled_from([*PAGES, record(b"{}", kind="metadata")]).map(packed)
archives_within = st.sampled_from([holding(SMALL), holding(SMALL[7:] + SMALL), holding(b"\x1f\x8b\x08" + SMALL)])
odd = st.sampled_from([
    packed(PAGES[0])[:60], SMALL[:-1], b"rubbish", b"\x1f\x8b", b"\x1f\x8b\x08\0", bytes(20), gzip.compress(b"text"),
    gzip.compress(PAGES[0] + PAGES[1], mtime=0), PAGES[0],
])  # fmt: skip
runs = st.integers(1, 24).map(lambda count: SMALL * count)
anything = st.lists(runs | usual | archives_within | odd, max_size=6).map(b"".join)


def told(found: object) -> tuple[object, ...]:
    return tuple(found) if isinstance(found, Record) else (found,)


def read(archive: bytes, count: int) -> list[tuple[object, ...]]:
    """Return what is found in the pieces of an archive."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(pieces, "LEAD", LEAD)
        cut = [piece for number in range(count) if (piece := piece_of(io.BytesIO(archive), number, count))]
    return [told(one) for piece in cut for one in records(*piece)]


@settings(max_examples=300)
@given(anything, st.integers(1, 9))
def test_the_pieces_are_the_archive(archive: bytes, count: int) -> None:
    assert read(archive, count) == list(map(told, records(io.BytesIO(archive))))


@given(st.binary(min_size=1, max_size=8), st.integers(0, 40 * len(SMALL)), st.integers(2, 9))
def test_the_pieces_of_a_damaged_archive_are_the_archive(noise: bytes, at: int, count: int) -> None:
    archive = SMALL * 40
    archive = archive[:at] + noise + archive[at + len(noise) :]
    assert read(archive, count) == list(map(told, records(io.BytesIO(archive))))


@given(st.integers(0, 40 * len(SMALL)), st.integers(2, 9))
def test_the_pieces_of_a_truncated_archive_are_the_archive(size: int, count: int) -> None:
    archive = (SMALL * 40)[:size]
    assert read(archive, count) == list(map(told, records(io.BytesIO(archive))))


def test_pieces_are_about_as_large_as_asked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pieces, "LEAD", LEAD)
    archive = SMALL * 100
    ends = [boundary(io.BytesIO(archive), len(archive) * number // 5, len(archive)) for number in range(6)]
    sizes = [end - begin for begin, end in pairwise(ends)]
    assert max(sizes) - min(sizes) < 3 * len(SMALL)


@pytest.mark.parametrize("whole", [b"".join(PAGES) * 40, gzip.compress(b"".join(PAGES) * 40), b"", b"rubbish"])
def test_what_has_no_members_is_one_piece(whole: bytes) -> None:
    assert [piece_of(io.BytesIO(whole), number, 4) is None for number in range(4)] == [False, True, True, True]


@pytest.mark.parametrize("at", [0.2, 0.5, 0.8])
def test_a_large_archive_in_a_record_is_no_part_of_the_archive(at: float) -> None:
    """Its members lie there as they are, sixty-five thousand bytes in a row; real places to cut at lie before it."""
    inner = packed(*[page(NOISE[place : place + 20_000].hex()) for place in range(0, 1 << 20, 20_000)]) * 4
    fill = packed(*[page(NOISE[place : place + 50_000].hex()) for place in range(0, 1 << 20, 50_000)]) * 10
    archive = fill + holding(inner) * 2 + fill
    position = len(fill) + int(2 * at * len(inner))
    found = boundary(io.BytesIO(archive), position, len(archive))
    begun = [one.offset for one in records(io.BytesIO(archive)) if isinstance(one, Record)]
    assert found in begun
    assert found >= position
