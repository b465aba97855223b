"""Image hashes near some known ones: each is looked up in tables of blocks, and only what shares one is compared."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.dedup.hamming import bits, table_keys
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt


class Near:
    """Known hashes that others are held against.

    Two hashes within the distance agree in at least one table (witbuild.dedup.hamming), so nothing near is missed.

    Args:
        known: uint64 of shape (n,).
        distance: bits in which two hashes of one image may differ.

    Example:
        >>> known = Near(np.array([0b1111, 0b1111 << 40], np.uint64), distance=1)
        >>> known.nearest(np.array([0b0111, 0b0011, 0b1111 << 40], np.uint64)).tolist()
        [0, -1, 1]
    """

    def __init__(self, known: npt.NDArray[np.uint64], *, distance: int) -> None:
        self._known, self._distance = known.astype(np.uint64), distance
        keys = table_keys(self._known, distance)
        self._order = np.argsort(keys, axis=0, kind="stable").T.copy()
        self._keys = np.sort(keys, axis=0).T.copy()

    def nearest(self, hashes: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
        """Return for each of n hashes the number of the nearest known one, the first of equals; -1: none is near."""
        if self._known.size == 0 or hashes.size == 0:
            return np.full(hashes.size, -1, np.int64)
        wanted = table_keys(hashes.astype(np.uint64), self._distance).T.copy()
        first = np.stack([np.searchsorted(*pair, "left") for pair in zip(self._keys, wanted, strict=True)])
        last = np.stack([np.searchsorted(*pair, "right") for pair in zip(self._keys, wanted, strict=True)])
        found: npt.NDArray[np.int64] = _nearest(
            hashes.astype(np.uint64), self._known, self._order, first, last, self._distance
        )
        return found


@kernel
def _nearest(  # noqa: PLR0913, PLR0917 a kernel takes arrays
    hashes: npt.NDArray[np.uint64],
    known: npt.NDArray[np.uint64],
    order: npt.NDArray[np.int64],
    first: npt.NDArray[np.int64],
    last: npt.NDArray[np.int64],
    distance: int,
) -> npt.NDArray[np.int64]:
    """Compare each hash with the known ones between `first` and `last` of each table."""
    out = np.full(hashes.size, -1, np.int64)
    for i in range(hashes.size):
        best = distance + 1
        for table in range(order.shape[0]):
            for place in range(first[table, i], last[table, i]):
                other = order[table, place]
                apart = bits(hashes[i] ^ known[other])
                if apart < best or (apart == best and other < out[i]):
                    best, out[i] = apart, other
    return out
