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

    Only the column of keys is read of each shard's sidecar, and the headers of the one tar.
    """
    manifest = next((one for _, one in reversed(run.manifests()) if one.files("tars")), None)
    if manifest is None:
        return None
    paths, shards = run.paths(manifest, "sidecars"), run.paths(manifest, "tars")
    row = next(find(paths, "key", pa.array([key])), None)
    if row is None:
        return None
    sample = next(sample for sample in tars.index(shards[row.part]) if sample.key == key)
    members = {name: {"offset": at.offset, "bytes": at.size} for name, at in sorted(sample.members.items())}
    return {"shard": shards[row.part].removeprefix(run.root.rstrip("/") + "/"), "row": row.row, "members": members}
