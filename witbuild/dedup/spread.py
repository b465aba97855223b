"""Hashes dealt into slices in two passes, counting and placing, as a radix sort does with one digit."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import numpy.typing as npt


def spread(
    hashes: npt.NDArray[np.uint64], owners: npt.NDArray[np.int64], slices: int
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64], tuple[int, ...]]:
    """Return hashes and their owners by slice, in the order given within one, and the rows of each slice.

    Args:
        hashes: uint64 of shape (n,); slices are equal ranges of them, as in `witbuild.sample.order.slice_of`.
        owners: int64 of shape (n,), what each belongs to.
        slices: how many, at most 2^31.

    Example:
        >>> hashes, owners, sizes = spread(np.array([2**63, 1, 2**63 + 1], np.uint64), np.array([0, 1, 2]), 2)
        >>> hashes.tolist() == [1, 2**63, 2**63 + 1], owners.tolist(), sizes
        (True, [1, 0, 2], (1, 2))
    """
    sizes = _sizes(hashes, np.uint64(slices))
    starts = np.cumsum(sizes) - sizes
    return *_placed(hashes, owners, np.uint64(slices), starts), tuple(sizes.tolist())


@njit(cache=True, nogil=True)
def _slice_of(value: np.uint64, slices: np.uint64) -> np.uint64:
    return ((value >> np.uint64(32)) * slices) >> np.uint64(32)


@njit(cache=True, nogil=True)
def _sizes(hashes: npt.NDArray[np.uint64], slices: np.uint64) -> npt.NDArray[np.int64]:
    out = np.zeros(np.int64(slices), np.int64)
    for value in hashes:
        out[_slice_of(value, slices)] += 1
    return out


@njit(cache=True, nogil=True)
def _placed(
    hashes: npt.NDArray[np.uint64],
    owners: npt.NDArray[np.int64],
    slices: np.uint64,
    places: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.uint64], npt.NDArray[np.int64]]:
    out, owned = np.empty_like(hashes), np.empty_like(owners)
    for i in range(hashes.size):
        which = _slice_of(hashes[i], slices)
        out[places[which]] = hashes[i]
        owned[places[which]] = owners[i]
        places[which] += 1
    return out, owned
