"""A trie of token runs in flat arrays: what 500,000 queries become, exact and about 25 MB.

words   token -> entry          a token of up to 7 bytes is its own 64-bit key, a longer one is found by hash and
                                compared byte by byte, so no collision can be taken for a match
edges   (node, word) -> entry   the key is the exact pair of 32-bit numbers
entry   bit 63: has edges | 31 bits: query that ends here + 1 | 32 bits: node + 1
nodes   0, 1, ... are the words by number, which are the first tokens of runs; then the other nodes
filter  a bit for every hash of an edge, small enough for the cache: most pairs of words are no edge
same    query -> the next query with the same tokens, or -1; empty when no two queries are the same
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np
from numba import njit

from witbuild.text.kernels import copied, eight_at, inner, kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.text.scan import Bytes, Offsets, Scan

    Slots = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int32]


class Vocabulary(NamedTuple):
    """The distinct tokens; `slots` is (n, 2) of key and entry, 0 when free; `starts` cuts `spelling`."""

    slots: Slots
    spelling: Bytes
    starts: Numbers


class Trie(NamedTuple):
    """See the drawing above; `edges` is (slots, 2) of key and entry, 0 when free."""

    words: Vocabulary
    edges: Slots
    filter: Bytes
    same: Numbers

    @property
    def nbytes(self) -> int:
        """Bytes of all arrays."""
        return sum(array.nbytes for array in (*self.words, *self[1:]))


def build(runs: Scan) -> Trie:
    """Return the trie of runs of tokens; query i is the i-th run, an empty one is never found."""
    numbers, words = _number(runs, _slots(len(runs.ends)))
    edges = _slots(len(runs.ends))
    same, count = _grow(numbers, runs, words, edges)
    words = words._replace(slots=_ordered(words.slots, 0, len(words.starts) - 1))
    edges = _ordered(edges, len(words.starts) - 1, count)
    return Trie(words, edges, _filter(edges), same if (same >= 0).any() else np.empty(0, np.int32))


def _slots(entries: int) -> Slots:
    """Return a table that is at most two thirds full with so many entries."""
    return np.zeros((1 << max(4, (entries + entries // 2).bit_length()), 2), np.uint64)


def _ordered(slots: Slots, first: int, entries: int) -> Slots:
    """Return as small a table as the entries need; those of the first queries, often the frequent ones, come first."""
    smaller = _slots(entries)
    _refill(slots, smaller, first, entries)
    return smaller


_NONE: Final = np.uint64(0)
LONG: Final = np.uint64(1) << np.uint64(63)
"""The bit that the keys of long tokens have, and those of short ones have not."""


@inner
def mix(key: np.uint64) -> np.uint64:
    """Return a key with its bits spread (Fibonacci hashing; Knuth, volume 3, section 6.4)."""
    mixed = (key ^ (key >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(32))


@inner
def place_of(key: np.uint64, slots: int) -> np.int64:
    """Return where the search for a key begins in a table of so many slots, a power of two."""
    return np.int64(mix(key) & np.uint64(slots - 1))


@inner
def node_of(entry: np.uint64) -> np.int64:
    """Return the node of an entry; -1 when it is free."""
    return np.int64(entry & np.uint64(0xFFFFFFFF)) - 1


@inner
def query_of(entry: np.uint64) -> np.int64:
    """Return the query that ends at an entry, or -1."""
    return np.int64(entry >> np.uint64(32) & np.uint64(0x7FFFFFFF)) - 1


@inner
def has_edges(entry: np.uint64) -> bool:
    """Say whether any run goes on from an entry."""
    return entry >> np.uint64(63) != 0


@njit(cache=True, nogil=True, inline="always")
def key_of(data: Bytes, start: int, end: int) -> np.uint64:
    """Return a token's key: itself and its length up to 7 bytes, else a hash with the top bit set.

    Up to 8 bytes after the token are read, and not looked at.
    """
    length = end - start
    last = min(length, 8)
    unused = np.uint64(64 - 8 * last)
    short = eight_at(data, start) << unused >> unused if length > 0 else _NONE
    key = mix(short ^ np.uint64(length))
    for place in range(start + 8, end - 8, 8):
        key = mix(key ^ eight_at(data, place))
    long = mix(key ^ eight_at(data, max(start, end - 8))) | LONG
    return long if length >= 8 else short | np.uint64(length) << np.uint64(56)


@kernel
def word_at(data: Bytes, start: int, end: int, key: np.uint64, words: Vocabulary) -> np.int64:
    """Return the slot that holds a token, or the free one where it would stand."""
    slots = words.slots
    slot = place_of(key, len(slots))
    while slots[slot, 1] != 0:
        if slots[slot, 0] == key and (key < LONG or is_word(data, start, end, node_of(slots[slot, 1]), words)):
            return slot
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@njit(cache=True, nogil=True, inline="always")
def is_word(data: Bytes, start: int, end: int, number: int, words: Vocabulary) -> bool:
    """Say whether a token of at least 8 bytes is the word of a number, byte by byte."""
    spelling, first = words.spelling, np.int64(words.starts[number])
    if words.starts[number + 1] - first != end - start:
        return False
    shift = first - start
    for place in range(start, end - 8, 8):
        if eight_at(data, place) != eight_at(spelling, place + shift):
            return False
    return eight_at(data, end - 8) == eight_at(spelling, end - 8 + shift)


@njit(cache=True, nogil=True, inline="always")
def edge_at(key: np.uint64, edges: Slots) -> np.int64:
    """Return the slot that holds an edge, or the empty one where it would stand."""
    slot = place_of(key, len(edges))
    while edges[slot, 1] != 0 and edges[slot, 0] != key:
        slot = (slot + 1) & (len(edges) - 1)
    return slot


@inner
def edge_key(node: int | np.int64, word: int | np.int64) -> np.uint64:
    """Return the key of an edge: node and word, 32 bits each."""
    return np.uint64(node) << np.uint64(32) | np.uint64(word)


@inner
def octet_of(key: np.uint64, octets: int) -> np.int64:
    """Return the byte of a filter of so many bytes that has the bit of an edge."""
    return np.int64(mix(key) >> np.uint64(27) & np.uint64(octets - 1))


@inner
def bit_of(key: np.uint64) -> np.uint8:
    """Return the bit in its byte: an edge that has none is not there; no false no."""
    return np.uint8(1) << np.uint8(mix(key) >> np.uint64(24) & np.uint64(7))


@kernel
def _filter(edges: Slots) -> Bytes:
    """Return a bit for every hash of an edge; as many bytes as slots, up to half a megabyte, which a cache holds."""
    bits = np.zeros(min(len(edges), 1 << 19), np.uint8)
    for slot in range(len(edges)):
        if edges[slot, 1] != 0:
            bits[octet_of(edges[slot, 0], len(bits))] |= bit_of(edges[slot, 0])
    return bits


@kernel
def _refill(slots: Slots, smaller: Slots, first: int, entries: int) -> None:
    """Move the entries, whose nodes are numbered from `first`, to an empty table in the order of their nodes."""
    order = np.empty(entries, np.int64)
    for old in range(len(slots)):
        if slots[old, 1] != 0:
            order[node_of(slots[old, 1]) - first] = old
    for index in range(entries):
        old = order[index]
        slot = place_of(slots[old, 0], len(smaller))
        while smaller[slot, 1] != 0:
            slot = (slot + 1) & (len(smaller) - 1)
        smaller[slot, 0], smaller[slot, 1] = slots[old, 0], slots[old, 1]


@kernel
def _number(runs: Scan, slots: Slots) -> tuple[Numbers, Vocabulary]:
    """Give each distinct token a number, in order of appearance; return the number of every token."""
    ends = runs.ends
    data = np.zeros(len(runs.out) + 8, np.uint8)
    copied(runs.out, 0, len(runs.out), data, 0)
    words = Vocabulary(slots, np.zeros(len(data), np.uint8), np.zeros(len(ends) + 1, np.int32))
    numbers = np.empty(len(ends), np.int32)
    count, start = 0, 0
    for token in range(len(ends)):
        end = ends[token]
        key = key_of(data, start, end)
        slot = word_at(data, start, end, key, words)
        if slots[slot, 1] == 0:
            slots[slot, 0] = key
            slots[slot, 1] = count + 1
            size = words.starts[count]
            count += 1
            words.starts[count] = copied(data, start, end, words.spelling, size)
        numbers[token] = node_of(slots[slot, 1])
        start = end
    starts = words.starts[: count + 1].copy()
    return numbers, Vocabulary(slots, words.spelling[: starts[count] + 8].copy(), starts)


@kernel
def _grow(numbers: Numbers, runs: Scan, words: Vocabulary, edges: Slots) -> tuple[Numbers, int]:
    """Enter each run's edges and its query; return the chains of equal queries and the number of edges."""
    ends, lasts, count = runs.ends, runs.lasts, len(words.starts) - 1
    same = np.full(len(lasts), -1, np.int32)
    slots = _slots_of(words.slots, count)
    nodes, first = count, 0
    for query in range(len(lasts)):
        last = lasts[query]
        if last > first and ends[last - 1] > (ends[first - 1] if first > 0 else 0):
            table, slot = words.slots, slots[numbers[first]]
            for token in range(first + 1, last):
                table[slot, 1] |= np.uint64(1) << np.uint64(63)
                key = edge_key(node_of(table[slot, 1]), numbers[token])
                table, slot = edges, edge_at(key, edges)
                if edges[slot, 1] == 0:
                    edges[slot, 0] = key
                    edges[slot, 1] = nodes + 1
                    nodes += 1
            entry = table[slot, 1]
            same[query] = query_of(entry)
            kept = entry & (np.uint64(1) << np.uint64(63) | np.uint64(0xFFFFFFFF))
            table[slot, 1] = kept | np.uint64(query + 1) << np.uint64(32)
        first = last
    return same, nodes - count


@inner
def _slots_of(words: Slots, count: int) -> Offsets:
    slots = np.empty(count, np.int64)
    for slot in range(len(words)):
        if words[slot, 1] != 0:
            slots[node_of(words[slot, 1])] = slot
    return slots
