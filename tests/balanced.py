"""The balance in plain Python, all pairs in one place: the reference that the stages and their maths are held to."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from witbuild.sample.coins import coins

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt


def coin(key: str, seed: int, query: np.uint64 | None = None) -> int:
    """Return the coin of a pair, or of a pair and the hash of a query's text."""
    objects = None if query is None else np.array([query])
    return int(coins(pa.array([key]), seed=seed, what="balance", objects=objects)[0])


def reference(
    mode: str,
    keys: Sequence[str],
    lists: Sequence[Sequence[int]],
    hashes: npt.NDArray[np.uint64],
    *,
    limit: int,
    seed: int,
) -> list[bool]:
    """Say of each pair whether it stays, given its key and the queries that it matches."""
    n, pairs = Counter(query for ids in lists for query in ids), list(zip(keys, lists, strict=True))
    if mode == "independent":
        most = limit << 64
        return [any(coin(key, seed, hashes[q]) * max(n[q], limit) < most for q in ids) for key, ids in pairs]
    if mode == "quota":
        charge = [min(ids, key=lambda q: (n[q], hashes[q])) if ids else -1 for ids in lists]
        thrown = [(q, coin(key, seed, hashes[q])) for q, key in zip(charge, keys, strict=True)]
        return [q >= 0 and sum(one < (q, c) for one in thrown if one[0] == q) < limit for q, c in thrown]
    return _greedy([coin(key, seed) for key in keys], lists, dict.fromkeys(n, limit))


def _greedy(coins: Sequence[int], lists: Sequence[Sequence[int]], room: dict[int, int]) -> list[bool]:
    stay = [False] * len(lists)
    for i in sorted(range(len(lists)), key=coins.__getitem__):
        if lists[i] and all(room[q] > 0 for q in lists[i]):
            stay[i] = True
            room.update({q: room[q] - 1 for q in lists[i]})
    return stay
