"""Where a pair lies in the data set: its shard, its row there, and the bytes of its members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.audit.trace import find
from witbuild.io import tars

if TYPE_CHECKING:
    from witbuild.io.run import Run


def place(run: Run, key: str) -> dict[str, Any] | None:
    """Return shard, row and members of a key: extension -> offset and bytes in the tar; None: it is in no shard.

    Only the column of keys is read of each shard's sidecar, and the headers of the one tar. A shard of parquet has rows
    and no members.
    """
    manifest = next((one for _, one in reversed(run.manifests()) if one.files("sidecars")), None)
    if manifest is None:
        return None
    row = next(find(run.paths(manifest, "sidecars"), "key", pa.array([key])), None)
    if row is None:
        return None
    shard = (run.paths(manifest, "tars") or run.paths(manifest, "parquets"))[row.part]
    relative = shard.removeprefix(run.root.rstrip("/") + "/")
    return {"shard": relative, "row": row.row, "members": _members(shard, key)}


def _members(shard: str, key: str) -> dict[str, dict[str, int]]:
    if not shard.endswith(".tar"):
        return {}
    sample = next(sample for sample in tars.index(shard) if sample.key == key)
    return {name: {"offset": at.offset, "bytes": at.size} for name, at in sorted(sample.members.items())}
