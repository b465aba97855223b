"""Counts: what occurs how often in each part, and how many n-grams of all parts have which count."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Inputs, Part, Task
from witbuild.stages.frequency.parameters import Limits
from witbuild.stages.slices import Sliced, per_part, per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

COLUMNS = ["caption", "url", "pixel_sha256"]
"""Of the pairs, that are looked at."""


class Occurrences(Limits):
    """Pairs to occurrences: each distinct caption, image and n-gram of a part that is limited, with its count."""

    name: ClassVar[str] = "frequency.occurrences"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "occurrences"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return per_part(inputs, "pairs")

    def process(self, task: Task) -> Part:
        """Count what a part holds."""
        import pyarrow as pa

        from witbuild.io import tables
        from witbuild.sample.order import slice_of

        found = pa.concat_tables(self._kinds(tables.read(task.sources["pairs"][0], COLUMNS), task.index))
        columns = dict(zip(found.column_names, found.columns, strict=True))
        return sliced(columns, slice_of(found["thing"].to_numpy(), self.slices), self.slices)

    def _kinds(self, table: pa.Table, part: int) -> list[pa.Table]:
        """Return the occurrences of each kind that a limit is on."""
        import numpy as np

        from witbuild.sample.frequency import CAPTION, IMAGE, NGRAM, occurrences

        found = [occurrences(CAPTION, *(np.zeros(0, np.uint64),) * 2, part)]
        by_caption, by_image = self.max_images_per_caption or self.max_pairs_per_caption, self.max_captions_per_image
        if by_caption or by_image:
            captions, images = self.captions(table), self.images(table)
            found += [occurrences(CAPTION, captions, images, part)] if by_caption else []
            found += [occurrences(IMAGE, images, captions, part)] if by_image else []
        if self.frequent_ngrams:
            hashes, _ = self.ngrams(table)
            found.append(occurrences(NGRAM, hashes, np.zeros(hashes.size, np.uint64), part))
        return found


class Levels(Sliced):
    """Occurrences to levels: how many n-grams have which count, so that those beyond a number of them are known."""

    name: ClassVar[str] = "frequency.levels"
    reads: ClassVar[tuple[str, ...]] = ("occurrences",)
    output: ClassVar[str] = "levels"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of things."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Count the counts of this slice's n-grams."""
        from witbuild.sample.frequency import NGRAM, Totals, levels

        return Part(levels(Totals.of(of_kind(read(task), NGRAM)).counts))


def read(task: Task) -> pa.Table:
    """Return the occurrences of a task's slice, of all parts."""
    from witbuild.io import tables

    return tables.read_slices(task.sources["occurrences"], task.arguments["slice"])


def of_kind(table: pa.Table, kind: int) -> pa.Table:
    """Return the occurrences of one kind of things."""
    import pyarrow.compute as pc

    return table.filter(pc.equal(table["kind"], kind))
