"""Numbers that occur more than once: found by a filter of bits first, so that only what may repeat is sorted.

Of millions of bands a few in a thousand are shared. A hash table of two bits a place, "seen" and "seen again", says of
all but one in five of the others that they are not, in less time than sorting them takes.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

_GOLDEN = np.uint64(0x9E3779B97F4A7C15)
_PLACES = 4
"""Places of the filter for each number, at least; with more it outgrows the caches that other processes leave."""
_SMALL = 4_096
"""So few numbers are sorted at once."""


def shared(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the rows whose number another row has too, int64, in no particular order.

    Example:
        >>> sorted(shared(np.array([5, 7, 5, 9], np.uint64)).tolist())
        [0, 2]
    """
    if values.size <= _SMALL:
        return _shared_of(values, np.arange(values.size))
    return _shared_of(values, np.flatnonzero(_perhaps_shared(values, _bits(_PLACES * values.size))))


class Contested(NamedTuple):
    """What shares a band, of some (band, node)."""

    apart: npt.NDArray[np.int64]
    """int64: a row of each (band, node) whose band another node has too, by band and node ascending."""
    again: npt.NDArray[np.int64]
    """int64: all rows of each (band, node) that there is more than once, by band and node ascending."""


def contested(bands: npt.NDArray[np.uint64], nodes: npt.NDArray[np.uint64]) -> Contested:
    """Return the rows whose band another row has too.

    Example:
        >>> found = contested(np.array([5, 7, 5, 7, 5], np.uint64), np.array([1, 2, 3, 2, 1], np.uint64))
        >>> found.apart.tolist(), found.again.tolist()
        ([0, 2], [0, 4, 1, 3])
    """
    rows = np.sort(shared(bands))
    rows = rows[ranking(nodes[rows])]
    rows = rows[ranking(bands[rows])]
    same = (bands[rows[1:]] == bands[rows[:-1]]) & (nodes[rows[1:]] == nodes[rows[:-1]])
    first = rows[~np.append(False, same)[: rows.size]]
    return Contested(first[_repeated(bands[first])], rows[_of_neighbours(same, rows.size)])


def first_of_each(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the first row of each distinct number, int64, ascending.

    Example:
        >>> first_of_each(np.array([5, 7, 5, 9, 7], np.uint64)).tolist()
        [0, 1, 3]
    """
    return _first_of_each(values, _bits(2 * values.size))


class Distinct(NamedTuple):
    """The distinct ones among n numbers."""

    values: npt.NDArray[np.uint64]
    """uint64 of shape (m,), ascending."""
    first: npt.NDArray[np.int64]
    """int64 of shape (m,): the first row of each."""
    number: npt.NDArray[np.int64]
    """int64 of shape (n,): which of them each row has."""


def distinct(values: npt.NDArray[np.uint64]) -> Distinct:
    """Return the distinct numbers, as `numpy.unique` does, with the sort of `ranking`.

    Example:
        >>> [part.tolist() for part in distinct(np.array([7, 5, 7], np.uint64))]
        [[5, 7], [1, 0], [1, 0, 1]]
    """
    order = ranking(values)
    ranked = values[order]
    new = np.append(True, ranked[1:] != ranked[:-1])[: ranked.size]
    number = np.empty(values.size, np.int64)
    number[order] = np.cumsum(new) - 1
    return Distinct(ranked[new], order[new], number)


def ranking(values: npt.NDArray[np.uint64]) -> npt.NDArray[np.int64]:
    """Return the rows by number ascending, those of one number in their order, int64 of shape (n,).

    A row goes in the place of a number's lowest bits and both are sorted as one: NumPy does that five times as quickly
    as it ranks. The highest bits tell almost all hashes apart; where they do not, the numbers are ranked after all.

    Example:
        >>> ranking(np.array([7, 2**63, 5, 7], np.uint64)).tolist()
        [2, 0, 3, 1]
    """
    low = np.uint64((1 << max(values.size - 1, 0).bit_length()) - 1)
    both = np.sort((values & ~low) | np.arange(values.size, dtype=np.uint64))
    order = (both & low).astype(np.int64)
    ranked = values[order]
    return np.argsort(values, kind="stable") if (ranked[1:] < ranked[:-1]).any() else order


def _shared_of(values: npt.NDArray[np.uint64], rows: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    order = rows[ranking(values[rows])]
    return order[_repeated(values[order])]


def _repeated(ranked: npt.NDArray[np.uint64]) -> npt.NDArray[np.bool_]:
    """Say of each of some ascending numbers whether it stands there more than once."""
    return _of_neighbours(ranked[1:] == ranked[:-1], ranked.size)


def _of_neighbours(same: npt.NDArray[np.bool_], size: int) -> npt.NDArray[np.bool_]:
    """Say of each of some rows whether it is the same as the one before or behind it."""
    keep = np.zeros(size, np.bool_)
    keep[1:] |= same
    keep[:-1] |= same
    return keep


def _bits(places: int) -> int:
    """Return the logarithm of the smallest table with so many places, of 64 at least."""
    return max(6, (places - 1).bit_length())


@kernel
def _perhaps_shared(values: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.bool_]:
    """Say of each number whether another row's goes to its place in a table of 2^bits: never no when one is equal."""
    table = np.zeros(1 << (bits - 5), np.uint64)  # "seen" is a place's lower bit, "seen again" the bit above
    shift, one = np.uint64(64 - bits), np.uint64(1)
    for i in range(values.size):
        place = (values[i] * _GOLDEN) >> shift
        word, seen = place >> np.uint64(5), one << ((place & np.uint64(31)) << one)
        table[word] |= seen | ((table[word] & seen) << one)
    out = np.empty(values.size, np.bool_)
    for i in range(values.size):
        place = (values[i] * _GOLDEN) >> shift
        again = ((place & np.uint64(31)) << one) | one
        out[i] = (table[place >> np.uint64(5)] >> again) & one
    return out


@kernel
def _first_of_each(values: npt.NDArray[np.uint64], bits: int) -> npt.NDArray[np.int64]:
    """Put each row into a table of 2^bits places, at the first free one from its number's."""
    table = np.full(1 << bits, -1, np.int64)
    last, shift = (1 << bits) - 1, np.uint64(64 - bits)
    out = np.empty(values.size, np.int64)
    count = 0
    for i in range(values.size):
        place = np.int64((values[i] * _GOLDEN) >> shift)
        while table[place] >= 0 and values[table[place]] != values[i]:
            place = (place + 1) & last
        if table[place] < 0:
            table[place] = i
            out[count] = i
            count += 1
    return out[:count].copy()
