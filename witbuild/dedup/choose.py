"""Which member of a cluster stays, by a stated rule that knows nothing of parts, rows or the order of arrival."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.dedup.repeats import distinct
from witbuild.dedup.strings import hash_strings, strings
from witbuild.sample.coins import key_halves, mix

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.clusters import Edges
    from witbuild.dedup.nodes import Evidence

_SIZES = ("original_width", "original_height", "width", "height")
_ORIGINS = ("page_url", "source", "source_file", "source_offset", "caption_source", "licence")
ATTRIBUTES = ("key", "caption", *_SIZES, *_ORIGINS)
"""Columns of pairs that choosing looks at."""
_RANKS = {
    "largest_image": ("area", "caption_length"),
    "longest_caption": ("caption_length", "area"),
    "smallest_key": (),
}


def members(table: pa.Table, found: Evidence, part: int) -> dict[str, Any]:
    """Return the columns of schema.MEMBERS for the pairs of a part, given what the scope looks at in them."""
    keys = key_halves(table["key"])
    return {
        "node": found.node,
        "part": np.full(table.num_rows, part, np.int32),
        "row": np.arange(table.num_rows, dtype=np.int32),
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
    for name in _ORIGINS:
        column = table[name]
        same = column.null_count == len(column)
        found = column.slice(0, 1) if same else column  # one hash does for all
        out = mix(out ^ hash_strings(strings(found.cast(pa.large_string()))))
    return out


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
    """Return part, row and reason of every member but the best of each cluster.

    Args:
        found: schema.CLUSTERS of one slice of roots.
        scope: what must agree; names the reason.
        keep: which rank comes first.

    Members of what the pairs are held against (their part is below 0) are better than all others and never dropped.
    The rows of one key whose origins are equal too are copies: whichever stays, the result is the same.
    """
    down = [(name, "descending") for name in _RANKS[keep]]
    up = [(name, "ascending") for name in ("key_high", "key_low", "origin", "part", "row")]
    found = found.append_column("mine", pc.greater_equal(found["part"], 0).cast(pa.int8()))
    ranked = found.take(pc.sort_indices(found, sort_keys=[("root", "ascending"), ("mine", "ascending"), *down, *up]))
    roots, urls = ranked["root"].to_numpy(), ranked["url"].to_numpy()
    best = np.append(True, roots[1:] != roots[:-1])[: roots.size]
    kept_url = urls[np.flatnonzero(best)][np.cumsum(best) - 1] if roots.size else urls
    reasons = np.where((urls == kept_url) & (scope != "caption"), "duplicate_url", _reason(scope))
    mine = ranked["mine"].to_numpy() == 1
    kept_mine = mine[np.flatnonzero(best)][np.cumsum(best) - 1] if roots.size else mine
    reasons = np.where(kept_mine, reasons, "against")
    out = ranked.select(["part", "row"]).append_column("reason", pa.array(reasons, pa.string()))
    lost = out.filter(pa.array(~best & mine)).sort_by([("part", "ascending"), ("row", "ascending")])
    return {name: lost[name].to_numpy() for name in ("part", "row")} | {"reason": lost["reason"]}


def _reason(scope: str) -> str:
    return "duplicate_image" if "image" in scope else f"duplicate_{scope.removeprefix('caption+')}"
