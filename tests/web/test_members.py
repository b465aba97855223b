"""Members of gzip archives: whole ones, and where they end."""

from __future__ import annotations

import gzip
import io
import random

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.web.members import members
from witbuild.web.warc import BOMB_BYTES

NOISE = random.Random(1).randbytes(3_000_000)


def found(archive: bytes) -> list[bytes]:
    whole = list(members(io.BytesIO(archive)))
    for offset, length, content in whole:
        assert gzip.decompress(archive[offset : offset + length]) == content
    assert [offset for offset, _, _ in whole[1:]] == [offset + length for offset, length, _ in whole[:-1]]
    return [content for _, _, content in whole]


@given(st.lists(st.integers(0, 40_000), max_size=20))
def test_members_of_any_size_are_found(sizes: list[int]) -> None:
    contents = [NOISE[size : 2 * size] for size in sizes]
    assert found(b"".join(map(gzip.compress, contents))) == contents


@pytest.mark.parametrize("size", [1 << 14, (1 << 14) - 23, 1 << 16, 1 << 20, 2_000_000])
def test_members_around_the_sizes_of_blocks(size: int) -> None:
    contents = [NOISE[:size], b"x", NOISE[: size - 1], b"", NOISE[: size + 1]]
    assert found(b"".join(gzip.compress(one, 0) for one in contents)) == contents


@pytest.mark.parametrize(
    "rest", [b"rubbish", b"\x1f\x8b", b"\0" * 600, gzip.compress(NOISE[:99_999])[:-1], b"WARC/1.0\r\n"]
)
def test_what_is_no_whole_member_ends_it(rest: bytes) -> None:
    assert found(gzip.compress(b"a") + rest) == [b"a"]


def test_a_damaged_member_ends_it() -> None:
    packed = bytearray(gzip.compress(NOISE[:50_000]))
    packed[-6] ^= 1
    assert found(gzip.compress(b"a") + bytes(packed) + gzip.compress(b"b")) == [b"a"]


def test_a_bomb_is_not_unfolded() -> None:
    assert found(gzip.compress(b"a") + gzip.compress(bytes(BOMB_BYTES + 1))) == [b"a"]
    assert found(gzip.compress(bytes(10 * BOMB_BYTES), 9)) == []
    assert list(map(len, found(gzip.compress(bytes(BOMB_BYTES - 1))))) == [BOMB_BYTES - 1]


def test_an_archive_that_holds_none() -> None:
    assert found(b"") == found(b"WARC/1.0\r\n") == []
