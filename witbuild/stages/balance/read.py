"""What the steps of balance read: counts, the queries' hashes, the matches of a part, the cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow.compute as pc

from witbuild.dedup.strings import hash_strings, strings
from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.sample.balance import Cuts, Matches, rank

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.stage import Task


class Numbers(NamedTuple):
    """Of each query of the list."""

    hashes: npt.NDArray[np.uint64]
    """uint64: hash of its text, the name that outlives its number."""
    counts: npt.NDArray[np.int64]
    """int64: pairs that match it."""
    charges: npt.NDArray[np.int64]
    """int64: pairs charged to it."""

    @property
    def ranks(self) -> npt.NDArray[np.int64]:
        """Its place from rare to common."""
        return rank(self.counts, self.hashes)


def numbers(task: Task) -> Numbers:
    """Return what a task knows of all queries; counts that it was not given are 0."""
    hashes = query_hashes(task.sources["queries"])
    counts, charges = (counted(task.sources.get(kind, ()), hashes.size) for kind in ("counts", "charges"))
    return Numbers(hashes, counts, charges)


def query_hashes(paths: tuple[str, ...]) -> npt.NDArray[np.uint64]:
    """Return the hash of each query's text, uint64 of shape (queries,)."""
    table = tables.read_all(paths, ["query_id", "query"])
    ids = table["query_id"].to_numpy()
    out = np.zeros(int(ids.max(initial=-1)) + 1, np.uint64)
    out[ids] = hash_strings(strings(table["query"]))
    return out


def counted(paths: tuple[str, ...], queries: int) -> npt.NDArray[np.int64]:
    """Return a table of counts, whole, as int64 of shape (queries,)."""
    out = np.zeros(queries, np.int64)
    for path in paths:
        table = tables.read(path, ["query_id", "count"])
        np.add.at(out, table["query_id"].to_numpy(), table["count"].to_numpy())
    return out


def matches_of(table: pa.Table, queries: int, path: str) -> Matches:
    """Return the matched queries of a part of the pairs.

    Raises:
        InputError: no pair of the part has been matched, or one refers to a query that is not in the list.
    """
    column = table["query_ids"].combine_chunks()
    if len(column) and column.null_count == len(column):
        raise InputError(f"{path}: no pair has query_ids; put the stage match before balance")
    sizes = pc.list_value_length(column).fill_null(0).to_numpy()
    ids = pc.list_flatten(column).to_numpy()
    if ids.size and not 0 <= int(ids.min()) <= int(ids.max()) < queries:
        raise InputError(f"{path}: a pair matches query {int(ids.max())}, the list has {queries}; match with this list")
    return Matches(np.append(0, np.cumsum(sizes)).astype(np.int64), ids)


def read_cuts(paths: tuple[str, ...], hashes: npt.NDArray[np.uint64]) -> tuple[Cuts, Numbers]:
    """Return the cuts of all queries and the numbers that they were made from."""
    table = tables.read_all(paths)
    cuts, ids = Cuts.all_open(hashes.size), table["query_id"].to_numpy()
    counts, charges = np.zeros(hashes.size, np.int64), np.zeros(hashes.size, np.int64)
    counts[ids], charges[ids] = table["count"].to_numpy(), table["charged"].to_numpy()
    shut = table["cut"].is_valid().to_numpy()
    cuts.open[ids[shut]] = False
    cuts.cut[ids[shut]] = table["cut"].drop_null().to_numpy()
    return cuts, Numbers(hashes, counts, charges)
