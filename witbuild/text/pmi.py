"""Scores of bigrams: how much more often two words stand together than chance would have it.

With n12 the count of the bigram, n1 and n2 those of its words and N all words:

    pmi        log2(n12 N / (n1 n2))                   Church and Hanks 1990, section 3
    npmi       pmi / -log2(n12 / N), from -1 to 1      Bouma 2009, section 3
    metaclip2  (n12 + 1)^0.7 (pmi - its 30th percentile over the bigrams that are scored)

The largest PMI there is belongs to two words that occur once, together: log2 N. So a threshold of 30, MetaCLIP's,
selects nothing in fewer than 2^30 (1.07e9) words, and in 4.5e9 words, English Wikipedia, only bigrams with
n1 n2 / n12 <= 4.2: nearly all of them seen once. A count of at least 100, the score, and a budget do better.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, Literal, get_args

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt
    import pyarrow as pa

    Hashes = npt.NDArray[np.uint64]
    Counts = npt.NDArray[np.int64]
    Scores = npt.NDArray[np.float64]

Score = Literal["pmi", "npmi", "metaclip2"]
"""How bigrams are ranked."""

SCORES: Final[tuple[Score, ...]] = get_args(Score)

_DIGITS = 9
"""Scores are rounded to so many decimals, so that the last bit of a processor's logarithm decides nothing."""


def pmi(together: Counts, first: Counts, second: Counts, total: int) -> Scores:
    """Return the pointwise mutual information of bigrams in bits, float64 of shape (n,).

    Example:
        >>> pmi(np.array([4]), np.array([4]), np.array([8]), 1 << 10)
        array([7.])
    """
    logs = np.log2(together) + np.log2(total) - np.log2(first) - np.log2(second)
    return np.round(logs, _DIGITS)


def npmi(scores: Scores, together: Counts, total: int) -> Scores:
    """Return the normalised PMI from the PMI; 1 where the two words never stand apart.

    Example:
        >>> npmi(np.array([8.0]), np.array([4]), 1 << 10)
        array([1.])
    """
    return np.round(scores / (np.log2(total) - np.log2(together)), _DIGITS)


def metaclip2(scores: Scores, together: Counts, floor: float) -> Scores:
    """Return the score that weighs PMI by count; `floor` is the 30th percentile of PMI.

    Example:
        >>> metaclip2(np.array([10.0, 2.0]), np.array([0, 0]), 2.0)
        array([8., 0.])
    """
    return np.round((together + 1.0) ** 0.7 * (scores - floor), _DIGITS)


def scored(words: pa.Table, first: Hashes, second: Hashes, counts: Counts, total: int) -> pa.Table:
    """Return the bigrams whose words are known, as text, with count and PMI: columns bigram, count, pmi.

    Args:
        words: columns hash, word, count, sorted by hash.
        first: hashes of the first words, uint64 of shape (n,).
        second: hashes of the second words, uint64 of shape (n,).
        counts: of the bigrams, int64 of shape (n,).
        total: all words of the corpus.
    """
    import pyarrow as pa
    import pyarrow.compute as pc

    hashes, occurrences = words["hash"].to_numpy(), words["count"].to_numpy()
    left, right = (np.searchsorted(hashes, side) for side in (first, second))
    known = _holds(hashes, left, first) & _holds(hashes, right, second)
    left, right, together = left[known], right[known], counts[known]
    text = pc.binary_join_element_wise(words["word"].take(pa.array(left)), words["word"].take(pa.array(right)), " ")
    scores = pmi(together, occurrences[left], occurrences[right], total)
    return pa.table({"bigram": text, "count": together, "pmi": scores})


def _holds(hashes: Hashes, places: npt.NDArray[np.intp], wanted: Hashes) -> npt.NDArray[np.bool_]:
    """Say where a sorted array holds what was looked for."""
    inside = places < len(hashes)
    inside[inside] = hashes[places[inside]] == wanted[inside]
    return inside


def rank(pmis: Scores, counts: Counts, total: int, score: Score) -> Scores:
    """Return the score that bigrams are ranked by, from their PMI and counts."""
    if score == "npmi":
        return npmi(pmis, counts, total)
    if score == "metaclip2" and len(pmis):
        return metaclip2(pmis, counts, float(np.percentile(pmis, 30)))
    return pmis
