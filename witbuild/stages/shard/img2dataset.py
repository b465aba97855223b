"""img2dataset's own fields, so that what reads its output reads this: in records, sidecars and counts.

Its key is the shard's number and the sample's; ours is the pair's, which stays the same when shards do not.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io.manifest import dumps

if TYPE_CHECKING:
    from collections.abc import Mapping

_FIELDS: Mapping[str, str] = {"error_message": "", "exif": "{}"}
"""What img2dataset has and a finished sample says nothing in."""


def extended(samples: pa.Table) -> pa.Table:
    """Return samples whose records end in img2dataset's fields and DataComp's uid.

    Example:
        >>> table = pa.table({"key": ["ab"], "record": ['{"key":"ab"}']})
        >>> extended(table)["record"].to_pylist()
        ['{"key":"ab","status":"success","error_message":"","exif":"{}","uid":"ab"}']
    """
    fields = json.dumps({"status": "success", **_FIELDS}, separators=(",", ":"))[1:-1]
    opened = pc.utf8_slice_codeunits(samples["record"], 0, -1)
    longer = pc.binary_join_element_wise(opened, f',{fields},"uid":"', samples["key"], '"}', "")
    return samples.set_column(samples.column_names.index("record"), "record", longer)


def columns(sidecar: pa.Table) -> pa.Table:
    """Return a shard's sidecar with img2dataset's columns at its end."""
    for name, value in _FIELDS.items():
        sidecar = sidecar.append_column(
            pa.field(name, pa.string(), nullable=False), pa.array([value] * len(sidecar), pa.string())
        )
    return sidecar


def stats(samples: int) -> bytes:
    """Return the counts of a shard as img2dataset writes them; nothing failed here, and times would differ."""
    failed = {"failed_to_download": 0, "failed_to_resize": 0}
    times = {"duration": 0, "start_time": 0, "end_time": 0}
    return dumps({"count": samples, "successes": samples, **failed, **times, "status_dict": {"success": samples}})
