"""What every source is: parameters, a plan that cuts the work into tasks, and a harvest of one task."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

from witbuild.errors import InputError
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

    def plan_over(self, queries: tuple[str, ...]) -> Iterator[Task]:
        """Yield the tasks of a source that asks for what a query list says; others need none.

        Args:
            queries: paths of the list's parts.
        """
        return self.plan()

    @abstractmethod
    def harvest(self, task: Task) -> Candidates:
        """Read what a task names."""

    def share(self, index: int, tasks: int) -> dict[str, int]:
        """Return the most pairs of one of so many tasks, as its argument `limit`; nothing when all are wanted.

        The shares add up to the limit and differ by one at most, so that no task needs to know of another.
        """
        return {"limit": share_of(self.limit, index, tasks)} if self.limit else {}

    def numbered(self, work: list[tuple[tuple[str, ...], dict[str, int]]]) -> Iterator[Task]:
        """Yield a task for each (paths, arguments), with its share of the limit."""
        for index, (paths, arguments) in enumerate(work):
            yield Task(index, {"input": paths}, {**arguments, **self.share(index, len(work))})


def share_of(total: int, index: int, count: int) -> int:
    """Return what one of so many gets of a total: as much as the others, or one more or less.

    Example:
        >>> [share_of(7, index, 3) for index in range(3)]
        [2, 2, 3]
    """
    return total * (index + 1) // count - total * index // count


@lru_cache(maxsize=64)
def named(path: str) -> str:
    """Return what a table calls a file: a URL as it is, a local file by its name, wherever it lies.

    Example:
        >>> named("s3://bucket/a/b.warc.gz"), named("/data/b.warc.gz")
        ('s3://bucket/a/b.warc.gz', 'b.warc.gz')
    """
    from witbuild.io import store

    return readable(path if store.is_remote(path) else path.rsplit("/", 1)[-1])


def readable(name: str) -> str:
    r"""Return a file's name as text, whatever bytes it has on a disk.

    Example:
        >>> readable("b\udcff.jpg")
        'b�.jpg'
    """
    return name.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def files(name: str) -> list[str]:
    """Return the files that an input names: itself, those of a glob or below a folder, here or elsewhere; sorted.

    Raises:
        InputError: it cannot be looked at.
    """
    from witbuild.io import store
    from witbuild.sources import huggingface

    try:
        return huggingface.expand(name) if name.startswith(huggingface.SCHEME) else store.expand(name)
    except OSError as error:
        words = str(error).partition("\n")[0] or type(error).__name__
        raise InputError(f"{name}: cannot be looked at ({words}); look at its address and your credentials") from error
