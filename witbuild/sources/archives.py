"""What the sources over archives share: files named one by one, by globs, by lists of paths or by a crawl's name."""

from __future__ import annotations

import gzip
import zlib
from abc import abstractmethod
from dataclasses import dataclass
from typing import IO, TYPE_CHECKING, ClassVar

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.sources.base import Source, files, share_of
from witbuild.sources.candidates import Candidates
from witbuild.web.robots import token

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.stage import Task
    from witbuild.web.warc import Damage, Record

_LISTS = (".paths", ".paths.gz", ".paths.txt")


@dataclass(frozen=True, kw_only=True)
class Archives(Source):
    """A source over WARC-like files; a task is one or more of them, or a piece of one where there are more tasks.

    Attributes:
        root: put before the paths of a list that are not URLs or absolute.
        user_agent: what we call ourselves; opt-outs that speak to this crawler by name are ours too.
    """

    kind: ClassVar[str]
    """Common Crawl's name for the files: `warc` or `wat`."""
    root: str
    user_agent: str

    @property
    def agent(self) -> str:
        """The crawler's product token."""
        return token(self.user_agent)

    def plan(self) -> Iterator[Task]:
        """Yield a task for each group of files, or for each piece of a large local one."""
        paths = expand(self.inputs, self.kind, self.root)
        yield from self.numbered(list(self._cut(paths)))

    def _cut(self, paths: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], dict[str, int]]]:
        """Yield the files of each task, and which piece of one it reads."""
        for index, group in enumerate(deal(paths, self.shards)):
            pieces = _pieces(group[0], share_of(self.shards, index, len(paths)))
            for piece in range(pieces):
                yield group, {"piece": piece, "pieces": pieces} if pieces > 1 else {}

    def harvest(self, task: Task) -> Candidates:
        """Read the task's archives, record by record."""
        from witbuild.web.remote import open_read

        out = self.candidates(task.arguments.get("limit"))
        for path in task.sources["input"]:
            if not out.full:
                with open_read(path) as stream:
                    self._read(stream, path, task, out)
        return out

    def _read(self, stream: IO[bytes], path: str, task: Task, out: Candidates) -> None:
        """Read an archive, or the task's piece of it."""
        from witbuild.web.pieces import piece_of

        pieces = task.arguments.get("pieces", 1)
        if pieces == 1:
            self.archive(stream, path, out)
        elif found := piece_of(stream, task.arguments["piece"], pieces):
            self.archive(found[0], path, out, found[1])

    def candidates(self, limit: int | None) -> Candidates:
        """Return what a task's pairs are put into."""
        return Candidates(self.kind, limit)

    def archive(self, stream: IO[bytes], path: str, out: Candidates, begin: int = 0) -> None:
        """Read an archive from a byte on at which a record begins."""
        from witbuild.web.warc import records

        self.all(records(stream, begin), path, out)

    def all(self, found: Iterable[Record | Damage], path: str, out: Candidates) -> None:
        """Read what was found in an archive, until there are as many pairs as there may be."""
        for record in found:
            if out.full:
                return
            self.one(record, path, out)

    def one(self, found: Record | Damage, path: str, out: Candidates) -> None:
        """Read what was found in an archive at one place."""
        from witbuild.web.warc import Damage

        if isinstance(found, Damage):
            out.drop(found.reason)
        else:
            self.read(found, path, out)

    @abstractmethod
    def read(self, record: Record, path: str, out: Candidates) -> None:
        """Add what a record holds."""


def expand(inputs: Iterable[str], kind: str, root: str) -> tuple[str, ...]:
    """Return the archives that inputs name, in order, each once.

    Args:
        inputs: files, globs, folders, URLs, `*.paths.gz` lists of such, and `cc://CC-MAIN-YYYY-WW`, a crawl.
        kind: `warc` or `wat`: which list of the crawl.
        root: put before a listed path that is neither a URL nor absolute.

    Raises:
        InputError: an input names nothing.
    """
    found: dict[str, None] = {}
    for name in inputs:
        if name.startswith("cc:"):
            name = f"{root}crawl-data/{name[3:].strip('/')}/{kind}.paths.gz"  # noqa: PLW2901
        paths = list(_listed(name, root)) if name.endswith(_LISTS) else files(name)
        if not paths:
            raise InputError(f"{name}: names no file; give files, globs, folders, URLs or a list *.paths.gz")
        found.update(dict.fromkeys(paths))
    return tuple(found)


def _listed(name: str, root: str) -> Iterator[str]:
    for line in _lines(name):
        if path := line.strip():
            yield path if store.is_remote(path) or path.startswith("/") else root + path


def _lines(name: str) -> list[str]:
    from witbuild.web.remote import open_read

    with open_read(name) as stream:
        content = stream.read()
    try:
        plain = gzip.decompress(content) if name.endswith(".gz") else content
        return plain.decode().splitlines()
    except (OSError, EOFError, zlib.error, UnicodeDecodeError) as error:
        raise InputError(f"{name}: not a list of paths, packed by gzip ({error})") from error


def _pieces(path: str, most: int) -> int:
    """Return how many pieces a file is to be cut into; a remote one is not asked for its size to plan."""
    from witbuild.web.pieces import LEAST_BYTES

    if most < 2 or store.is_remote(path) or not store.is_file(path):
        return 1
    return min(most, max(1, store.size(path) // LEAST_BYTES))


def deal(paths: tuple[str, ...], shards: int) -> Iterator[tuple[str, ...]]:
    """Deal files to tasks, neighbours together, as evenly as they go; never an empty task.

    Args:
        paths: of the files.
        shards: tasks wanted; 0: one a file.

    Example:
        >>> list(deal(("a", "b", "c"), 2)), list(deal(("a",), 4))
        ([('a', 'b'), ('c',)], [('a',)])
    """
    count = min(shards, len(paths)) if shards else len(paths)
    for index in range(count):
        yield paths[-(-len(paths) * index // count) : -(-len(paths) * (index + 1) // count)]
