"""Decontaminate: pairs whose image or caption stands in an evaluation set are dropped, or only written down.

    evaluation sets ─ read ─> evaluation (set, hash) ─┐
    pairs ────────────────────────────────────────────┴─ hold ─> pairs
                                                            └──> contaminated   a row a pair and set, either way

A set is a folder of images (with texts beside them), a tar of samples, or a list of hashes; it is known by its name.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stages.decontaminate.hold import Hold, Holding
from witbuild.stages.decontaminate.read import Read, Reading

if TYPE_CHECKING:
    from witbuild.stage import Stage


class Decontaminate(Reading, Holding):
    """Drops or flags pairs whose image looks like one of an evaluation set, or whose caption is one of it."""

    name: ClassVar[str] = "decontaminate"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "pairs"

    def steps(self) -> tuple[Stage, ...]:
        """Return the step that reads the sets and the one that holds pairs against them."""
        return tuple(kind(**{name: getattr(self, name) for name in kind.model_fields}) for kind in (Read, Hold))
