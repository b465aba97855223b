"""The limit, chosen from counts alone, and what a limit does to the counts."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.sample.balance import Matches, pair_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt


def limit_for_pairs(charges: npt.NDArray[np.int64], pairs: int) -> int:
    """Return the largest limit at which quota keeps at most so many pairs: sum of min(charges, limit) <= pairs.

    Example:
        >>> limit_for_pairs(np.array([1, 5, 10]), 10), limit_for_pairs(np.array([1, 5, 10]), 99)
        (4, 10)
    """
    low, high = 1, max(int(charges.max(initial=1)), 1)
    while low < high:
        middle = (low + high + 1) // 2
        low, high = (middle, high) if kept_by_quota(charges, middle) <= pairs else (low, middle - 1)
    return low


def kept_by_quota(charges: npt.NDArray[np.int64], limit: int) -> int:
    """Return how many pairs quota keeps, from the charges alone.

    Example:
        >>> kept_by_quota(np.array([1, 5, 10]), 4)
        9
    """
    return int(np.minimum(charges, limit).sum())


def limit_for_tail(counts: npt.NDArray[np.int64], share: float) -> int:
    """Return the largest limit at which queries of that many matches or fewer hold at most a share of all matches.

    MetaCLIP chooses its limit so, with a share of 0.06 (Xu et al. 2023, section 3.4); at least 1.

    Example:
        >>> limit_for_tail(np.array([1, 1, 8, 90]), 0.1)
        89
    """
    ranked = np.sort(counts[counts > 0])
    below = np.searchsorted(np.cumsum(ranked), share * ranked.sum(), side="right")
    while 0 < below < ranked.size and ranked[below] == ranked[below - 1]:
        below -= 1
    return int(max(ranked[below] - 1, 1)) if below < ranked.size else int(ranked.max(initial=1))


def tail_share(counts: npt.NDArray[np.int64], limit: int) -> float:
    """Return the share of matches that fall on queries of at most `limit` matches; 0 when there are none.

    Example:
        >>> tail_share(np.array([1, 1, 8, 90]), 89)
        0.1
    """
    total = int(counts.sum())
    return float(counts[counts <= limit].sum() / total) if total else 0.0


def expected_independent(matches: Iterable[Matches], counts: npt.NDArray[np.int64], limit: int) -> float:
    """Return how many pairs `independent` keeps on average: the sum over pairs of 1 - prod(1 - min(1, t / n)).

    Example:
        >>> two = Matches(np.array([0, 2]), np.array([0, 1], np.int32))
        >>> expected_independent([two], np.array([20, 40]), 10)
        0.625
    """
    lost = np.maximum(0.0, 1.0 - limit / np.maximum(counts, 1))
    total = 0.0
    for batch in matches:
        product = np.ones(batch.offsets.size - 1)
        np.multiply.at(product, pair_of(batch), lost[batch.ids])
        total += float((1.0 - product).sum())
    return total
