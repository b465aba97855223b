"""Bands dealt into slices in two passes, counting and placing, as a radix sort does with one digit."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt


class Cells(NamedTuple):
    """n bands by slice, in the order given within one, each with its node and where that is."""

    band: npt.NDArray[np.uint64]
    """uint64 of shape (n,)."""
    node: npt.NDArray[np.uint64]
    """uint64 of shape (n,)."""
    row: npt.NDArray[np.int32]
    """int32 of shape (n,); -1 - row for the first band of an owner."""
    sizes: tuple[int, ...]
    """Bands of each slice."""


def spread(
    bands: npt.NDArray[np.uint64],
    owners: npt.NDArray[np.integer],
    slices: int,
    nodes: npt.NDArray[np.uint64],
    rows: npt.NDArray[np.int64],
) -> Cells:
    """Return bands by slice, with the node and the row of their owner.

    Args:
        bands: uint64 of shape (n,); slices are equal ranges of them, as in `witbuild.sample.order.slice_of`.
        owners: of shape (n,), the number of the node that each belongs to.
        slices: how many, at most 2^31.
        nodes: uint64 of shape (m,).
        rows: int64 of shape (m,), where each node is; below 2^31.

    Example:
        >>> nodes, rows = np.array([7, 8], np.uint64), np.array([0, 5])
        >>> cells = spread(np.array([2**63, 1, 2**63 + 1], np.uint64), np.array([0, 1, 1]), 2, nodes, rows)
        >>> cells.band.tolist() == [1, 2**63, 2**63 + 1], cells.node.tolist(), cells.row.tolist(), cells.sizes
        (True, [8, 7, 8], [-6, -1, 5], (1, 2))
    """
    sizes = _sizes(bands, np.uint64(slices))
    cells = np.empty_like(bands), np.empty_like(bands), np.empty(bands.size, np.int32)
    _place(bands, owners, np.uint64(slices), (nodes, rows), np.cumsum(sizes) - sizes, cells)
    return Cells(*cells, tuple(sizes.tolist()))


@kernel
def _slice_of(value: np.uint64, slices: np.uint64) -> np.uint64:
    return ((value >> np.uint64(32)) * slices) >> np.uint64(32)


@kernel
def _sizes(bands: npt.NDArray[np.uint64], slices: np.uint64) -> npt.NDArray[np.int64]:
    out = np.zeros(np.int64(slices), np.int64)
    for value in bands:
        out[_slice_of(value, slices)] += 1
    return out


@kernel
def _place(  # noqa: PLR0913, PLR0917 a kernel takes arrays
    bands: npt.NDArray[np.uint64],
    owners: npt.NDArray[np.integer],
    slices: np.uint64,
    of_owner: tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]],
    places: npt.NDArray[np.int64],
    out: tuple[npt.NDArray[np.uint64], npt.NDArray[np.uint64], npt.NDArray[np.int32]],
) -> None:
    """Write band, node and row of each band to the next place of its slice."""
    nodes, rows = of_owner
    band, node, row = out
    known = np.zeros(nodes.size, np.bool_)
    for i in range(bands.size):
        which = _slice_of(bands[i], slices)
        place, owner = places[which], owners[i]
        band[place], node[place] = bands[i], nodes[owner]
        row[place] = rows[owner] if known[owner] else -1 - rows[owner]
        known[owner] = True
        places[which] += 1
