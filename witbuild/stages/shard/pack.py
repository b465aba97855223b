"""The global order into shards: cut it into exact ranges and write each; what a shard is, formats.py says."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import EmptyError, InputError
from witbuild.stage import Part, Stage, Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    import pyarrow as pa

    from witbuild.sample.record import Place
    from witbuild.stage import Inputs
    from witbuild.stages.shard.images import StoredImages

SPLITS = ("train", "val")


class Pack(Stage):
    """Cut the global order into shards and write each, with a parquet file of its records."""

    version: ClassVar = 2
    reads: ClassVar = ("samples", "images")
    output: ClassVar = "shards"
    once: ClassVar = True
    data: ClassVar = "tars"
    """The kind of file that holds the samples."""
    overhead: ClassVar = 0
    """Bytes by which a sample may grow over what the samples table says."""

    samples_per_shard: int
    """At most in a shard."""
    max_shard_bytes: int | None
    """At most in a shard."""
    train_slices: int
    """So many of the samples' parts are train's, the rest val's."""

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each shard: train's, then val's."""
        paths, images = inputs["samples"], inputs["images"]
        _check_one_format(paths)
        index = 0
        for held, parts in enumerate((paths[: self.train_slices], paths[self.train_slices :])):
            shards = list(self._cut(parts))
            for number, (sources, skip, rows) in enumerate(shards):
                arguments = {"held": held, "shard": number, "shards": len(shards), "skip": skip, "rows": rows}
                yield Task(index, {"samples": sources, "images": images}, arguments)
                index += 1
        if index == 0:
            raise EmptyError("stage shard: no pair has a stored image; put fetch before shard and see what it dropped")

    def _cut(self, parts: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], int, int]]:
        """Yield for each shard the parts that hold it, its first row in them, and its rows."""
        from witbuild.io import tables
        from witbuild.io.tars import payload
        from witbuild.sample.order import cut, spans

        rows = [tables.Footer(path).rows for path in parts]
        sizes = (tables.read(path, ["tar_bytes"])["tar_bytes"].to_numpy() + self.overhead for path in parts)
        limit = None if self.max_shard_bytes is None else payload(self.max_shard_bytes)
        for start, stop in cut(sizes, samples=self.samples_per_shard, size=limit):
            inside = spans(rows, start, stop)
            yield tuple(parts[part] for part, _, _ in inside), inside[0][1], stop - start

    def process(self, task: Task) -> Part:
        """Write one shard."""
        from witbuild.io import tables
        from witbuild.sample.record import sidecar
        from witbuild.stages.shard.images import StoredImages

        samples = _rows(task.sources["samples"], task.arguments["skip"], task.arguments["rows"])
        shard, parquet = task.scratch_file("shard"), task.scratch_file("sidecar.parquet")
        digest, places = self.write(shard, samples, StoredImages(samples, task.sources["images"]))
        table, more = self.more_files(task, sidecar(samples, places))
        tables.write(parquet, table, dropped={})
        files = {self.data: shard, "sidecars": parquet, **more}
        return Part(self._row(task, shard, len(samples), digest), files=files, digests={self.data: digest})

    def write(self, path: Path, samples: pa.Table, images: StoredImages) -> tuple[str, list[Place]]:
        """Write a shard; return its sha256, and what each sample takes in a tar: bytes and their sha256."""
        raise NotImplementedError

    def more_files(self, task: Task, table: pa.Table) -> tuple[pa.Table, dict[str, Path]]:
        """Return the shard's records as they are to be written, and further files by kind."""
        return table, {}

    def _row(self, task: Task, shard: Path, samples: int, digest: str) -> pa.Table:
        from witbuild.io import tables
        from witbuild.schema import SHARDS

        split, name = SPLITS[task.arguments["held"]], self.file_name(self.data, task)
        numbers = {"samples": samples, "bytes": shard.stat().st_size, "sha256": digest}
        return tables.from_rows([{"shard": name, "split": split, **numbers}], SHARDS)

    def file_name(self, kind: str, task: Task) -> str:
        """Return the shard's name, as in train-00000-of-00012.tar."""
        numbers = task.arguments
        return f"{SPLITS[numbers['held']]}-{numbers['shard']:05d}-of-{numbers['shards']:05d}{self.files[kind]}"


def _check_one_format(paths: Iterable[str]) -> None:
    """Refuse images of several formats: samples would differ in their members and readers would fail."""
    from witbuild.io import tables

    formats = {value for path in paths for value in tables.bounds(path, "image_format")}
    if len(formats) > 1:
        raise InputError(
            f"stage shard: the images are {' and '.join(sorted(map(str, formats)))}; the samples of a data set have "
            "one format: let fetch encode them all as one (its parameter `format`)"
        )


def _rows(paths: Iterable[str], skip: int, rows: int) -> pa.Table:
    """Read so many rows of the parts behind each other, after the first few."""
    import pyarrow as pa

    from witbuild.io import tables

    out = []
    for path in paths:
        stop = min(tables.Footer(path).rows, skip + rows)
        out.append(tables.read_rows(path, skip, stop))
        skip, rows = 0, rows - (stop - skip)
    return pa.concat_tables(out)
