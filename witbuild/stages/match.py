"""Keep the pairs whose caption contains a query, and write down which."""

from __future__ import annotations

from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar

from witbuild.errors import EmptyError, InputError
from witbuild.io import store
from witbuild.stage import MapStage, Part, Task
from witbuild.text.tokens import Semantics  # noqa: TC001 pydantic reads the annotation

if TYPE_CHECKING:
    import pyarrow as pa

    from witbuild.text.match import Matcher


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

        paths = task.sources["queries"]
        found = _matcher(tuple((path, *_state(path)) for path in paths), self.semantics).match(table["caption"])
        place = table.schema.get_field_index("query_ids")
        table = table.set_column(place, table.schema.field(place), pa.chunked_array([found]))
        if self.keep_unmatched:
            return Part(table)
        kept = table.filter(pc.greater(pc.list_value_length(table["query_ids"]), 0))
        return Part(kept, {"no_query": table.num_rows - kept.num_rows})


def _state(path: str) -> tuple[int, int]:
    """Return what changes when a file is replaced: its size and, on a disk, its time of writing."""
    return store.size(path), 0 if store.is_remote(path) else Path(path).stat().st_mtime_ns


@lru_cache(maxsize=1)
def _matcher(parts: tuple[tuple[str, int, int], ...], semantics: Semantics) -> Matcher:
    """Return the matcher of a query list, (path, state) of each part; a process builds it once, not once a task."""
    import numpy as np

    from witbuild.io import tables
    from witbuild.text.match import Matcher

    paths = [path for path, *_ in parts]
    queries = tables.read_all(paths, ["query_id", "query"])
    if queries.num_rows == 0:
        raise EmptyError(f"{paths[0]}: the query list is empty; no caption can match it")
    if not np.array_equal(queries["query_id"], np.arange(queries.num_rows)):
        raise InputError(f"{paths[0]}: query_id must be 0, 1, 2, ... in the order of the rows")
    return Matcher(queries["query"], semantics)
