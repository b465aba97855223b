"""A shard without some of its samples: every byte of the others as it was."""

from __future__ import annotations

from typing import IO, TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from witbuild.errors import VerificationError
from witbuild.io import tables, tars
from witbuild.io.manifest import sha256_file
from witbuild.sample.record import render, told
from witbuild.stages.shard.rows import write_rows

if TYPE_CHECKING:
    from pathlib import Path

LOOKED_AT = ["key", "url", "sha256", "phash"]
"""Columns of a shard's records that tombstones are held against."""
_PIECE = 1 << 20


def without(path: str, out: Path, gone: set[str]) -> None:
    """Write a shard again without the samples of some keys.

    Args:
        path: of the shard: tar or parquet.
        out: file to write.
        gone: keys.
    """
    if path.endswith(".tar"):
        _tar_without(path, out, gone)
    else:
        _rows_without(path, out, gone)


def _tar_without(path: str, out: Path, gone: set[str]) -> None:
    """Copy the bytes of the samples that stay, headers and padding included."""
    stay = [sample for sample in tars.index(path) if sample.key not in gone]
    with open(path, "rb") as source, out.open("wb") as stream:  # noqa: PTH123 a path of the run is text
        written = sum(_copy(source, stream, sample) for sample in stay)
        stream.write(bytes(tars.total(written) - written))


def _copy(source: IO[bytes], stream: IO[bytes], sample: tars.Sample) -> int:
    """Copy a sample's members, which lie beside each other, and return how many bytes that were."""
    start = min(extent.offset for extent in sample.members.values()) - tars.BLOCK
    size = sum(tars.padded(extent.size) for extent in sample.members.values())
    source.seek(start)
    for left in range(size, 0, -_PIECE):
        stream.write(source.read(min(left, _PIECE)))
    return size


def _rows_without(path: str, out: Path, gone: set[str]) -> None:
    """Write the rows that stay, as the shard's writer does."""
    table = pq.read_table(path)
    table = table.filter(pc.invert(pc.is_in(table["key"], value_set=pa.array(sorted(gone)))))
    images = pc.struct_field(table["image"].combine_chunks(), "bytes").to_pylist()
    names = pc.struct_field(table["image"].combine_chunks(), "path").to_pylist()
    formats = pa.array([name.rpartition(".")[2] for name in names], pa.string())
    record = render(told(table))
    write_rows(out, pa.table({"key": table["key"], "image_format": formats, "record": record}), images)


def sidecar_without(path: str, out: Path, gone: set[str]) -> int:
    """Write a shard's records again without those of some keys, and return how many stay.

    Raises:
        VerificationError: the records do not hold those keys.
    """
    table = tables.read(path)
    stay = table.filter(pc.invert(pc.is_in(table["key"], value_set=pa.array(sorted(gone)))))
    if table.num_rows - stay.num_rows != len(gone):
        raise VerificationError(f"{path}: holds {table.num_rows - stay.num_rows} of {len(gone)} keys; verify the run")
    tables.write(out, stay, dropped={})
    return stay.num_rows


def as_pairs(records: pa.Table) -> pa.Table:
    """Return records with the columns of pairs that tombstones look at; what is not known becomes null."""
    sha256 = pc.if_else(pc.equal(records["sha256"], ""), None, records["sha256"])
    phash = [int(text, 16) if text else None for text in records["phash"].to_pylist()]
    columns = {"key": records["key"], "url": records["url"], "original_sha256": sha256}
    return pa.table({**columns, "phash": pa.array(phash, pa.uint64())})


def hashed(path: Path) -> tuple[int, str]:
    """Return a file's bytes and sha256."""
    return path.stat().st_size, sha256_file(str(path))
