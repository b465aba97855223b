"""The compiled loop of the strict balance."""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from witbuild.sample.balance import Cuts, Matches


@kernel
def give(coins: npt.NDArray[np.uint64], matches: Matches, kept: npt.NDArray[np.int64], cuts: Cuts, limit: int) -> None:
    """Give pairs, by coin ascending, to their queries; `kept` and `cuts` are changed in place."""
    first = 0
    while first < coins.size:
        last = first + 1
        while last < coins.size and coins[last] == coins[first]:
            last += 1
        ids = matches.ids[matches.offsets[first] : matches.offsets[last]]
        if cuts.open[ids].all():
            _offer(ids, coins[first], kept, cuts, limit)
        first = last


@kernel
def _offer(ids: npt.NDArray[np.int32], coin: np.uint64, kept: npt.NDArray[np.int64], cuts: Cuts, limit: int) -> None:
    """Count one more for each query, or, where that is too much for any, take it back and close those."""
    for query in ids:
        kept[query] += 1
    full = False
    for query in ids:
        if kept[query] > limit and cuts.open[query]:
            cuts.open[query] = False
            cuts.cut[query] = coin
            full = True
    if full:
        for query in ids:
            kept[query] -= 1
