"""Bands and rows: how a signature is cut so that similar texts, and few others, share a band.

Sets of similarity s share one of b bands of r rows with probability ``1 - (1 - s^r)^b`` (Leskovec, Rajaraman, Ullman,
Mining of Massive Datasets, section 3.4). The best (b, r) for a threshold minimises a weighted sum of the area under
that curve below the threshold (false positives) and the area above the curve beyond it (false negatives).
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt


def share_probability(
    similarity: float | npt.NDArray[np.float64], bands: int, rows: int
) -> float | npt.NDArray[np.float64]:
    """Return the probability that two sets of a Jaccard similarity share at least one band.

    Example:
        >>> round(float(share_probability(0.8, 9, 13)), 3)
        0.399
    """
    return 1.0 - (1.0 - similarity**rows) ** bands


@lru_cache(maxsize=64)
def optimum(threshold: float, num_perm: int, miss_weight: float = 0.5) -> tuple[int, int]:
    """Return the best (bands, rows) with ``bands * rows <= num_perm``; equal to datasketch's choice.

    Args:
        threshold: Jaccard similarity, 0 to 1.
        num_perm: permutations of the signature.
        miss_weight: weight of false negatives; false positives get the rest. Candidates are verified, so a weight
            above one half buys recall for time.

    Example:
        >>> optimum(0.8, 128), optimum(0.8, 128, 0.95)
        ((9, 13), (16, 8))
    """
    nodes, weights = np.polynomial.legendre.leggauss(num_perm // 2 + 1)  # exact for the polynomial's degree, b * r
    shapes = [(b, r) for b in range(1, num_perm + 1) for r in range(1, num_perm // b + 1)]

    def area(shape: tuple[int, int], low: float, high: float) -> float:
        points = (nodes + 1.0) * (high - low) / 2.0 + low
        return float(weights @ share_probability(points, *shape)) * (high - low) / 2.0

    def error(shape: tuple[int, int]) -> float:
        misses = (1.0 - threshold) - area(shape, threshold, 1.0)
        weighted = (1.0 - miss_weight) * area(shape, 0.0, threshold) + miss_weight * misses
        return round(weighted, 12)  # equal ones must be equal on every machine: the first is taken

    return min(shapes, key=error)
