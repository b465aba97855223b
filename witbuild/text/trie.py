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

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from numba import njit

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.text.scan import Bytes, Offsets, Scan

    Slots = npt.NDArray[np.uint64]
    Numbers = npt.NDArray[np.int32]


class Vocabulary(NamedTuple):
    """The distinct tokens; `slots` is (n, 2) of key and entry, 0 when free; `starts` cuts `spelling` into tokens."""

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
    words = words._replace(slots=_shrunk(words.slots, len(words.starts) - 1))
    edges = _shrunk(edges, count)
    return Trie(words, edges, _filter(edges), same if (same >= 0).any() else np.empty(0, np.int32))


def _slots(entries: int) -> Slots:
    """Return a table that is at most two thirds full with so many entries."""
    return np.zeros((1 << max(4, (entries + entries // 2).bit_length()), 2), np.uint64)


def _shrunk(slots: Slots, entries: int) -> Slots:
    smaller = _slots(entries)
    if len(smaller) < len(slots):
        _refill(slots, smaller)
        return smaller
    return slots


@njit(cache=True, nogil=True, inline="always")
def mix(key: np.uint64) -> np.uint64:
    """Return a key with its bits spread (Fibonacci hashing; Knuth, volume 3, section 6.4)."""
    mixed = (key ^ (key >> np.uint64(32))) * np.uint64(0x9E3779B97F4A7C15)
    return mixed ^ (mixed >> np.uint64(32))


@njit(cache=True, nogil=True, inline="always")
def place_of(key: np.uint64, slots: Slots) -> np.int64:
    """Return where the search for a key begins."""
    return np.int64(mix(key) & np.uint64(len(slots) - 1))


@njit(cache=True, nogil=True, inline="always")
def node_of(entry: np.uint64) -> np.int64:
    """Return the node of an entry; -1 when it is free."""
    return np.int64(entry & np.uint64(0xFFFFFFFF)) - 1


@njit(cache=True, nogil=True, inline="always")
def query_of(entry: np.uint64) -> np.int64:
    """Return the query that ends at an entry, or -1."""
    return np.int64(entry >> np.uint64(32) & np.uint64(0x7FFFFFFF)) - 1


@njit(cache=True, nogil=True, inline="always")
def has_edges(entry: np.uint64) -> bool:
    """Say whether any run goes on from an entry."""
    return entry >> np.uint64(63) != 0


@njit(cache=True, nogil=True, inline="always")
def key_of(data: Bytes, start: int, end: int) -> np.uint64:
    """Return a token's key: itself and its length up to 7 bytes, else a hash with the top bit set (FNV-1a, mixed)."""
    key = np.uint64(0)
    if end - start < 8:
        for place in range(start, end):
            key = key << np.uint64(8) | np.uint64(data[place])
        return key | np.uint64(end - start) << np.uint64(56)
    for place in range(start, end):
        key = (key ^ np.uint64(data[place])) * np.uint64(0x100000001B3)
    return (key ^ key >> np.uint64(29)) | np.uint64(1) << np.uint64(63)


@njit(cache=True, nogil=True)
def word_at(data: Bytes, start: int, end: int, key: np.uint64, words: Vocabulary) -> np.int64:
    """Return the slot that holds a token, or the free one where it would stand."""
    slots, spelling, starts = words
    slot = place_of(key, slots)
    while slots[slot, 1] != 0:
        if slots[slot, 0] == key:
            number = node_of(slots[slot, 1])
            same_length = starts[number + 1] - starts[number] == end - start
            if end - start < 8 or (same_length and equal(data, start, end, spelling, starts[number])):
                return slot
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@njit(cache=True, nogil=True)
def equal(left: Bytes, start: int, end: int, right: Bytes, other: int) -> bool:
    """Say whether bytes are the same as those at another place."""
    for index in range(end - start):  # noqa: SIM110 a generator is not compiled
        if left[start + index] != right[other + index]:
            return False
    return True


@njit(cache=True, nogil=True, inline="always")
def edge_at(key: np.uint64, edges: Slots) -> np.int64:
    """Return the slot that holds an edge, or the empty one where it would stand."""
    slot = place_of(key, edges)
    while edges[slot, 1] != 0 and edges[slot, 0] != key:
        slot = (slot + 1) & (len(edges) - 1)
    return slot


@njit(cache=True, nogil=True, inline="always")
def edge_key(node: int, word: int) -> np.uint64:
    """Return the key of an edge: node and word, 32 bits each."""
    return np.uint64(node) << np.uint64(32) | np.uint64(word)


@njit(cache=True, nogil=True, inline="always")
def may_have(key: np.uint64, bits: Bytes) -> bool:
    """Say whether an edge may be there; no false no."""
    place = mix(key) >> np.uint64(24)
    octet = bits[np.int64(place >> np.uint64(3) & np.uint64(len(bits) - 1))]
    return octet >> np.uint8(place & np.uint64(7)) & np.uint8(1) != 0


@njit(cache=True, nogil=True)
def _filter(edges: Slots) -> Bytes:
    """Return a bit for every hash of an edge; as many bytes as slots, up to half a megabyte, which a cache holds."""
    bits = np.zeros(min(len(edges), 1 << 19), np.uint8)
    for slot in range(len(edges)):
        if edges[slot, 1] != 0:
            place = mix(edges[slot, 0]) >> np.uint64(24)
            bits[np.int64(place >> np.uint64(3) & np.uint64(len(bits) - 1))] |= np.uint8(1 << (place & np.uint64(7)))
    return bits


@njit(cache=True, nogil=True)
def _refill(slots: Slots, smaller: Slots) -> None:
    """Move the entries, all different, to another table."""
    for old in range(len(slots)):
        if slots[old, 1] != 0:
            slot = place_of(slots[old, 0], smaller)
            while smaller[slot, 1] != 0:
                slot = (slot + 1) & (len(smaller) - 1)
            smaller[slot] = slots[old]


@njit(cache=True, nogil=True)
def _number(runs: Scan, slots: Slots) -> tuple[Numbers, Vocabulary]:
    """Give each distinct token a number, in order of appearance; return the number of every token."""
    data, ends = runs.out, runs.ends
    words = Vocabulary(slots, np.empty(len(data), np.uint8), np.zeros(len(ends) + 1, np.int32))
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
            words.spelling[size : size + end - start] = data[start:end]
            count += 1
            words.starts[count] = size + end - start
        numbers[token] = node_of(slots[slot, 1])
        start = end
    starts = words.starts[: count + 1].copy()
    return numbers, Vocabulary(slots, words.spelling[: starts[count]].copy(), starts)


@njit(cache=True, nogil=True)
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


@njit(cache=True, nogil=True)
def _slots_of(words: Slots, count: int) -> Offsets:
    slots = np.empty(count, np.int64)
    for slot in range(len(words)):
        if words[slot, 1] != 0:
            slots[node_of(words[slot, 1])] = slot
    return slots
