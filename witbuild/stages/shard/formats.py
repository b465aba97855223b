"""What a shard is: a tar with a parquet file of its records, the same as img2dataset lays it out, or one parquet file.

         tar                                     img2dataset          parquet
data     data/train-00000-of-00012.tar           00000.tar            data/train-00000-of-00012.parquet
records  metadata/train-00000-of-00012.parquet   00000.parquet        metadata/train-00000-of-00012.parquet
counts                                           00000_stats.json
"""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, ClassVar

from witbuild.stages.shard.pack import Pack

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import pyarrow as pa

    from witbuild.sample.record import Place
    from witbuild.stage import Task
    from witbuild.stages.shard.images import StoredImages
    from witbuild.stages.shard.members import Members
    from witbuild.stages.shard.spool import Spool

_WINDOW = 4 << 20
"""Bytes of a tar that are made in memory at a time."""


class TarPack(Pack):
    """Write each shard as a tar."""

    name: ClassVar = "shard.pack"
    files: ClassVar = {"tars": ".tar", "sidecars": ".parquet"}
    homes: ClassVar = {"tars": "dataset/data", "sidecars": "dataset/metadata"}

    def write(self, path: Path, samples: pa.Table, images: StoredImages) -> tuple[str, list[Place]]:
        """Write the samples' members behind each other."""
        from witbuild.io.tars import total
        from witbuild.stages.shard.members import Members
        from witbuild.stages.shard.spool import Spool

        members = Members(samples, images)
        size = sum(members.tar_bytes)
        with path.open("wb") as stream, Spool(stream) as spool:
            for rows, window in members.windows(_WINDOW, rows=len(samples)):
                spool.put(window, members.bounds(rows))
            spool.put(memoryview(bytes(total(size) - size)), [])
        return spool.whole, _places(members, spool)


class Img2datasetPack(TarPack):
    """Write each shard as img2dataset does: numbered files in one folder, its fields in each record."""

    name: ClassVar = "shard.pack_img2dataset"
    files: ClassVar = {"tars": ".tar", "sidecars": ".parquet", "stats": "_stats.json"}
    homes: ClassVar = {"tars": "dataset", "sidecars": "dataset", "stats": "dataset"}
    overhead: ClassVar = 512

    def write(self, path: Path, samples: pa.Table, images: StoredImages) -> tuple[str, list[Place]]:
        """Write the samples with img2dataset's fields in their records."""
        from witbuild.stages.shard.img2dataset import extended

        return super().write(path, extended(samples), images)

    def more_files(self, task: Task, table: pa.Table) -> tuple[pa.Table, dict[str, Path]]:
        """Add img2dataset's columns and its counts of the shard."""
        from witbuild.stages.shard.img2dataset import columns, stats

        path = task.scratch_file("stats.json")
        path.write_bytes(stats(table.num_rows))
        return columns(table), {"stats": path}

    def file_name(self, kind: str, task: Task) -> str:
        """Return the shard's name, as in 00000.tar."""
        return f"{task.arguments['shard']:05d}{self.files[kind]}"


class ParquetPack(Pack):
    """Write each shard as a parquet file with the images in it."""

    name: ClassVar = "shard.pack_parquet"
    data: ClassVar = "parquets"
    files: ClassVar = {"parquets": ".parquet", "sidecars": ".parquet"}
    homes: ClassVar = {"parquets": "dataset/data", "sidecars": "dataset/metadata"}

    def write(self, path: Path, samples: pa.Table, images: StoredImages) -> tuple[str, list[Place]]:
        """Write rows; a sample's digest is that of the members it would have in a tar."""
        from witbuild.io.manifest import sha256_file
        from witbuild.stages.shard.members import Members
        from witbuild.stages.shard.rows import GROUP, write_rows
        from witbuild.stages.shard.spool import Spool

        members = Members(samples, images)
        with Spool() as spool:
            write_rows(path, samples, _hashed(members, spool, GROUP))
        return sha256_file(str(path)), _places(members, spool)


def _hashed(members: Members, spool: Spool, rows: int) -> Iterator[memoryview]:
    """Yield the images, so many rows at a time, while a spool hashes the samples that they are of."""
    for window_rows, window in members.windows(sys.maxsize, rows):
        spool.put(window, members.bounds(window_rows))
        yield from members.images(window_rows, window)


def _places(members: Members, spool: Spool) -> list[Place]:
    from witbuild.sample.record import Place

    return [Place(size, digest) for size, digest in zip(members.tar_bytes, spool.samples, strict=True)]
