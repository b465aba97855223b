"""A task a slice: its images downloaded, decoded, collected."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from witbuild.stage import Inputs, Part, Task
from witbuild.stages.fetch.parameters import Fetching
from witbuild.stages.slices import per_slice

if TYPE_CHECKING:
    from collections.abc import Iterable


class Download(Fetching):
    """Download, check, shrink and re-encode the images of a slice's pairs."""

    name: ClassVar = "fetch.download"
    version: ClassVar = 2
    reads: ClassVar = ("pairs",)
    output: ClassVar = "pairs"
    files: ClassVar = {"images": ".tar", "fetches": ".parquet", "visits": ".parquet", "quarantine": ".parquet"}
    once: ClassVar = True

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice, over all parts."""
        self.check_contact()
        if self.revalidate:
            from witbuild.stages.fetch.revalidate import made_alike

            made_alike(self.revalidate, self)
        return per_slice({"pairs": inputs["pairs"]}, self.slices)

    def recall(self, task: Task, earlier: Inputs) -> None:
        """Put what an earlier run's part of the same slice found out into the task's journal."""
        from witbuild.stages.fetch.journal import Journal
        from witbuild.stages.fetch.recall import recall

        parts = [earlier[kind][task.index] for kind in ("pairs", "fetches", "images")]
        with Journal(Path(task.scratch)) as journal:
            recall(journal, *parts, hashes_needed=self.require_hash)

    def process(self, task: Task) -> Part:
        """Return the pairs whose image is stored, with its columns; the rest is dropped with its reason."""
        from witbuild.stages.fetch import process

        if self.decode:
            process.begin()
        return self._process(task)

    def _process(self, task: Task) -> Part:
        from witbuild.io import tables
        from witbuild.stages.fetch import collect, quarantine
        from witbuild.stages.fetch.journal import Journal
        from witbuild.stages.fetch.pipeline import download
        from witbuild.stages.fetch.revalidate import earlier
        from witbuild.web.loop import run

        rows = collect.Rows(tables.read_slices(task.sources["pairs"], task.arguments["slice"]), self)
        files = {kind: task.scratch_file(kind + ending) for kind, ending in self.files.items()}
        with Journal(Path(task.scratch)) as journal:
            known = earlier(self.revalidate, self, task.index, rows)
            run(download(rows.wanted(), self, journal, known))
            statuses = rows.statuses(journal.outcomes)
            kept = [status == "ok" for status in statuses]
            offsets = collect.write_images(files["images"], rows, kept, journal)
            collect.write_fetches(files["fetches"], rows, statuses, journal)
            collect.write_visits(files["visits"], rows, journal)
            quarantine.write(files["quarantine"], Path(task.scratch), map(journal.outcomes.__getitem__, rows.wanted()))
            table = collect.with_images(rows, kept, journal, task.index, offsets)
        return Part(table, collect.drops(statuses), files=files)
