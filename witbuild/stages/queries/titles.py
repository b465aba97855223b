"""From page view files to the titles that many look at: sum by file, resolve redirects, sum by title."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING, ClassVar, Final

from witbuild.stage import Inputs, Part, Task
from witbuild.stages.queries.count import expanded
from witbuild.stages.queries.parameters import Cut, Dumps, PageViews, TitleLimits
from witbuild.stages.slices import per_slice, sliced

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from witbuild.io.runs import RunWriter

TITLES: Final = 1 << 20
"""Titles whose views are held until they are written."""


class Views(PageViews, Dumps, Cut):
    """Sum the views of the articles of one wiki in a file; a dump, when there is one, names its namespaces."""

    name: ClassVar = "queries.views"
    output: ClassVar = "view_files"
    files: ClassVar = {"views": ".parquet"}

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each page view file."""
        from witbuild.sources.corpus import kind_of

        dumps = tuple(path for path in expanded(self.wikipedia) if kind_of(path) == "dump")[:1]
        for index, path in enumerate(expanded(self.pageviews)):
            yield Task(index, {"pageviews": (path,), "wikipedia": dumps})

    def process(self, task: Task) -> Part:
        """Return one row about the file; the sums are in the side file. Lines that name no article are dropped."""
        from witbuild.io import tables
        from witbuild.io.runs import RunWriter
        from witbuild.schema import TITLE_VIEWS, VIEW_FILES

        (path,) = task.sources["pageviews"]
        dropped: Counter[str] = Counter()
        file, total = task.scratch_file("views.parquet"), 0
        with RunWriter(file, TITLE_VIEWS, slices=self.slices) as writer:
            for views in self._sums(path, self._namespaces(task), dropped):
                _write(views, writer, self.slices)
                total += sum(views.values())
        row = {"file": path.rsplit("/", 1)[-1], "views": total}
        return Part(tables.from_rows([row], VIEW_FILES), dropped, files={"views": file})

    def _namespaces(self, task: Task) -> frozenset[str]:
        from witbuild.sources.pageviews import namespace_names
        from witbuild.sources.wikipedia import read_header

        return namespace_names(
            name for path in task.sources["wikipedia"] for name in read_header(path).namespaces.values()
        )

    def _sums(self, path: str, namespaces: frozenset[str], dropped: Counter[str]) -> Iterator[dict[str, int]]:
        """Yield views by title, some at a time; a title's lines follow each other in a file."""
        from witbuild.sources.pageviews import article, read_views

        views: dict[str, int] = {}
        for line in read_views(path, self.project, self.access, dropped):
            name, reason = article(line.title, namespaces)
            if reason:
                dropped[reason] += 1
                continue
            if len(views) >= TITLES and name not in views:
                yield self._seen(views)
                views = {}
            views[name] = views.get(name, 0) + line.views
        yield self._seen(views)

    def _seen(self, views: dict[str, int]) -> dict[str, int]:
        return {name: count for name, count in views.items() if count >= self.min_views_in_file}


class Resolve(Cut):
    """Sum the views of the titles of one slice and give those of a redirect to the article that it leads to."""

    name: ClassVar = "queries.resolve"
    reads: ClassVar = ("views",)
    optional: ClassVar = ("redirects",)
    output: ClassVar = "title_views"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Return views by article, in the slices of the articles."""
        from witbuild.io.runs import read_runs
        from witbuild.schema import TITLE_VIEWS
        from witbuild.text.hashing import hash_texts, slices_of

        index = task.arguments["slice"]
        runs = list(read_runs(task.sources["views"], index, slices=self.slices))
        if not runs:
            return Part(TITLE_VIEWS.empty_table(), row_groups=(0,) * self.slices)
        targets: dict[str, str] = {}
        for run in read_runs(task.sources.get("redirects", ()), index, slices=self.slices):
            targets.update(zip(run["title"].to_pylist(), run["target"].to_pylist(), strict=True))
        table = summed_views(runs, targets)
        return sliced(
            {name: table[name] for name in table.column_names},
            slices_of(hash_texts(table["title"]), self.slices),
            self.slices,
        )


class Titles(TitleLimits, Cut):
    """Add up the views of the articles of one slice and keep those that many look at."""

    name: ClassVar = "queries.titles"
    reads: ClassVar = ("title_views",)
    output: ClassVar = "title_views"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        """Yield a task for each slice."""
        return per_slice(inputs, self.slices)

    def process(self, task: Task) -> Part:
        """Return the titles of the slice, sorted; others are dropped as `rare_title`."""
        import pyarrow.compute as pc

        from witbuild.io import tables

        table = summed_views([tables.read_slices(task.sources["title_views"], task.arguments["slice"])], {})
        kept = table.filter(pc.greater_equal(table["views"], self.min_views))
        return Part(kept, {"rare_title": table.num_rows - kept.num_rows})


def summed_views(runs: list[pa.Table], targets: Mapping[str, str]) -> pa.Table:
    """Return the sums of views by title, sorted by title, after giving each title in `targets` its target's name."""
    import pyarrow as pa

    table = pa.concat_tables(runs)
    if targets:
        names = pa.array([targets.get(title, title) for title in table["title"].to_pylist()], pa.string())
        table = table.set_column(0, "title", names)
    sums = table.group_by("title", use_threads=False).aggregate([("views", "sum")]).sort_by("title")
    return sums.rename_columns(["title", "views"])


def _write(views: dict[str, int], writer: RunWriter, slices: int) -> None:
    import pyarrow as pa

    from witbuild.text.hashing import hash_texts, slices_of

    titles = pa.array(list(views), pa.string())
    table = pa.table({"title": titles, "views": pa.array(list(views.values()), pa.int64())})
    writer.add(table, slices_of(hash_texts(titles), slices))
