"""Dedup: pairs that say the same are grouped, one of each group stays.

    pairs ─> bands ─> candidates ─> records ─┬─> join ─> components (rounds) ─┐
                                             └─> members ─────────────────────┴─> clusters ─> choose ─> drop ─> pairs

parameters.py  what each step knows
candidates.py  bands, candidates, records: what has to be compared, and what may be in a cluster
embedded.py    the same, of images by what a model sees in them
graph.py       join, components: which nodes are alike
choice.py      members, clusters, choose, drop: which pair of each cluster stays

A *node* is a hash of all that the scope looks at, so pairs of one node are duplicates without any comparing; the graph
is of distinct nodes only. docs/dedup.md argues the defaults.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stages.dedup.candidates import Bands, Candidates, Records
from witbuild.stages.dedup.choice import Choose, Clusters, Drop, ExactClusters, Members
from witbuild.stages.dedup.embedded import Centres, EmbeddedBands, EmbeddedRecords
from witbuild.stages.dedup.graph import Components, Join
from witbuild.stages.dedup.parameters import Compared, Keeping

if TYPE_CHECKING:
    from witbuild.stage import Stage


EXACT: tuple[type[Stage], ...] = (Members, ExactClusters)
HASHED: tuple[type[Stage], ...] = (Bands, Candidates, Records)
EMBEDDED: tuple[type[Stage], ...] = (Centres, EmbeddedBands, Candidates, EmbeddedRecords)
LINKING: tuple[type[Stage], ...] = (Join, Components, Clusters)
CHOOSING: tuple[type[Stage], ...] = (Choose, Drop)


class Dedup(Keeping, Compared):
    """Groups pairs that say the same, by image and caption unless told otherwise, and keeps one of each group."""

    name: ClassVar[str] = "dedup"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    optional: ClassVar[tuple[str, ...]] = ("against",)
    output: ClassVar[str] = "pairs"

    def steps(self) -> tuple[Stage, ...]:
        """Return the graph's steps when nodes are to be compared, then those that choose and drop."""
        if self.scope == "url":
            return tuple(self.step(kind) for kind in EXACT + CHOOSING)
        if self.embeds:
            return tuple(self.step(kind) for kind in EMBEDDED + LINKING + CHOOSING)
        return tuple(self.step(kind) for kind in HASHED + LINKING + CHOOSING)
