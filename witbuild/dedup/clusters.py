"""Connected components of edges that lie in slices: alternating large-star and small-star rounds.

Kiveris, Lattanzi, Mirrokni, Rastogi, Vassilvitskii 2014, "Connected Components in MapReduce and Beyond", section 3:

    large-star at u: every larger neighbour is linked to the smallest of u and its neighbours
    small-star at u: u and every smaller neighbour are linked to the smallest of them

Both keep the components and never add edges. When neither changes anything, every component is a star around its
smallest node. A node's neighbours are all in its slice, so a round is one reduce; it holds one slice of edges.

    turn LARGE  rows (node, other) both ways; in the slice of `node`
    turn SMALL  rows (larger, smaller), and (u, u) for a u without smaller neighbour; in the slice of the first
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.dedup.repeats import ranking

if TYPE_CHECKING:
    import numpy.typing as npt

LARGE, SMALL = 0, 1


class Edges(NamedTuple):
    """m edges between nodes, which are 64-bit numbers."""

    node: npt.NDArray[np.uint64]
    """uint64 of shape (m,)."""
    other: npt.NDArray[np.uint64]
    """uint64 of shape (m,)."""


def both_ways(edges: Edges) -> Edges:
    """Return each edge from both its ends, distinct, sorted: the rows of turn LARGE.

    Example:
        >>> both_ways(Edges(np.array([3, 3], np.uint64), np.array([1, 3], np.uint64))).node.tolist()
        [1, 3]
    """
    node, other = np.concatenate((edges.node, edges.other)), np.concatenate((edges.other, edges.node))
    return _distinct(node[node != other], other[node != other])


def large_star(edges: Edges) -> tuple[Edges, int]:
    """Return the rows of turn SMALL, and how many nodes are neither the centre nor a leaf of a star.

    When no node in any slice is, the components are found: the rows are (node, smallest node of its component), for
    every node that has an edge.

    Example:
        >>> path = both_ways(Edges(np.array([1, 2], np.uint64), np.array([2, 3], np.uint64)))
        >>> star, unsettled = large_star(path)
        >>> star.node.tolist(), star.other.tolist(), unsettled
        ([1, 2, 3], [1, 1, 1], 1)
    """
    node, other = _distinct(*edges)
    starts = _starts(node)
    smallest, sizes = other[starts], np.diff(np.append(starts, node.size))
    centre = node[starts] < smallest
    target = np.minimum(node[starts], smallest)
    larger = other > node
    moved = Edges(other[larger], np.repeat(target, sizes)[larger])
    own = node[starts][centre]
    rows = _distinct(np.concatenate((moved.node, own)), np.concatenate((moved.other, own)))
    return rows, int(np.count_nonzero(~centre & (sizes > 1)))


def small_star(edges: Edges) -> Edges:
    """Return the edges after a small-star, one way: from larger to smaller.

    Example:
        >>> star = small_star(Edges(np.array([3, 3], np.uint64), np.array([1, 2], np.uint64)))
        >>> star.node.tolist(), star.other.tolist()
        ([2, 3], [1, 1])
    """
    proper = edges.node != edges.other
    node, other = _distinct(edges.node[proper], edges.other[proper])
    starts = _starts(node)
    smallest = np.repeat(other[starts], np.diff(np.append(starts, node.size)))
    nodes, roots = np.concatenate((node[starts], other)), np.concatenate((other[starts], smallest))
    return _distinct(nodes[nodes != roots], roots[nodes != roots])


def star(rows: Edges) -> Edges:
    """Return (node, root) of each node once, ascending, from what the last large-star left of a slice.

    Raises:
        ValueError: a node has two roots: the rounds had not settled.
    """
    node, other = _distinct(*rows)
    if (node[1:] == node[:-1]).any():
        raise ValueError("a node is in two clusters: the components have not settled")
    return Edges(node, other)


def _starts(ranked: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return where each run of equal numbers starts."""
    return np.flatnonzero(np.append(True, ranked[1:] != ranked[:-1])[: ranked.size])


def _distinct(node: npt.NDArray[np.uint64], other: npt.NDArray[np.uint64]) -> Edges:
    """Sort edges by both ends and remove repeats."""
    order = ranking(other)
    order = order[ranking(node[order])]
    node, other = node[order], other[order]
    new = np.ones(node.size, np.bool_)
    new[1:] = (node[1:] != node[:-1]) | (other[1:] != other[:-1])
    return Edges(node[new], other[new])
