"""Dedup: pairs that say the same are grouped, one of each group stays.

    pairs ─> bands ─> join ─> components (rounds) ─┐
    pairs ─> members ──────────────────────────────┴─> clusters ─> choose ─> drop ─> pairs

A *node* is a hash of all that the scope looks at, so pairs of one node are duplicates without any comparing; the graph
is of distinct nodes only. docs/dedup.md argues the defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Literal, TypeVar

from pydantic import Field

from witbuild.stage import Inputs, Part, Stage, Task
from witbuild.stages.drops import ApplyDrops
from witbuild.stages.slices import per_part, per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.dedup.clusters import Edges
    from witbuild.dedup.join import Bands as Cut
    from witbuild.dedup.nodes import Evidence
    from witbuild.dedup.verify import Rule

AnyStage = TypeVar("AnyStage", bound=Stage)


class Sliced(Stage):
    """What every step knows."""

    slices: int = Field(16, ge=1, le=65_536)
    """Into how many slices the work between pairs is cut: memory falls with it, the result does not depend on it."""


class Scoped(Sliced):
    """What a step knows that tells duplicates by their nodes."""

    scope: Literal["caption+image", "caption+url", "caption", "image", "url"] = "caption+image"
    """What must be the same in two pairs. An image is the same when its URL is, or, once fetched, its hash."""
    image_hash: Literal["phash", "pixels"] = "phash"
    """Which hash of a fetched image is compared: the perceptual one, or that of its exact pixels."""

    @property
    def looks_at(self) -> frozenset[str]:
        """The words of the scope."""
        return frozenset(self.scope.split("+"))

    def evidence(self, table: pa.Table) -> Evidence:
        """Return what the scope looks at in each pair of a part."""
        from witbuild.dedup.nodes import evidence
        from witbuild.web.urls import canonical

        return evidence(table, self.looks_at, self.image_hash, canonical)


class Compared(Scoped):
    """What a step knows that compares nodes."""

    threshold: float = Field(0.8, gt=0, le=1)
    """Jaccard similarity of two captions' shingles from which they are the same."""
    shingle: Literal["words", "characters"] = "words"
    """What a shingle is a run of; characters suit languages written without spaces."""
    shingle_size: int = Field(2, ge=1, le=16)
    """Runs of 1 to so many words, or of exactly so many characters."""
    num_perm: int = Field(128, ge=2, le=1024)
    """Permutations of a caption's MinHash signature."""
    miss_weight: float = Field(0.5, gt=0, lt=1)
    """Weight of missed duplicates, against needless comparisons, in the choice of bands and rows."""
    hamming: int = Field(3, ge=0, le=6)
    """Bits in which two perceptual hashes of one image may differ."""
    seed: int = Field(1, ge=0, le=2**32 - 1)
    """Draws the permutations."""

    def cut(self) -> Cut:
        """Return how captions are cut into bands."""
        from witbuild.dedup.join import Bands as Cut
        from witbuild.dedup.lsh import optimum
        from witbuild.dedup.minhash import permutations

        bands, rows = optimum(self.threshold, self.num_perm, self.miss_weight)
        return Cut(permutations(self.num_perm, self.seed), bands, rows)

    def distance(self) -> int:
        """Return in how many bits image hashes may differ; -1 when they are not looked at."""
        if "image" not in self.looks_at:
            return -1
        return self.hamming if self.image_hash == "phash" else 0

    def rule(self) -> Rule:
        """Return when two nodes are alike."""
        from witbuild.dedup.verify import Rule

        places = bool(self.looks_at & {"image", "url"})
        return Rule(places, self.distance(), "caption" in self.looks_at, self.threshold)


class Bands(Compared):
    """Pairs to bands: nodes that share one are compared."""

    name: ClassVar[str] = "dedup.bands"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "bands"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_part(inputs, "pairs")

    def process(self, task: Task) -> Part:
        """Write the bands of each distinct node of a part."""
        from witbuild.dedup.nodes import COLUMNS
        from witbuild.io import tables
        from witbuild.sample.order import slice_of

        found = self.evidence(tables.read(task.sources["pairs"][0], COLUMNS)).distinct()
        bands, row = self._bands(found)
        columns = {"band": bands, **found.take(row).columns()}
        return sliced(columns, slice_of(bands, self.slices), self.slices)

    def _bands(self, found: Evidence) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
        from witbuild.dedup.nodes import caption_bands, place_bands

        if self.looks_at == {"caption"}:
            return caption_bands(found, self.shingle, self.shingle_size, self.cut())
        return place_bands(found, self.distance())


class Join(Compared):
    """Bands to edges: nodes that share a band and are alike are linked."""

    name: ClassVar[str] = "dedup.join"
    reads: ClassVar[tuple[str, ...]] = ("bands",)
    output: ClassVar[str] = "edges"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of bands."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Compare what shares a band of this slice."""
        from witbuild.dedup.clusters import LARGE, both_ways
        from witbuild.dedup.nodes import linked
        from witbuild.io import tables

        table = tables.read_slices(task.sources["bands"], task.arguments["slice"])
        return edges_part(
            both_ways(linked(table, self.shingle, self.shingle_size, self.rule(), self.cut())), LARGE, self
        )


def edges_part(edges: tuple[np.ndarray, np.ndarray], turn: int, stage: Sliced, unsettled: int = 0) -> Part:
    """Return edges as a part, each in the slice of its node."""
    import numpy as np

    from witbuild.sample.order import slice_of

    node, other = edges
    columns = {"node": node, "other": other, "turn": np.full(node.size, turn, np.int8)}
    dropped = {"unsettled": unsettled} if unsettled else {}
    return sliced(columns, slice_of(node, stage.slices), stage.slices, dropped)


def read_edges(paths: tuple[str, ...], index: int) -> Edges:
    """Return a slice of edges, without what the next round does."""
    from witbuild.dedup.clusters import Edges
    from witbuild.io import tables

    table = tables.read_slices(paths, index, ["node", "other"])
    return Edges(table["node"].to_numpy(), table["other"].to_numpy())


class Components(Sliced):
    """Edges to edges, in rounds, until every cluster is a star around its smallest node."""

    name: ClassVar[str] = "dedup.components"
    reads: ClassVar[tuple[str, ...]] = ("edges",)
    output: ClassVar[str] = "edges"
    rounds: ClassVar[int] = 96

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of edges."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Do a large-star or a small-star, whichever is next."""
        from witbuild.dedup.clusters import LARGE, SMALL, Edges, both_ways, large_star, small_star
        from witbuild.io import tables

        table = tables.read_slices(task.sources["edges"], task.arguments["slice"])
        edges = Edges(table["node"].to_numpy(), table["other"].to_numpy())
        if table.num_rows and table["turn"][0].as_py() == SMALL:
            return edges_part(both_ways(small_star(edges)), LARGE, self, unsettled=table.num_rows)
        rows, unsettled = large_star(edges)
        return edges_part(rows, SMALL, self, unsettled)

    def settled(self, rows: int, dropped: Mapping[str, int]) -> bool:
        """Say whether every node is the centre or a leaf of a star; only a large-star can find that."""
        return not dropped.get("unsettled")


class Members(Scoped):
    """Pairs to members: what choosing among duplicates needs to know of each pair."""

    name: ClassVar[str] = "dedup.members"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "members"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_part(inputs, "pairs")

    def process(self, task: Task) -> Part:
        """Describe each pair of a part, in the slice of its node."""
        from witbuild.dedup.choose import ATTRIBUTES, members
        from witbuild.dedup.nodes import COLUMNS
        from witbuild.io import tables
        from witbuild.sample.order import slice_of
        from witbuild.web.urls import canonical

        table = tables.read(task.sources["pairs"][0], [*dict.fromkeys((*COLUMNS, *ATTRIBUTES))])
        nodes = self.evidence(table).node
        return sliced(members(table, nodes, task.index, canonical), slice_of(nodes, self.slices), self.slices)


class Clusters(Sliced):
    """Members and settled edges to clusters: all members of clusters of two pairs or more."""

    name: ClassVar[str] = "dedup.clusters"
    reads: ClassVar[tuple[str, ...]] = ("members", "edges")
    output: ClassVar[str] = "clusters"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of nodes."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Name the cluster of each member of this slice."""
        import numpy as np

        from witbuild.dedup.choose import clusters
        from witbuild.dedup.clusters import Edges, star
        from witbuild.io import tables
        from witbuild.sample.order import slice_of

        index = task.arguments["slice"]
        found = tables.read_slices(task.sources["members"], index)
        paths = task.sources.get("edges", ())
        edges = read_edges(paths, index) if paths else Edges(np.zeros(0, np.uint64), np.zeros(0, np.uint64))
        table = clusters(found, star(edges))
        columns = dict(zip(table.column_names, table.columns, strict=True))
        return sliced(columns, slice_of(table["root"].to_numpy(), self.slices), self.slices)


class ExactClusters(Clusters):
    """Clusters where only pairs of one node are duplicates: there are no edges."""

    reads: ClassVar[tuple[str, ...]] = ("members",)


class Choose(Sliced):
    """Clusters to drops: all but the best member of each."""

    name: ClassVar[str] = "dedup.choose"
    reads: ClassVar[tuple[str, ...]] = ("clusters",)
    output: ClassVar[str] = "drops"

    scope: str = "caption+image"
    """As in dedup; names the reason of a drop."""
    keep: Literal["largest_image", "longest_caption", "smallest_key"] = "largest_image"
    """Which pair of a group stays; ties go to the larger image, the longer caption, the smaller key, in this order."""

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of clusters."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Drop all but the best member of each cluster of this slice."""
        from witbuild.dedup.choose import drops
        from witbuild.io import tables

        found = tables.read_slices(task.sources["clusters"], task.arguments["slice"])
        columns = drops(found, self.scope, self.keep)
        return sliced(columns, columns["part"] % self.slices, self.slices)


class Drop(ApplyDrops):
    """Pairs without the duplicates."""

    name: ClassVar[str] = "dedup.drop"


class Dedup(Compared):
    """Groups pairs that say the same and keeps one of each group; the result is exact where docs/dedup.md says so."""

    name: ClassVar[str] = "dedup"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "pairs"

    keep: Literal["largest_image", "longest_caption", "smallest_key"] = "largest_image"
    """Which pair of a group stays; ties go to the larger image, the longer caption, the smaller key, in this order."""

    def steps(self) -> tuple[Stage, ...]:
        """Return the graph's steps when nodes are to be compared, then those that choose and drop."""
        choosing = (Choose, Drop)
        if self.scope == "url":
            return tuple(self._step(kind) for kind in (Members, ExactClusters, *choosing))
        return tuple(self._step(kind) for kind in (Bands, Join, Components, Members, Clusters, *choosing))

    def _step(self, kind: type[AnyStage]) -> AnyStage:
        return kind(**{name: getattr(self, name) for name in kind.model_fields})
