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
    from collections.abc import Iterable

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


def counts_of(needed: Hashes, words: Iterable[pa.Table]) -> Counts:
    """Return how often each word occurs, 0 for one that is not there, int64 of shape (n,).

    Args:
        needed: hashes of words, ascending and different.
        words: parts of a table with columns hash and count; one at a time is in memory.
    """
    counts = np.zeros(len(needed), np.int64)
    for part in words:
        places, rows = _held(needed, part["hash"].to_numpy())
        counts[places] = part["count"].to_numpy()[rows]
    return counts


def bigram_texts(first: Hashes, second: Hashes, words: Iterable[pa.Table]) -> pa.ChunkedArray:
    """Return the text of bigrams from the hashes of their words, all of which `words` (hash, word) must hold."""
    import pyarrow as pa
    import pyarrow.compute as pc

    needed, sides = np.unique(np.concatenate([first, second]), return_inverse=True)
    found, order = [pa.chunked_array([], pa.string())], [np.zeros(0, np.int64)]
    for part in words:
        places, rows = _held(needed, part["hash"].to_numpy())
        found.append(part["word"].take(pa.array(rows)))
        order.append(places)
    texts = pa.chunked_array([chunk for column in found for chunk in column.chunks], pa.string())
    left, right = np.argsort(np.concatenate(order))[sides].reshape(2, -1)
    return pc.binary_join_element_wise(texts.take(pa.array(left)), texts.take(pa.array(right)), " ")


def _held(needed: Hashes, hashes: Hashes) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Return the places in `needed` of those hashes that are there, and which hashes those are."""
    places = np.searchsorted(needed, hashes)
    rows = np.flatnonzero(places < len(needed))
    rows = rows[needed[places[rows]] == hashes[rows]]
    return places[rows].astype(np.int64), rows.astype(np.int64)


def rank(pmis: Scores, counts: Counts, total: int, score: Score) -> Scores:
    """Return the score that bigrams are ranked by, from their PMI and counts."""
    if score == "npmi":
        return npmi(pmis, counts, total)
    if score == "metaclip2" and len(pmis):
        return metaclip2(pmis, counts, float(np.percentile(pmis, 30)))
    return pmis


def floor(scores: Scores, most: int, least: float | None = None) -> float:
    """Return the score that the best `most` have, which is `least` at least.

    Example:
        >>> scores = np.array([3.0, 1.0, 2.0])
        >>> floor(scores, 2), floor(scores, 9), floor(scores, 2, least=2.5), floor(scores, 0)
        (2.0, -inf, 2.5, inf)
    """
    lowest = -np.inf if least is None else least
    if len(scores) <= most:
        return lowest
    return max(lowest, float(np.partition(scores, -most)[-most])) if most else np.inf
