"""The judgement: things over or under a limit, told to the parts that hold them, and the pairs without such things."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Inputs, MapStage, Part, Task
from witbuild.stages.drops import split
from witbuild.stages.frequency.count import of_kind, read
from witbuild.stages.frequency.parameters import REASONS, Limits
from witbuild.stages.slices import per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy as np
    import numpy.typing as npt
    import pyarrow as pa

    Hashes = npt.NDArray[np.uint64]


class Flags(Limits):
    """Occurrences to flags: each thing that breaks a limit, once for every part that holds it."""

    name: ClassVar[str] = "frequency.flags"
    reads: ClassVar[tuple[str, ...]] = ("occurrences",)
    output: ClassVar[str] = "flags"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice of things."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Judge the things of this slice."""
        import pyarrow as pa

        from witbuild.sample.frequency import CAPTION, IMAGE, flags
        from witbuild.schema import FLAGS

        table = read(task)
        kinds = {kind: of_kind(table, kind) for kind in (CAPTION, IMAGE)}
        found = [flags(kinds[kind], things, REASONS[name]) for name, kind, things in self._crowded(kinds)]
        found += self.rare(table, task)
        merged = pa.concat_tables([FLAGS.empty_table(), *(one.select(FLAGS.names).cast(FLAGS) for one in found)])
        columns = dict(zip(merged.column_names, merged.columns, strict=True))
        return sliced(columns, merged["part"].to_numpy() % self.slices, self.slices)

    def _crowded(self, kinds: dict[int, pa.Table]) -> Iterable[tuple[str, int, Hashes]]:
        """Yield parameter, kind and those things that occur too often."""
        from witbuild.sample.frequency import CAPTION, IMAGE, Totals

        captions, images = Totals.of(kinds[CAPTION]), Totals.of(kinds[IMAGE])
        if most := self.max_images_per_caption:
            yield "max_images_per_caption", CAPTION, captions.things[captions.others > most]
        if most := self.max_pairs_per_caption:
            yield "max_pairs_per_caption", CAPTION, captions.things[captions.counts > most]
        if most := self.max_captions_per_image:
            yield "max_captions_per_image", IMAGE, images.things[images.others > most]

    def rare(self, table: pa.Table, task: Task) -> list[pa.Table]:
        """Return the flags of rare n-grams: none."""
        return []


class RareFlags(Flags):
    """Occurrences and levels to flags, those of rare n-grams among them."""

    reads: ClassVar[tuple[str, ...]] = ("occurrences", "levels")

    def rare(self, table: pa.Table, task: Task) -> list[pa.Table]:
        """Return the flags of the n-grams that occur less often than the frequent ones."""
        from witbuild.io import tables
        from witbuild.sample.frequency import NGRAM, Totals, flags, floor

        ngrams = of_kind(table, NGRAM)
        totals, least = Totals.of(ngrams), floor(tables.read_all(task.sources["levels"]), self.frequent_ngrams)
        return [flags(ngrams, totals.things[totals.counts < least], REASONS["frequent_ngrams"])]


class Drop(Limits, MapStage):
    """Pairs without those that hold a flagged thing; the first reason in the order of the parameters counts."""

    name: ClassVar[str] = "frequency.drop"
    reads: ClassVar[tuple[str, ...]] = ("pairs", "flags")
    output: ClassVar[str] = "pairs"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each part."""
        return MapStage.plan(self, inputs)

    def process(self, task: Task) -> Part:
        """Read the task's part and judge it."""
        return MapStage.process(self, task)

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Drop the pairs of one part that hold a flagged thing."""
        import numpy as np
        import pyarrow as pa
        import pyarrow.compute as pc

        from witbuild.io import tables

        flags = tables.read_slices(task.sources["flags"], task.index % self.slices)
        mine = flags.filter(pc.equal(flags["part"], task.index))
        reasons = np.full(table.num_rows, "", object)
        for name in (name for name in REASONS if getattr(self, name)):
            reasons[(reasons == "") & self._holding(table, mine, name)] = REASONS[name]
        return split(table, pa.array(reasons, pa.string(), mask=reasons == ""))

    def _holding(self, table: pa.Table, flags: pa.Table, name: str) -> npt.NDArray[np.bool_]:
        """Say of each pair whether it holds a thing that is flagged for a parameter's reason."""
        import numpy as np

        from witbuild.sample.frequency import marked

        if name == "frequent_ngrams":
            hashes, rows = self.ngrams(table)
            held = np.zeros(table.num_rows, np.bool_)
            held[rows[marked(flags, REASONS[name], hashes)]] = True
            return held
        things = self.images(table) if name == "max_captions_per_image" else self.captions(table)
        return marked(flags, REASONS[name], things)
