"""Windows of a shard: what threads hash and write is what one thread would, and their errors come out."""

from __future__ import annotations

import hashlib
import io
import random
from itertools import pairwise
from typing import TYPE_CHECKING

import pyarrow as pa
import pytest

from witbuild.io import tars
from witbuild.stages.shard.members import Members
from witbuild.stages.shard.spool import Spool

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path


class Numbered:
    """Images of bytes that tell their row."""

    def __init__(self, sizes: list[int]) -> None:
        self.images = [bytes([row]) * size for row, size in enumerate(sizes)]

    def read_into(self, rows: range, targets: Sequence[memoryview]) -> None:
        for row, target in zip(rows, targets, strict=True):
            target[:] = self.images[row]


def some(count: int) -> tuple[pa.Table, Numbered]:
    sizes = [random.Random(count).randrange(3000) for _ in range(count)]
    columns = {"key": [f"{row:032x}" for row in range(count)], "image_format": ["jpg"] * count, "image_bytes": sizes}
    texts = {"record": [f'{{"row":{row}}}' for row in range(count)], "caption": ["ü" * row for row in range(count)]}
    return pa.table({**columns, **texts}), Numbered(sizes)


def written(samples: pa.Table, images: Numbered) -> tuple[bytes, list[int]]:
    """The same by the writer of single members, and where samples begin and end."""
    stream = io.BytesIO()
    tar, bounds = tars.TarWriter(stream), [0]
    for row, image in zip(samples.to_pylist(), images.images, strict=True):
        for extension, content in (("jpg", image), ("json", row["record"].encode()), ("txt", row["caption"].encode())):
            tar.add(f"{row['key']}.{extension}", content)
        bounds.append(tar.position)
    return stream.getvalue(), bounds


@pytest.mark.parametrize(("size", "rows"), [(1, 99), (5000, 99), (1 << 20, 4), (1 << 20, 99)])
def test_a_spool_writes_and_hashes_what_the_writer_would(tmp_path: Path, size: int, rows: int) -> None:
    samples, images = some(40)
    members, (expected, bounds) = Members(samples, images), written(samples, images)
    with (tmp_path / "a").open("wb") as stream, Spool(stream) as spool:
        for some_rows, window in members.windows(size, rows):
            spool.put(window, members.bounds(some_rows))
    assert (tmp_path / "a").read_bytes() == expected
    assert spool.whole == hashlib.sha256(expected).hexdigest()
    assert spool.samples == [hashlib.sha256(expected[start:stop]).hexdigest() for start, stop in pairwise(bounds)]
    assert members.tar_bytes == [stop - start for start, stop in pairwise(bounds)]


def test_a_disk_that_is_full_is_told() -> None:
    with (
        pytest.raises(OSError, match="No space left"),
        open("/dev/full", "wb") as stream,  # noqa: PTH123
        Spool(stream) as spool,
    ):
        spool.put(memoryview(bytes(1 << 20)), [0])


def test_an_image_that_cannot_be_read_ends_the_writing(tmp_path: Path) -> None:
    samples, images = some(9)
    images.images[7] = b"another size"
    members = Members(samples, images)

    def write() -> None:
        with (tmp_path / "a").open("wb") as stream, Spool(stream) as spool:
            for rows, window in members.windows(1, 1):
                spool.put(window, members.bounds(rows))

    with pytest.raises(ValueError, match="different"):
        write()
