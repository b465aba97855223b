"""Samples as rows of parquet: the image and its record, in small row groups that can be fetched one by one."""

from __future__ import annotations

import json
from itertools import islice
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.parquet as pq

from witbuild.sample.features import IMAGE, ROWS, arrow_features
from witbuild.sample.record import RECORD, parse

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

GROUP = 100
"""Rows of a row group: about ten megabytes of images, what one range request fetches."""


def write_rows(path: Path, samples: pa.Table, images: Iterable[bytes | memoryview]) -> None:
    """Write samples as rows of witbuild.sample.features.ROWS; a row group of images is in memory at a time.

    A page index lets readers fetch single pages. Pages are cut where the content says (content-defined chunking), so
    that a store that keeps equal chunks once keeps an edited file at the price of its edit.
    """
    metadata = {"huggingface": json.dumps({"info": {"features": arrow_features(ROWS)}})}
    schema = ROWS.with_metadata(metadata)
    options: dict[str, Any] = {"compression": _compression(), "use_dictionary": list(RECORD.names)}
    chunked = {"write_page_index": True, "use_content_defined_chunking": True}
    left = iter(images)
    with pq.ParquetWriter(path, schema, **options, **chunked) as writer:
        for start in range(0, len(samples), GROUP):
            rows = samples.slice(start, GROUP)
            # Arrow never lets go of memory that it was shown by a memoryview
            some = [bytes(image) for image in islice(left, GROUP)]
            writer.write_table(_rows(rows, some).cast(schema), row_group_size=GROUP)


def _compression() -> dict[str, str]:
    """Return zstd for every column but the images, which are compressed already."""
    columns = [f"{field.name}.list.element" if pa.types.is_list(field.type) else field.name for field in RECORD]
    return {"image.bytes": "none", "image.path": "zstd", **dict.fromkeys(columns, "zstd")}


def _rows(samples: pa.Table, images: Sequence[bytes]) -> pa.Table:
    names = zip(samples["key"].to_pylist(), samples["image_format"].to_pylist(), strict=True)
    paths = [f"{key}.{extension}" for key, extension in names]
    column = pa.StructArray.from_arrays([pa.array(images, pa.binary()), pa.array(paths)], fields=list(IMAGE))
    return pa.Table.from_arrays([column, *parse(samples["record"]).columns], schema=ROWS)
