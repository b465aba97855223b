"""LICENSES.parquet: which samples carry which licence evidence, shard by shard."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from witbuild.schema import column

if TYPE_CHECKING:
    from pathlib import Path

    from witbuild.release.dataset import Dataset

LICENCES = pa.schema(
    [
        column("licence", pa.string(), "licence evidence as found: a URL or a short name; empty: none was found"),
        column("shard", pa.string(), "path of the shard from the data set's folder"),
        column("samples", pa.int64(), "of this shard that carry it"),
        column("image_bytes", pa.int64(), "of their images"),
        column("rows", pa.list_(pa.int32()), "their places in the shard and in its metadata, from 0, ascending"),
    ],
)


def write_licences(path: Path, dataset: Dataset) -> Counter[str]:
    """Write a row group a shard, its licences in order, and return the samples of each licence.

    One shard's records are in memory at a time.
    """
    counted: Counter[str] = Counter()
    with pq.ParquetWriter(path, LICENCES, compression="zstd") as writer:
        for shard in dataset.shards:
            table = by_licence(dataset.records(shard, ["licence", "image_bytes"]), shard.path)
            writer.write_table(table)
            counted.update(dict(zip(table["licence"].to_pylist(), table["samples"].to_pylist(), strict=True)))
    return counted


def by_licence(records: pa.Table, shard: str) -> pa.Table:
    """Group a shard's records.

    Example:
        >>> records = pa.table({"licence": ["CC0", "", "CC0"], "image_bytes": pa.array([1, 2, 4], pa.int32())})
        >>> [(row["licence"], row["samples"], row["image_bytes"], row["rows"])
        ...  for row in by_licence(records, "a.tar").to_pylist()]
        [('', 1, 2, [1]), ('CC0', 2, 5, [0, 2])]
    """
    numbered = records.append_column("rows", pa.array(np.arange(len(records), dtype=np.int32)))
    sums = [("image_bytes", "sum"), ("rows", "list"), ("rows", "count")]
    grouped = numbered.group_by("licence", use_threads=False).aggregate(sums).sort_by("licence")
    shards = pa.array([shard] * len(grouped), pa.string())
    sizes = grouped["image_bytes_sum"].cast(pa.int64())
    columns = [grouped["licence"], shards, pc.cast(grouped["rows_count"], pa.int64()), sizes, grouped["rows_list"]]
    return pa.Table.from_arrays(columns, names=LICENCES.names).cast(LICENCES)
