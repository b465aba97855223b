"""Which samples of a file differ, told by the sha256 that the shard's metadata holds of each.

The samples of a tar follow without a gap, so where each begins is known from the metadata alone: no header of a
damaged tar is believed.
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from witbuild.errors import InputError
from witbuild.io import store, tars
from witbuild.sample.record import Place, render, told

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from witbuild.release.dataset import Dataset, Shard

END = "(the end of the archive)"


def differing(dataset: Dataset, path: str) -> tuple[str, ...]:
    """Return the keys of the samples in which a shard or its metadata differ; none when that cannot be told.

    Args:
        dataset: its index names the shards.
        path: of a file, from the data set's folder.
    """
    try:
        shards = {name: shard for shard in dataset.shards for name in (shard.path, shard.metadata)}
        shard = shards.get(path)
        if shard is None:
            return ()
        return tuple(_in_metadata(dataset, shard) if path == shard.metadata else _in_shard(dataset, shard))
    except (InputError, pa.ArrowException, OSError, ValueError, KeyError):
        return ()  # what would tell is damaged as well


def _in_shard(dataset: Dataset, shard: Shard) -> Iterator[str]:
    table = dataset.records(shard, ["key", "image_format", "tar_bytes", "sample_sha256"])
    rows = zip(*(table[name].to_pylist() for name in ("key", "tar_bytes", "sample_sha256")), strict=True)
    places = [(key, Place(size, digest)) for key, size, digest in rows]
    if shard.path.endswith(".tar"):
        yield from _in_tar(dataset.path(shard.path), places)
    else:
        yield from _in_rows(dataset.path(shard.path), places, table["image_format"][0].as_py())


def _in_tar(path: str, places: list[tuple[str, Place]]) -> Iterator[str]:
    import hashlib

    with store.open_read(path) as stream:
        for key, place in places:
            if hashlib.sha256(stream.read(place.tar_bytes)).hexdigest() != place.sha256:
                yield key
        rest = tars.total(sum(place.tar_bytes for _, place in places)) - stream.tell()
        if stream.read(rest + 1) != bytes(rest):
            yield END


def _in_rows(path: str, places: list[tuple[str, Place]], image_format: str) -> Iterator[str]:
    """Compare rows of parquet, group by group, by what they would be in a tar."""
    with store.open_read(path) as stream:
        file, start = pq.ParquetFile(stream), 0
        for group in range(file.num_row_groups):
            stop = start + file.metadata.row_group(group).num_rows
            found = _digests(file, group, image_format)
            for number, (key, place) in enumerate(places[start:stop]):
                if number >= len(found) or found[number] != place.sha256:
                    yield key
            start = stop


def _digests(file: pq.ParquetFile, group: int, image_format: str) -> list[str]:
    """Return the digest of each sample of a row group; none when it cannot be read."""
    from witbuild.stages.shard.members import Members
    from witbuild.stages.shard.spool import digests

    try:
        table = file.read_row_group(group)
        record = render(told(table.combine_chunks()))
    except (pa.ArrowException, OSError, ValueError):
        return []
    if len(table) == 0:
        return []
    images = table["image"].combine_chunks().field("bytes")
    columns = {
        "key": table["key"],
        "image_format": [image_format] * len(table),
        "image_bytes": pc.binary_length(images),
    }
    members = Members(pa.table({**columns, "record": record, "caption": table["caption"]}), _Read(images))
    ((rows, window),) = members.windows(sys.maxsize, rows=len(table))
    return digests(window, members.bounds(rows))


class _Read:
    """Images that are in memory."""

    def __init__(self, images: pa.BinaryArray) -> None:
        self._images = images

    def read_into(self, rows: range, targets: Sequence[memoryview]) -> None:
        """Copy some."""
        for image, target in zip(self._images.slice(rows.start, len(rows)).to_pylist(), targets, strict=True):
            target[:] = image


def _in_metadata(dataset: Dataset, shard: Shard) -> Iterator[str]:
    """Compare the metadata's rows with the records in the tar, which are told apart by place."""
    if not shard.path.endswith(".tar"):
        return
    table, path = dataset.records(shard), dataset.path(shard.path)
    rows = render(told(table.combine_chunks())).to_pylist()
    index = tars.index(path)
    members = tars.read_many(path, [sample.members["json"] for sample in index])
    for sample, row, member in zip(index, rows, members, strict=True):
        if not member.startswith(row.encode()[:-1]):
            yield sample.key
