"""Keep the pairs whose caption contains a query, and write down which."""

from __future__ import annotations

import hashlib
import os
import tempfile
import unicodedata
from functools import lru_cache
from pathlib import Path
from sys import byteorder
from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import EmptyError, InputError
from witbuild.io import store
from witbuild.stage import MapStage, Part, Task
from witbuild.text.tokens import Semantics  # noqa: TC001 pydantic reads the annotation

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from witbuild.text.match import Matcher

_KEPT = 4
"""Matchers of other query lists that may stay."""
_NAME_CHARACTERS = len("matcher-") + 32


class Match(MapStage):
    """Keep the pairs whose caption contains a query as whole words, and write down which queries."""

    name: ClassVar = "match"
    reads: ClassVar = ("pairs", "queries")
    output: ClassVar = "pairs"

    semantics: Semantics = "witbuild"
    """How captions are compared: `witbuild` folds case, `exact-case` does not, `metaclip` does as MetaCLIP did."""
    keep_unmatched: bool = False
    """Keep pairs that match no query, with an empty list of queries."""

    def apply(self, table: pa.Table, task: Task) -> Part:
        """Fill `query_ids`; a pair without any is dropped for `no_query`."""
        import pyarrow as pa
        import pyarrow.compute as pc

        from witbuild.io import tables

        found = _matcher(_states(task.sources["queries"]), self.semantics).match(table["caption"])
        place = table.schema.get_field_index("query_ids")
        table = table.set_column(place, table.schema.field(place), pa.chunked_array([found]))
        if self.keep_unmatched:
            return Part(table)
        kept = tables.filtered(table, pc.greater(pc.list_value_length(table["query_ids"]), 0))
        return Part(kept, {"no_query": table.num_rows - kept.num_rows})


def _states(paths: tuple[str, ...]) -> tuple[tuple[str, int, int], ...]:
    """Return of each path what changes when the file is replaced: its size and, on a disk, its time of writing."""
    return tuple((p, store.size(p), 0 if store.is_remote(p) else Path(p).stat().st_mtime_ns) for p in paths)


@lru_cache(maxsize=1)
def _matcher(parts: tuple[tuple[str, int, int], ...], semantics: Semantics) -> Matcher:
    """Return the matcher of a query list, (path, size, time) of each part: made once on a machine, mapped by others."""
    from witbuild.text import stored
    from witbuild.text.match import Matcher

    paths = [path for path, *_ in parts]
    try:
        file = shared_file(paths, semantics)
        if not file.exists():
            stored.save(Matcher(_queries(paths), semantics).trie, file)
            _keep_few(file.parent)
        os.utime(file)
        return Matcher(None, semantics, stored.load(file))
    except OSError:  # no room for a temporary file, or no right to write one: each process has its own matcher
        return Matcher(_queries(paths), semantics)


def shared_file(paths: Iterable[str], semantics: Semantics) -> Path:
    """Return where the matcher of a query list lies for all processes of a user, by what the list holds.

    Args:
        paths: of the list's parts.
        semantics: of the matcher.
    """
    from witbuild.text.stored import FORMAT

    digest = hashlib.sha256(f"{FORMAT} {semantics} {unicodedata.unidata_version} {byteorder}".encode())
    for path in paths:
        digest.update(hashlib.sha256(store.read_bytes(path)).digest())
    folder = Path(tempfile.gettempdir()) / f"witbuild-{os.getuid()}"
    folder.mkdir(mode=0o700, exist_ok=True)
    if folder.stat().st_uid != os.getuid():
        raise InputError(f"{folder}: belongs to somebody else; set TMPDIR to a folder of your own")
    return folder / f"matcher-{digest.hexdigest()[:32]}"


def _keep_few(folder: Path) -> None:
    """Remove the matchers that were not used for longest; whoever has mapped one keeps it."""
    files = [path for path in folder.glob("matcher-*") if len(path.name) == _NAME_CHARACTERS]
    for path in sorted(files, key=lambda path: path.stat().st_mtime, reverse=True)[_KEPT:]:
        path.unlink(missing_ok=True)


def _queries(paths: list[str]) -> pa.ChunkedArray:
    import numpy as np

    from witbuild.io import tables

    queries = tables.read_all(paths, ["query_id", "query"])
    if queries.num_rows == 0:
        raise EmptyError(f"{paths[0]}: the query list is empty; no caption can match it")
    if not np.array_equal(queries["query_id"], np.arange(queries.num_rows)):
        raise InputError(f"{paths[0]}: query_id must be 0, 1, 2, ... in the order of the rows")
    return queries["query"]
