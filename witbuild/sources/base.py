"""What every source is: parameters, a plan that cuts the work into tasks, and a harvest of one task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.stage import Task

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.sources.candidates import Candidates


@dataclass(frozen=True, kw_only=True)
class Source(ABC):
    """A source of pairs; its fields are the parameters of the stage `harvest` that it takes, by the same names.

    Attributes:
        inputs: files, globs, folders or URLs.
        shards: tasks; 0: as the inputs are.
        limit: most pairs of all tasks together; 0: all.
    """

    inputs: tuple[str, ...]
    shards: int
    limit: int

    @abstractmethod
    def plan(self) -> Iterator[Task]:
        """Yield the tasks; cheap, depending on the parameters and the names of files alone."""

    @abstractmethod
    def harvest(self, task: Task) -> Candidates:
        """Read what a task names."""

    def most(self, tasks: int) -> int | None:
        """Return the most pairs of one of so many tasks; None: all.

        Every task has an equal share of the limit, so that none needs to know of another.
        """
        return -(-self.limit // tasks) if self.limit else None

    def numbered(self, work: list[tuple[tuple[str, ...], dict[str, int]]]) -> Iterator[Task]:
        """Yield a task for each (paths, arguments), with its share of the limit."""
        most = self.most(len(work))
        for index, (paths, arguments) in enumerate(work):
            yield Task(index, {"input": paths}, arguments if most is None else {**arguments, "limit": most})


def named(path: str) -> str:
    """Return what a table calls a file: a URL as it is, a local file by its name, wherever it lies.

    Example:
        >>> named("s3://bucket/a/b.warc.gz"), named("/data/b.warc.gz")
        ('s3://bucket/a/b.warc.gz', 'b.warc.gz')
    """
    from witbuild.io import store

    return path if store.is_remote(path) else path.rsplit("/", 1)[-1]
