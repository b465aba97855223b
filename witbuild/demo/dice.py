"""Draws that depend on their names alone: no state, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence

_T = TypeVar("_T")


class Dice:
    """A stream of draws that depends on its names alone.

    Example:
        >>> Dice(1, "size").unit() == Dice(1, "size").unit()
        True
        >>> 0 <= Dice(1, "size").unit() < 1
        True
    """

    def __init__(self, *names: object) -> None:
        self._key = "/".join(map(str, names)).encode()
        self._drawn = 0

    def unit(self) -> float:
        """Return the next number, uniform over [0, 1)."""
        salt = self._drawn.to_bytes(8, "little")
        self._drawn += 1
        digest = hashlib.blake2b(self._key, digest_size=8, salt=salt).digest()
        return (int.from_bytes(digest, "little") >> 11) / 2.0**53

    def between(self, low: float, high: float) -> float:
        """Return a number, uniform over [low, high)."""
        return low + (high - low) * self.unit()

    def pick(self, options: Sequence[_T], weights: Sequence[float] | None = None) -> _T:
        """Return one of the options, by weight."""
        left = self.unit() * (len(options) if weights is None else sum(weights))
        for option, weight in zip(options, weights or [1.0] * len(options), strict=True):
            left -= weight
            if left < 0:
                return option
        return options[-1]

    def shuffle(self, items: Sequence[_T]) -> list[_T]:
        """Return the items in a drawn order."""
        return [item for _, _, item in sorted((self.unit(), place, item) for place, item in enumerate(items))]


def zipf(count: int, steepness: float = 1) -> list[float]:
    """Return the weights of ranks by Zipf's law: 1, 1/2, 1/3, ..., each to the power of the steepness."""
    return [(rank + 1) ** -steepness for rank in range(count)]
