"""Pairs held against the hashes of evaluation sets."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from witbuild.io import store
from witbuild.stage import MapStage, Part, Stage, Task
from witbuild.stages.drops import split

if TYPE_CHECKING:
    import pyarrow as pa

    from witbuild.dedup.evaluation import Evaluation


class Holding(Stage):
    """What holding pairs against evaluation sets needs to know."""

    action: Literal["drop", "flag"] = "drop"
    """Drop what is found, or keep it; either way it is written down in the table `contaminated`."""
    hamming: int = Field(3, ge=0, le=6)
    """Bits in which the perceptual hashes of one image may differ."""
    captions: bool = True
    """Compare captions too."""
    min_caption_words: int = Field(5, ge=1)
    """Captions of fewer words are too common to tell anything."""


class Hold(Holding, MapStage):
    """Pairs without those that stand in an evaluation set."""

    name: ClassVar[str] = "decontaminate.hold"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "evaluation")
    output: ClassVar[str] = "pairs"
    files: ClassVar = {"contaminated": ".parquet"}

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Hold a part against every set; the first that has a pair names its drop."""
        import pyarrow as pa

        from witbuild.dedup.evaluation import contaminated, first_reasons
        from witbuild.io import tables

        paths = task.sources["evaluation"]
        sets = _evaluation(tuple((path, *_state(path)) for path in paths), self.hamming, self.min_caption_words)
        found = sets.hold(table, captions=self.captions)
        path = task.scratch_file("contaminated.parquet")
        tables.write(path, contaminated(table["key"], found), dropped={})
        reasons = first_reasons(found, table.num_rows)
        none = pa.nulls(table.num_rows, pa.string())
        part = split(table, reasons if self.action == "drop" else none)
        return Part(part.table, part.dropped, files={"contaminated": path})


def _state(path: str) -> tuple[int, int]:
    """Return what changes when a file is replaced: its size and, on a disk, its time of writing."""
    return store.size(path), 0 if store.is_remote(path) else Path(path).stat().st_mtime_ns


@lru_cache(maxsize=1)
def _evaluation(parts: tuple[tuple[str, int, int], ...], hamming: int, min_words: int) -> Evaluation:
    """Return the sets, (path, state) of each part; a process builds their index once, not once a task."""
    from witbuild.dedup.evaluation import Evaluation
    from witbuild.io import tables

    return Evaluation(tables.read_all(path for path, *_ in parts), hamming=hamming, min_words=min_words)
