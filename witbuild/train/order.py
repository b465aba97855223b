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
    """The samples of every step.

    Source k with n_k samples of weight w_k fills w_k n_k / sum(w n) of the places of every epoch, to the nearest whole
    number, and gives its samples in passes: none comes again before all have come. A tail smaller than a batch is left
    out of its epoch, another one each time.

    Attributes:
        sources: how many samples each source has; they are numbered through.
        batch_size: of all processes together.
        seed: of the order.
        weights: of the sources: how often a sample is seen, beside one of weight 1; none: all alike.
        epoch_samples: places of an epoch; 0: as many as there are samples.
    """

    sources: tuple[int, ...]
    batch_size: int
    seed: int
    weights: tuple[float, ...] = ()
    epoch_samples: int = 0

    def __post_init__(self) -> None:
        if self.size < self.batch_size:
            raise RecipeError(
                f"stage train: batch_size is {self.batch_size} and there are {self.size} samples; "
                "make batch_size smaller"
            )

    @property
    def size(self) -> int:
        """How many places an epoch has."""
        return self.epoch_samples or sum(self.sources)

    @property
    def steps_per_epoch(self) -> int:
        """How many whole batches there are."""
        return self.size // self.batch_size

    def shares(self) -> list[int]:
        """Return how many places of an epoch each source has: the largest remainders are rounded up.

        Example:
            >>> Order((100, 50), 10, 0, weights=(1.0, 4.0), epoch_samples=100).shares()
            [33, 67]
        """
        weights = self.weights or (1.0,) * len(self.sources)
        mass = [weight * count for weight, count in zip(weights, self.sources, strict=True)]
        exact = [self.size * part / sum(mass) for part in mass]
        whole = [int(part) for part in exact]
        behind = sorted(range(len(exact)), key=lambda k: (whole[k] - exact[k], k))
        for k in behind[: self.size - sum(whole)]:
            whole[k] += 1
        return whole

    def batch(self, step: int) -> npt.NDArray[np.int64]:
        """Return the sample numbers of a step, counted from 0 over all epochs: int64 of shape (batch_size,).

        Example:
            >>> order = Order((5,), batch_size=2, seed=0)
            >>> len({*order.batch(0).tolist(), *order.batch(1).tolist()})
            4
        """
        epoch, inside = divmod(step, self.steps_per_epoch)
        places = np.arange(inside * self.batch_size, (inside + 1) * self.batch_size)
        drawn = permuted(places, self.size, self.seed, "epoch", epoch)
        return drawn if self.shares() == list(self.sources) else self._mixed(drawn, epoch)

    def _mixed(self, drawn: npt.NDArray[np.int64], epoch: int) -> npt.NDArray[np.int64]:
        """Return the samples at places of an epoch, those of each source beside each other."""
        out = np.empty_like(drawn)
        first, base = 0, 0
        for source, (share, count) in enumerate(zip(self.shares(), self.sources, strict=True)):
            here = (drawn >= first) & (drawn < first + share)
            passes, places = np.divmod(drawn[here] - first + epoch * share, max(count, 1))
            samples = np.empty_like(places)
            for number in np.unique(passes):
                now = passes == number
                samples[now] = permuted(places[now], count, self.seed, "source", source, int(number))
            out[here] = samples + base
            first, base = first + share, base + count
        return out
