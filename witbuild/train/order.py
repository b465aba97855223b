"""Which samples a step sees: a keyed permutation of each epoch, computed place by place, so nothing is shuffled.

    (seed, epoch, step) ─> places step * batch ... ─ Feistel network, cycle walking ─> sample numbers

A resumed run, or one with other workers, sees the same samples at the same step.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from witbuild.errors import RecipeError
from witbuild.sample.coins import mix

if TYPE_CHECKING:
    import numpy.typing as npt

_ROUNDS = 6


def permuted(places: npt.NDArray[np.int64], size: int, *names: object) -> npt.NDArray[np.int64]:
    """Return where places of 0 ... size - 1 go under a permutation that `names` choose.

    A Feistel network over the next even number of bits, applied again to what falls outside (Black and Rogaway 2002,
    "Ciphers with arbitrary finite domains", cycle-walking cipher).

    Example:
        >>> sorted(permuted(np.arange(5), 5, 1, "epoch 0").tolist())
        [0, 1, 2, 3, 4]
    """
    keys = _round_keys(names)
    half = max(1, -(-(size - 1).bit_length() // 2))
    out = _feistel(places.astype(np.uint64), half, keys)
    while (outside := out >= np.uint64(size)).any():
        out[outside] = _feistel(out[outside], half, keys)
    return out.astype(np.int64)


def _round_keys(names: tuple[object, ...]) -> npt.NDArray[np.uint64]:
    text = "/".join(map(str, names)).encode()
    return np.frombuffer(hashlib.blake2b(text, digest_size=8 * _ROUNDS).digest(), "<u8").astype(np.uint64)


def _feistel(values: npt.NDArray[np.uint64], half: int, keys: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble numbers of 2 * half bits, one to one."""
    mask, shift = np.uint64((1 << half) - 1), np.uint64(half)
    left, right = values >> shift, values & mask
    for key in keys:
        left, right = right, left ^ (mix(right ^ key) & mask)
    return (left << shift) | right


@dataclass(frozen=True)
class Order:
    """The samples of every step; a tail smaller than a batch is left out of its epoch, another one each time."""

    samples: int
    batch_size: int
    seed: int

    def __post_init__(self) -> None:
        if self.samples < self.batch_size:
            raise RecipeError(
                f"stage train: batch_size is {self.batch_size} and there are {self.samples} samples; "
                "make batch_size smaller"
            )

    @property
    def steps_per_epoch(self) -> int:
        """How many whole batches there are."""
        return self.samples // self.batch_size

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return the sample numbers of a step, counted from 0 over all epochs: int64 of shape (batch_size,).

        Example:
            >>> order = Order(samples=5, batch_size=2, seed=0)
            >>> len({*order.batch(0).tolist(), *order.batch(1).tolist()})
            4
        """
        epoch, inside = divmod(step, self.steps_per_epoch)
        places = np.arange(inside * self.batch_size, (inside + 1) * self.batch_size)
        return permuted(places, self.samples, self.seed, "epoch", epoch)
