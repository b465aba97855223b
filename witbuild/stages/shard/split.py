"""Clusters of near-duplicate images, so that none has members in train and in val: dedup's graph, by image alone.

pairs ─ bands ─ candidates ─ records ─ join ─ components (rounds) ─ clusters ─ groups ─> scatter

Unlike dedup this drops nothing: two captions of one image both stay, and go the same way.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal

from witbuild.stages.dedup.candidates import Bands, Candidates, Records
from witbuild.stages.dedup.choice import Clusters
from witbuild.stages.dedup.graph import Components, Join
from witbuild.stages.slices import Sliced, per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import pyarrow as pa

    from witbuild.stage import Inputs, Part, Stage, Task


class ImageBands(Bands):
    """Pairs to bands, by image."""

    name: ClassVar[str] = "shard.bands"
    optional: ClassVar[tuple[str, ...]] = ()
    scope: Literal["image"] = "image"


class ImageCandidates(Candidates):
    """Bands to pairs that share one."""

    name: ClassVar[str] = "shard.candidates"


class ImageRecords(Records):
    """Candidates to the images that are compared."""

    name: ClassVar[str] = "shard.records"
    optional: ClassVar[tuple[str, ...]] = ()
    scope: Literal["image"] = "image"


class ImageJoin(Join):
    """Records to links between images that are alike."""

    name: ClassVar[str] = "shard.join"
    scope: Literal["image"] = "image"


class ImageComponents(Components):
    """Links to stars, in rounds."""

    name: ClassVar[str] = "shard.components"


class ImageClusters(Clusters):
    """Members and stars to clusters of images."""

    name: ClassVar[str] = "shard.clusters"


class Groups(Sliced):
    """Clusters by pair: in the slice where the part that holds the pair finds them."""

    name: ClassVar[str] = "shard.groups"
    reads: ClassVar[tuple[str, ...]] = ("clusters",)
    output: ClassVar[str] = "groups"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of clusters."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Slice the members of clusters by their part."""
        from witbuild.io import tables

        columns = ["part", "row", "root"]
        found = tables.read_slices(task.sources["clusters"], task.arguments["slice"], columns).select(columns)
        return sliced(
            dict(zip(columns, found.columns, strict=True)), found["part"].to_numpy() % self.slices, self.slices
        )


def image_clusters(slices: int) -> tuple[Stage, ...]:
    """Return the steps that lead from pairs to groups."""
    kinds = (ImageBands, ImageCandidates, ImageRecords, ImageJoin, ImageComponents, ImageClusters, Groups)
    return tuple(kind(slices=slices) for kind in kinds)


def with_cluster(pairs: pa.Table, paths: Sequence[str] | None, part: int) -> pa.Table:
    """Return the pairs of a part with the column `cluster`: 32 hexadecimal digits, null in a cluster of one.

    Args:
        pairs: whole part.
        paths: of the groups; None: no image has a near-duplicate, as far as is known.
        part: number of the part.
    """
    import numpy as np
    import pyarrow as pa
    import pyarrow.compute as pc

    from witbuild.io import tables

    names = np.full(pairs.num_rows, None, object)
    if paths is not None:
        slices = len(tables.Footer(paths[0]).row_groups)
        groups = tables.read_slices(paths, part % slices)
        mine = groups.filter(pc.equal(groups["part"], part))
        names[mine["row"].to_numpy()] = [f"{root:032x}" for root in mine["root"].to_pylist()]
    return pairs.append_column("cluster", pa.array(names, pa.string()))
