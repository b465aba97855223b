"""Samples laid out in memory: the same bytes as the writer's, whatever the windows."""

from __future__ import annotations

import io

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.io import tars
from witbuild.io.laid import Layout, headers

MEMBERS = ("jpg", "json", "txt")
CONTENT = st.binary(max_size=1500) | st.sampled_from([b"", b"x" * 512, b"y" * 1024])
SAMPLES = st.lists(st.fixed_dictionaries(dict.fromkeys(MEMBERS, CONTENT)), max_size=9)
NAMES = st.text("0123456789abcdef.-_", min_size=1, max_size=100)


def written(samples: list[dict[str, bytes]]) -> bytes:
    """The members as the writer puts them, without the end of the archive."""
    stream = io.BytesIO()
    tar = tars.TarWriter(stream)
    for number, sample in enumerate(samples):
        for extension in MEMBERS:
            tar.add(f"{number:x}.{extension}", sample[extension])
    return stream.getvalue()


def laid(samples: list[dict[str, bytes]], size: int, rows: int) -> bytes:
    """The windows behind each other, made in memory that held something else."""
    sizes = {name: np.array([len(sample[name]) for sample in samples], np.int64) for name in reversed(MEMBERS)}
    layout, out = Layout([f"{number:x}" for number in range(len(samples))], sizes), b""
    for some in layout.cut(size, rows):
        window = np.full(layout.bounds(some)[-1], 255, np.uint8)
        layout.frame(some, window)
        for extension in MEMBERS:
            for row, (start, stop) in zip(some, layout.slots(some, extension), strict=True):
                window.data[start:stop] = samples[row][extension]
        assert len(some) == 1 or len(window) <= size
        assert 1 <= len(some) <= rows
        out += window.tobytes()
    assert len(out) == layout.starts[-1]
    return out


@given(SAMPLES, st.integers(0, 20_000), st.integers(1, 10))
def test_windows_behind_each_other_are_what_the_writer_writes(
    samples: list[dict[str, bytes]], size: int, rows: int
) -> None:
    assert laid(samples, size, rows) == written(samples)


@given(st.lists(st.tuples(NAMES, st.integers(0, tars.LARGEST)), min_size=1, max_size=20))
def test_headers_are_those_of_the_writer(files: list[tuple[str, int]]) -> None:
    names, sizes = zip(*files, strict=True)
    found = headers(np.array(names, np.bytes_), np.array(sizes))
    assert [bytes(block) for block in found] == [tars.header(*file) for file in files]


@pytest.mark.parametrize(
    ("name", "size"), [(b"a" * 101, 0), (b"", 0), (b"a", -1), (b"a", tars.LARGEST + 1)], ids=["long", "", "-", "large"]
)
def test_what_ustar_cannot_hold_is_refused(name: bytes, size: int) -> None:
    with pytest.raises(ValueError, match="does not fit a USTAR header"):
        headers(np.array([name, b"b"]), np.array([size, 0]))
