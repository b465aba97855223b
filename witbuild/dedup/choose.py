"""Which member of a cluster stays, by a stated rule that knows nothing of parts, rows or the order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.dedup.repeats import distinct, ranking
from witbuild.dedup.strings import hash_strings, strings
from witbuild.sample.coins import key_halves, mix
from witbuild.text.kernels import inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.clusters import Edges
    from witbuild.dedup.nodes import Evidence

_SIZES = ("original_width", "original_height", "width", "height")
ORIGINS = ("page_url", "source", "source_file", "source_offset", "caption_source", "licence")
"""Columns of texts and numbers that are compared as texts; they may be coded as a dictionary."""
ATTRIBUTES = ("key", "caption", *_SIZES, *ORIGINS)
"""Columns of pairs that choosing looks at."""
_RANKS = {
    "largest_image": ("area", "caption_length"),
    "longest_caption": ("caption_length", "area"),
    "smallest_key": (),
}


def members(table: pa.Table, found: Evidence, part: int, rows: npt.NDArray[np.integer]) -> dict[str, Any]:
    """Return the columns of schema.MEMBERS for some pairs of a part.

    Args:
        table: n pairs.
        found: what the scope looks at in them.
        part: their part.
        rows: of shape (n,), their rows there.
    """
    keys = key_halves(table["key"])
    return {
        "node": found.node,
        "part": np.full(table.num_rows, part, np.int32),
        "row": rows.astype(np.int32),
        "area": _area(table),
        "caption_length": pc.utf8_length(table["caption"]),
        "key_high": keys[:, 0],
        "key_low": keys[:, 1],
        "origin": _origin(table),
        "url": found.url,
    }


def _area(table: pa.Table) -> pa.ChunkedArray:
    """Return width times height: of the image as served, else as declared, else 0."""
    widths = pc.coalesce(table["original_width"], table["width"], 0).cast(pa.int64())
    heights = pc.coalesce(table["original_height"], table["height"], 0).cast(pa.int64())
    return pc.multiply(widths, heights)


def _origin(table: pa.Table) -> npt.NDArray[np.uint64]:
    out = np.zeros(table.num_rows, np.uint64)
    for name in ORIGINS:
        out = mix(out ^ _hashes(table[name]))
    return out


def _hashes(column: pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return the hash of each value as a text, uint64 of shape (n,), or of (1,) when all are null; null is empty."""
    if column.null_count == len(column):
        column = column.slice(0, 1)
    if not pa.types.is_dictionary(column.type):
        return hash_strings(strings(column.cast(pa.large_string())))
    coded = column.combine_chunks()
    known = pa.concat_arrays([coded.dictionary.cast(pa.large_string()), pa.array([""], pa.large_string())])
    return hash_strings(strings(known))[coded.indices.fill_null(len(known) - 1).to_numpy()]


def clusters(found: pa.Table, stars: Edges) -> pa.Table:
    """Return the members of clusters of two or more, each with the root of its cluster.

    Args:
        found: schema.MEMBERS of one slice of nodes.
        stars: (node, root) of every node of the slice that is linked to another, by node ascending.
    """
    nodes, _, number = distinct(found["node"].to_numpy())
    place = np.searchsorted(stars.node, nodes)
    place[place == stars.node.size] = 0
    tied = stars.node[place] == nodes if stars.node.size else np.zeros(nodes.size, np.bool_)
    roots = nodes.copy()
    roots[tied] = stars.other[place[tied]]
    several = (tied | (np.bincount(number, minlength=nodes.size) > 1))[number]
    members = found.drop_columns("node").filter(pa.array(several))
    return members.add_column(0, "root", pa.array(roots[number[several]]))


def drops(found: pa.Table, scope: str, keep: str) -> dict[str, Any]:
    """Return part, row and reason of every member but the best of each cluster, by part and row ascending.

    Args:
        found: schema.CLUSTERS of one slice of roots.
        scope: what must agree; names the reason.
        keep: which rank comes first.

    Members of what the pairs are held against (their part is below 0) are better than all others and never dropped.
    The rows of one key whose origins are equal too are copies: whichever stays, the result is the same.
    """
    part, row, url = (found[name].to_numpy() for name in ("part", "row", "url"))
    best = _best_of_each(_ranks(found, keep))
    lost = np.flatnonzero((best != np.arange(best.size)) & (part >= 0))
    lost = lost[np.argsort(_addresses(part[lost], row[lost]))]
    kept = best[lost]
    same_url = (url[lost] == url[kept]) & (scope != "caption")
    reasons = pa.array([_reason(scope), "duplicate_url", "against"])
    reason = np.where(part[kept] < 0, 2, same_url)
    return {"part": part[lost], "row": row[lost], "reason": reasons.take(pa.array(reason))}


def _ranks(found: pa.Table, keep: str) -> npt.NDArray[np.uint64]:
    """Return the roots and what members of one are compared by, the best smallest: uint64 of shape (k, n)."""
    part, row = found["part"].to_numpy(), found["row"].to_numpy()
    sizes = [~found[name].to_numpy().astype(np.uint64) for name in _RANKS[keep]]
    keys = [found[name].to_numpy() for name in ("key_high", "key_low", "origin")]
    return np.stack((found["root"].to_numpy(), (part >= 0).astype(np.uint64), *sizes, *keys, _addresses(part, row)))


def _addresses(part: npt.NDArray[np.int32], row: npt.NDArray[np.int32]) -> npt.NDArray[np.uint64]:
    """Return numbers in the order of part and row, uint64 of shape (n,)."""
    return (part.astype(np.int64) + 2**31 << 32 | row).astype(np.uint64)


def _best_of_each(ranks: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the best member of each member's cluster, int64 of shape (n,)."""
    return _best(ranks, ranking(ranks[0]))


@kernel
def _best(ranks: npt.NDArray[np.uint64], order: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Go through the clusters, whose members lie beside each other in `order`."""
    out = np.empty(order.size, np.int64)
    start = 0
    while start < order.size:
        best, stop = order[start], start + 1
        while stop < order.size and ranks[0, order[stop]] == ranks[0, best]:
            if _better(order[stop], best, ranks):
                best = order[stop]
            stop += 1
        for i in range(start, stop):
            out[order[i]] = best
        start = stop
    return out


@inner
def _better(one: int, two: int, ranks: npt.NDArray[np.uint64]) -> bool:
    """Say whether one member comes before another by the first rank in which they differ."""
    rank = 1
    while rank < ranks.shape[0] - 1 and ranks[rank, one] == ranks[rank, two]:
        rank += 1
    return bool(ranks[rank, one] < ranks[rank, two])


def _reason(scope: str) -> str:
    return "duplicate_image" if "image" in scope else f"duplicate_{scope.removeprefix('caption+')}"
