"""What a shard is: a tar with a parquet file of its records, the same as img2dataset lays it out, or one parquet file.

         tar                                     img2dataset          parquet
data     data/train-00000-of-00012.tar           00000.tar            data/train-00000-of-00012.parquet
records  metadata/train-00000-of-00012.parquet   00000.parquet        metadata/train-00000-of-00012.parquet
counts                                           00000_stats.json
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stages.shard.pack import Pack

if TYPE_CHECKING:
    from pathlib import Path

    import pyarrow as pa

    from witbuild.sample.record import Place
    from witbuild.stage import Task


class TarPack(Pack):
    """Write each shard as a tar."""

    name: ClassVar = "shard.pack"
    files: ClassVar = {"tars": ".tar", "sidecars": ".parquet"}
    homes: ClassVar = {"tars": "dataset/data", "sidecars": "dataset/metadata"}

    def write(self, path: Path, samples: pa.Table, images: list[bytes]) -> tuple[str, list[Place]]:
        """Write the samples' members behind each other."""
        from witbuild.stages.shard.members import Hashed, write_samples

        with path.open("wb") as stream:
            hashed = Hashed(stream)
            places = write_samples(hashed, samples, images)
        return hashed.whole, places


class Img2datasetPack(TarPack):
    """Write each shard as img2dataset does: numbered files in one folder, its fields in each record."""

    name: ClassVar = "shard.pack_img2dataset"
    files: ClassVar = {"tars": ".tar", "sidecars": ".parquet", "stats": "_stats.json"}
    homes: ClassVar = {"tars": "dataset", "sidecars": "dataset", "stats": "dataset"}
    overhead: ClassVar = 512

    def write(self, path: Path, samples: pa.Table, images: list[bytes]) -> tuple[str, list[Place]]:
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

    def write(self, path: Path, samples: pa.Table, images: list[bytes]) -> tuple[str, list[Place]]:
        """Write rows; a sample's digest is that of the members it would have in a tar."""
        from witbuild.io.manifest import sha256_file
        from witbuild.stages.shard.members import Hashed, write_samples
        from witbuild.stages.shard.rows import write_rows

        places = write_samples(Hashed(None), samples, images)
        write_rows(path, samples, images)
        return sha256_file(str(path)), places
