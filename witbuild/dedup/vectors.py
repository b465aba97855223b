"""Images told apart by what a model sees in them: vectors, their bands by random planes, and the cosine of two.

A vector is a model's feature in signed bytes, scaled so that its largest is 127; the cosine does not mind the scale.
All that follows is sums of whole numbers, so no machine, library or order of the rows can change a bit of it.

    bands   in each table, on which side of `bits` random planes the vector lies: two vectors an angle apart agree in a
            plane with probability 1 - angle / pi (Charikar 2002, section 3)
    centre  the mean direction is taken off first, since models put all images into a narrow cone
    alike   candidates are compared by their exact cosine
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pyarrow as pa

from witbuild.sample.coins import mix

if TYPE_CHECKING:
    import numpy.typing as npt

    Vectors = npt.NDArray[np.int8]

_UNIT = 1_024
"""Length of a direction in whole numbers."""
_BLOCK = 4_096
"""Vectors that are projected at a time."""


class Planes(NamedTuple):
    """How vectors are cut into bands."""

    tables: int
    bits: int
    seed: int
    centre: npt.NDArray[np.int64]
    """int64 of shape (D,): the mean direction, of length up to 1,024."""


def as_bytes(features: npt.NDArray[np.float32]) -> Vectors:
    """Return features in signed bytes, int8 of shape (n, D).

    Example:
        >>> as_bytes(np.array([[0.5, -0.25, 0.0]], np.float32)).tolist()
        [[127, -64, 0]]
    """
    largest = np.abs(features).max(axis=1, keepdims=True, initial=np.finfo(np.float32).tiny)
    return np.rint(features.astype(np.float64) * (127.0 / largest)).astype(np.int8)


def to_column(vectors: Vectors, seen: npt.NDArray[np.bool_]) -> pa.Array:
    """Return vectors as a column of bytes, null where there is none."""
    rows = [row.tobytes() if known else None for row, known in zip(vectors, seen.tolist(), strict=True)]
    return pa.array(rows, pa.binary())


def from_column(column: pa.Array | pa.ChunkedArray) -> tuple[Vectors, npt.NDArray[np.bool_]]:
    r"""Return a column's vectors, int8 of shape (n, D), zero where they are not known, and where they are.

    Raises:
        ValueError: they are not of one length.

    Example:
        >>> from_column(pa.array([b"\x01\xff", None]))[0].tolist()
        [[1, -1], [0, 0]]
    """
    flat = column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column
    seen = flat.is_valid().to_numpy(zero_copy_only=False)
    known = flat.drop_null().to_pylist()
    if len({len(one) for one in known}) > 1:
        raise ValueError("vectors are not of one length: they are of different models")
    width = len(known[0]) if known else 0
    out = np.zeros((len(flat), width), np.int8)
    out[seen] = np.frombuffer(b"".join(known), np.int8).reshape(len(known), width)
    return out, seen


def squares(vectors: Vectors) -> npt.NDArray[np.int64]:
    """Return the square of each vector's length, int64 of shape (n,)."""
    wide = vectors.astype(np.int32)
    return np.einsum("nd,nd->n", wide, wide, dtype=np.int64)


def sum_of_directions(vectors: Vectors) -> npt.NDArray[np.int64]:
    """Return the sum of the vectors made 1,024 long and rounded, int64 of shape (D,): it adds up over any parts."""
    lengths = np.sqrt(np.maximum(squares(vectors), 1).astype(np.float64))[:, None]
    return np.rint(vectors * (_UNIT / lengths)).astype(np.int64).sum(axis=0)


def planes(size: int, count: int, seed: int) -> npt.NDArray[np.float64]:
    """Return the normals of random planes, whole numbers from -127 to 127, float64 of shape (size, count).

    Each is the sum of eight dice, near enough to the normal distribution that no direction is preferred.
    """
    dice = mix(np.arange(size * count, dtype=np.uint64) + mix(np.array([seed + 1], np.uint64)))
    eight = dice.view(np.uint8).reshape(size, count, 8).astype(np.int64) & 31
    return (eight.sum(axis=2) - 124).astype(np.float64)


def plane_keys(vectors: Vectors, cut: Planes) -> npt.NDArray[np.uint64]:
    """Return the key of each vector in each table, uint64 of shape (n, tables); tables are kept apart by number."""
    if not len(vectors):
        return np.zeros((0, cut.tables), np.uint64)
    normals = planes(vectors.shape[1], cut.tables * cut.bits, cut.seed)
    lengths = np.sqrt(np.maximum(squares(vectors), 1).astype(np.float64))
    level = cut.centre.astype(np.float64) @ normals
    out = np.empty((len(vectors), cut.tables), np.uint64)
    for start in range(0, len(vectors), _BLOCK):
        block = slice(start, start + _BLOCK)
        projected = vectors[block].astype(np.float64) @ normals  # sums of whole numbers below 2^53: exact
        above = projected * (_UNIT / lengths[block, None]) >= level
        out[block] = _numbers(above.reshape(-1, cut.tables, cut.bits))
    tables = mix(np.arange(1, cut.tables + 1, dtype=np.uint64))
    return mix(out ^ tables[None, :])


def _numbers(sides: npt.NDArray[np.bool_]) -> npt.NDArray[np.uint64]:
    """Return the bits of the last axis as numbers."""
    weights = np.uint64(1) << np.arange(sides.shape[2], dtype=np.uint64)
    return (sides * weights).sum(axis=2, dtype=np.uint64)


def bits_for(rows: int) -> int:
    """Return how many planes a table has, so that of so many images some 64 share a key by chance.

    Example:
        >>> bits_for(1_000), bits_for(1_000_000), bits_for(10**12)
        (8, 14, 30)
    """
    return min(max(8, (max(rows, 1) - 1).bit_length() - 6), 30)


def found_share(cosine: float, tables: int, bits: int) -> float:
    """Return the probability that two vectors share a key in some table.

    Args:
        cosine: of the two, with the centre taken off.
        tables: how many.
        bits: planes of each.

    Example:
        >>> [round(found_share(cosine, 64, 14), 3) for cosine in (0.8, 0.9, 0.95, 0.98)]
        [0.929, 1.0, 1.0, 1.0]
    """
    same = 1.0 - np.arccos(cosine) / np.pi
    return float(1.0 - (1.0 - same**bits) ** tables)
