"""Compressed files as chunks: whole, in ranges, truncated, corrupt."""

from __future__ import annotations

import bz2
import gzip
import lzma
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import InputError
from witbuild.sources import unpack

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

CONTENT = bytes(range(256)) * 20_000
PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "bz2": bz2.compress,
    "gz": lambda content: gzip.compress(content, mtime=0),
    "xz": lzma.compress,
    "plain": bytes,
}


def content(path: Path) -> bytes:
    return b"".join(chunk.data for chunk in unpack.chunks(str(path)))


@pytest.mark.parametrize("kind", PACKERS)
@pytest.mark.parametrize("data", [b"", b"a\n", CONTENT])
def test_the_content_comes_back(tmp_path: Path, kind: str, data: bytes) -> None:
    path = tmp_path / "file"
    path.write_bytes(PACKERS[kind](data))
    assert content(path) == data


@pytest.mark.parametrize("kind", ["bz2", "gz", "xz"])
def test_streams_one_after_the_other_are_one_content(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"".join(PACKERS[kind](part) for part in (b"one ", CONTENT, b"", b" three")))
    assert content(path) == b"one " + CONTENT + b" three"


@pytest.mark.parametrize("kind", ["bz2", "gz", "xz"])
def test_a_truncated_file_is_an_error_that_names_file_and_byte(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    first = PACKERS[kind](b"one")
    path.write_bytes(first + PACKERS[kind](CONTENT)[:-9])
    with pytest.raises(InputError, match=rf"file: compressed stream at byte {len(first)}: .*truncated"):
        content(path)


@pytest.mark.parametrize("kind", ["bz2", "gz"])
def test_a_corrupt_file_is_an_error_that_names_file_and_byte(tmp_path: Path, kind: str) -> None:
    path = tmp_path / "file"
    packed = bytearray(PACKERS[kind](CONTENT))
    packed[len(packed) // 2] ^= 0xFF
    path.write_bytes(packed)
    with pytest.raises(InputError, match=r"file: compressed stream at byte 0: .*corrupt"):
        content(path)


def test_what_follows_a_stream_and_is_none_is_an_error(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(bz2.compress(b"one") + b"garbage")
    with pytest.raises(InputError, match=f"at byte {len(bz2.compress(b'one'))}: .*corrupt"):
        content(path)


@given(parts=st.lists(st.binary(max_size=40), max_size=12), step=st.integers(1, 200))
def test_ranges_own_every_stream_once(tmp_path_factory: pytest.TempPathFactory, parts: list[bytes], step: int) -> None:
    path = tmp_path_factory.mktemp("ranges") / "file.bz2"
    packed = b"".join(bz2.compress(part) for part in parts)
    path.write_bytes(packed)
    found = b"".join(
        chunk.data
        for start in range(0, max(len(packed), 1), step)
        for chunk in unpack.chunks(str(path), start, start + step)
        if chunk.own
    )
    assert found == b"".join(parts)


def test_only_bzip2_has_ranges(tmp_path: Path) -> None:
    path = tmp_path / "file.gz"
    path.write_bytes(gzip.compress(CONTENT))
    assert list(unpack.chunks(str(path), 5, 10)) == []


@given(st.lists(st.binary(max_size=20), max_size=20))
def test_lines_are_those_of_split(tmp_path_factory: pytest.TempPathFactory, lines: list[bytes]) -> None:
    data = b"\n".join(lines)
    path = tmp_path_factory.mktemp("lines") / "file"
    path.write_bytes(data)
    expected = data.split(b"\n")
    assert list(unpack.lines(str(path))) == (expected if expected[-1] else expected[:-1])


def test_an_endless_line_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(unpack, "MAX_LINE_BYTES", 1000)
    path = tmp_path / "file"
    path.write_bytes(bytes(2000))
    with pytest.raises(InputError, match="a line of more than 1,000 bytes"):
        list(unpack.lines(str(path)))
