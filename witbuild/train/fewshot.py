"""Few labelled images a class: which ones is a keyed hash of each image's key, so that a draw can be had again."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def coin(seed: int, what: str, key: str) -> int:
    """Return a random number of 64 bits, a function of seed, what it decides, and a sample's key."""
    return int.from_bytes(hashlib.blake2b(f"{seed}/{what}/{key}".encode(), digest_size=8).digest())


def drawn(keys: Sequence[str], labels: Sequence[int], shots: int, *, seed: int, draw: int) -> list[int]:
    """Return the places of `shots` samples of each class, ascending; a larger number of shots has those of a smaller.

    Args:
        keys: of n samples.
        labels: of their classes.
        shots: samples of each class; of a class with fewer all.
        seed: of all draws.
        draw: which of several.

    Example:
        >>> drawn(["a", "b", "c", "d"], [0, 0, 0, 1], 2, seed=0, draw=0)
        [1, 2, 3]
    """
    by_class: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        by_class[label].append(place)
    ranked = (sorted(found, key=lambda at: coin(seed, f"shot/{draw}", keys[at])) for found in by_class.values())
    return sorted(place for found in ranked for place in found[:shots])


def held_back(keys: Sequence[str], labels: Sequence[int], *, seed: int) -> list[bool]:
    """Say which samples are held back to choose regularisation by: a fifth of each class, none of a class of one.

    Example:
        >>> sum(held_back([str(i) for i in range(20)], [0] * 10 + [1] * 10, seed=0))
        4
    """
    out = [False] * len(keys)
    by_class: dict[int, list[int]] = defaultdict(list)
    for place, label in enumerate(labels):
        by_class[label].append(place)
    for found in by_class.values():
        ranked = sorted(found, key=lambda at: coin(seed, "held back", keys[at]))
        for place in ranked[: max(1, round(len(found) / 5)) if len(found) > 1 else 0]:
            out[place] = True
    return out
