"""Frequency: pairs dropped by how often their caption, image or words occur among all pairs.

    pairs ─> occurrences (sliced by what is counted) ─┬─> [levels ─>] flags (sliced by part) ─> drop ─> pairs
                                                      └──────────────────────^

parameters.py  what each step knows, and what of a pair is counted
count.py       occurrences of a part; how many words have which count
judge.py       the things over or under a limit, told to the parts that hold them; the pairs without them

What passes between the parts are hashes and counts, each distinct thing of a part once.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Self

from pydantic import model_validator

from witbuild.stages.frequency.count import Levels, Occurrences
from witbuild.stages.frequency.judge import Drop, Flags, RareFlags
from witbuild.stages.frequency.parameters import LIMITS, Limits

if TYPE_CHECKING:
    from witbuild.stage import Stage


class Frequency(Limits):
    """Drop pairs whose caption or image occurs too often among all pairs, or that hold a rare word or bigram."""

    name: ClassVar[str] = "frequency"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "pairs"

    @model_validator(mode="after")
    def _limited(self) -> Self:
        if not any(getattr(self, name) for name in LIMITS):
            raise ValueError(f"nothing to do; give at least one of {', '.join(LIMITS)}")
        return self

    def steps(self) -> tuple[Stage, ...]:
        """Return the steps: count, find what n-grams are frequent when that is asked, flag, drop."""
        kinds = (Levels, RareFlags) if self.frequent_ngrams else (Flags,)
        return tuple(self.step(kind) for kind in (Occurrences, *kinds, Drop))
