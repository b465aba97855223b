"""Coins: random numbers without a random state, keyed hashes of (seed, what is decided, pair, object).

So no order, worker, part size or restart can change a decision (law 3).
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

if TYPE_CHECKING:
    import numpy.typing as npt


def key_halves(keys: pa.Array | pa.ChunkedArray) -> npt.NDArray[np.uint64]:
    """Return keys as numbers, uint64 of shape (n, 2).

    Example:
        >>> key_halves(pa.array(["000000000000000a00000000000000ff"])).tolist()
        [[10, 255]]
    """
    from witbuild.sample.hexadecimal import numbers

    flat = (keys.combine_chunks() if isinstance(keys, pa.ChunkedArray) else keys).cast(pa.large_binary())
    if len(flat) == 0:
        return np.zeros((0, 2), np.uint64)
    _, offsets, data = flat.buffers()
    places = np.frombuffer(offsets, np.int64, len(flat) + 1, 8 * flat.offset)
    if flat.null_count or (np.diff(places) != 32).any():
        raise ValueError("a key must be 32 hexadecimal digits")
    halves = numbers(np.frombuffer(data, np.uint8)[places[0] : places[-1]])
    if halves is None:
        raise ValueError("a key must be 32 lower-case hexadecimal digits")
    return halves.reshape(len(flat), 2)


def mix(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Scramble 64-bit numbers, one to one (the finaliser of SplitMix64; Steele, Lea, Flood 2014).

    Example:
        >>> hex(int(mix(np.array([1], np.uint64))[0]))
        '0x5692161d100b05e5'
    """
    out = values.astype(np.uint64)
    out = (out ^ (out >> np.uint64(30))) * np.uint64(0xBF58476D1CE4E5B9)
    out = (out ^ (out >> np.uint64(27))) * np.uint64(0x94D049BB133111EB)
    return out ^ (out >> np.uint64(31))


def coins(
    keys: pa.Array | pa.ChunkedArray, *, seed: int, what: str, objects: npt.NDArray[np.uint64] | None = None
) -> npt.NDArray[np.uint64]:
    """Return a uint64 coin for each key, uniform over 64 bits.

    Args:
        keys: of the pairs, n strings of 32 hexadecimal digits.
        seed: of the run.
        what: names the decision, so that two decisions about a pair are independent.
        objects: uint64 of shape (n,), what else the coin is about (a hash of the query's text), or none.

    Example:
        >>> one = coins(pa.array(["0" * 32]), seed=1, what="order")
        >>> bool((one == coins(pa.array(["0" * 32]), seed=2, what="order")).any())
        False
    """
    first, second = np.frombuffer(hashlib.blake2b(f"{seed}/{what}".encode(), digest_size=16).digest(), "<u8")
    halves = key_halves(keys)
    out = mix(mix(halves[:, 0] ^ first) ^ halves[:, 1] ^ second)
    return out if objects is None else about(out, objects)


def about(thrown: npt.NDArray[np.uint64], objects: npt.NDArray[np.uint64]) -> npt.NDArray[np.uint64]:
    """Return coins of (pair, object) from coins of pairs, as `coins` does with `objects`, uint64 of their shape.

    Example:
        >>> keys, query = pa.array(["0" * 32]), np.array([5], np.uint64)
        >>> one = about(coins(keys, seed=1, what="balance"), query)
        >>> bool((one == coins(keys, seed=1, what="balance", objects=query)).all())
        True
    """
    return mix(thrown ^ mix(objects + np.uint64(0x9E3779B97F4A7C15)))
