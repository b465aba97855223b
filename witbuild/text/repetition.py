"""How often words come again within a text."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.dedup.strings import Strings, hash_strings
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.text.scan import Scan

    Hashes = npt.NDArray[np.uint64]
    Ints = npt.NDArray[np.int64]


def token_hashes(found: Scan) -> Hashes:
    """Return the hash of each token of texts, end to end, uint64."""
    return hash_strings(Strings(found.out, np.concatenate([np.zeros(1, np.int64), found.ends])))


@kernel
def distinct_counts(hashes: Hashes, lasts: Ints) -> Ints:
    """Return how many different tokens each text has, int64 of shape (texts,).

    Example:
        >>> distinct_counts(np.array([5, 7, 5, 9], np.uint64), np.array([3, 3, 4])).tolist()
        [2, 0, 1]
    """
    out = np.zeros(lasts.size, np.int64)
    start = 0
    for row in range(lasts.size):
        mine = np.sort(hashes[start : lasts[row]])
        for place in range(mine.size):
            out[row] += place == 0 or mine[place] != mine[place - 1]
        start = lasts[row]
    return out
