"""Pairs to samples: what will stand in the tar of each fetched pair, in slices of the global order."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import MapStage, Part, Task

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa


class Scatter(MapStage):
    """Turn fetched pairs into samples, in slices by coin: those of train, then those of val."""

    name: ClassVar = "shard.scatter"
    reads: ClassVar = ("pairs",)
    optional: ClassVar = ("queries", "tombstones", "groups")
    output: ClassVar = "samples"

    seed: int
    """Of the shuffle and of the split."""
    slices: int
    """Of train."""
    val_fraction: float
    """Share of val."""

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Render each pair that has an image; slice by split and coin."""
        from witbuild.io import tables
        from witbuild.sample.tombstones import standing
        from witbuild.stages.shard.split import with_cluster

        table = with_cluster(table, task.sources.get("groups"), task.index)
        fetched = table.filter(table["image_part"].is_valid())
        missing = table.num_rows - fetched.num_rows
        fetched, taken_down = standing(fetched, task.sources.get("tombstones"))
        samples = _samples(fetched, _texts(task.sources.get("queries")), seed=self.seed)
        held_slices = math.ceil(self.slices * self.val_fraction)
        slices = self._slices(fetched, samples["coin"].to_numpy(), held_slices)
        sliced, sizes = tables.by_slice(samples, slices, self.slices + held_slices)
        return Part(sliced, {"not_fetched": missing, **taken_down}, row_groups=sizes)

    def _slices(self, pairs: pa.Table, order: npt.NDArray[np.uint64], held_slices: int) -> npt.NDArray[np.int64]:
        import numpy as np

        from witbuild.sample.order import held_out, slice_of

        train = slice_of(order, self.slices)
        if held_slices == 0:
            return train
        held = held_out(pairs, seed=self.seed, fraction=self.val_fraction)
        return np.where(held, self.slices + slice_of(order, held_slices), train)


def _texts(paths: Iterable[str] | None) -> pa.ChunkedArray | None:
    """Return the queries' texts by query_id."""
    from witbuild.io import tables

    if paths is None:
        return None
    return tables.sort(tables.read_all(paths, ["query_id", "query"]), "query_id")["query"]


def _samples(pairs: pa.Table, texts: pa.ChunkedArray | None, *, seed: int) -> pa.Table:
    """Return n rows of schema.SAMPLES for n fetched pairs."""
    from witbuild.io import tables
    from witbuild.sample.coins import coins
    from witbuild.sample.record import records, render
    from witbuild.schema import SAMPLES

    order = coins(pairs["key"], seed=seed, what="order")
    kept = pairs.select(["key", "image_part", "image_offset", "image_bytes", "image_format", "caption"])
    samples = kept.append_column("coin", [order]).append_column("record", [render(records(pairs, texts))])
    return tables.conform(samples.append_column("tar_bytes", [_tar_bytes(samples)]), SAMPLES)


def _tar_bytes(samples: pa.Table) -> npt.NDArray[np.int64]:
    """Return what each sample's members take in a tar."""
    import numpy as np
    import pyarrow.compute as pc

    from witbuild.io.tars import BLOCK

    lengths = (samples["image_bytes"], pc.binary_length(samples["record"]), pc.binary_length(samples["caption"]))
    blocks = (1 + -(-length.to_numpy().astype(np.int64) // BLOCK) for length in lengths)
    return np.asarray(sum(blocks) * BLOCK, np.int64)
