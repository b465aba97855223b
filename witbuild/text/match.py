"""Find every query that occurs in a caption as a run of whole tokens; overlapping ones all count.

The compiled road goes block by block, so that what it writes stays in the cache: cut the captions of a block into
tokens, look all of them up in the vocabulary, then walk the trie from every token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa

from witbuild.text.alphabet import Alphabet, alphabet
from witbuild.text.kernels import eight_at, inner, kernel
from witbuild.text.scan import cut, plain_buffers, scan
from witbuild.text.simd import LANES, how_many_less
from witbuild.text.tokens import Semantics, query_tokens, tokens
from witbuild.text.trie import (
    LONG,
    Trie,
    bit_of,
    build,
    edge_at,
    edge_key,
    has_edges,
    key_of,
    node_of,
    octet_of,
    place_of,
    query_of,
    word_at,
)  # fmt: skip

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.text.scan import Bytes, Offsets, Scan
    from witbuild.text.trie import Numbers, Slots, Vocabulary

BLOCK = 512
"""Captions cut at a time."""
MOST = 48
"""Numbers that are sorted by counting."""


def match_reference(captions: Sequence[str], queries: Sequence[str], semantics: Semantics) -> list[list[int]]:
    """Return for each caption the ascending numbers of the queries in it: the definition, in a few lines.

    Example:
        >>> match_reference(["Ice-cream cake!"], ["cake", "ice cream", "cream cake", "cup cake"], "witbuild")
        [[0, 1, 2]]
    """
    runs = [query_tokens(query, semantics) for query in queries]
    texts = [tokens(caption, semantics) for caption in captions]
    return [[i for i, run in enumerate(runs) if any(run) and _holds(text, run)] for text in texts]


def _holds(text: list[str], run: list[str]) -> bool:
    return any(text[start : start + len(run)] == run for start in range(len(text)))


class Matcher:
    """The queries of a list, ready to be found.

    Example:
        >>> matcher = Matcher(pa.array(["cake", "ice cream", "cream cake"]))
        >>> matcher.match(pa.array(["Ice-cream cake!", "Cakes"])).to_pylist()
        [[0, 1, 2], []]
    """

    def __init__(
        self, queries: pa.Array | pa.ChunkedArray | None, semantics: Semantics = "witbuild", trie: Trie | None = None
    ) -> None:
        """Build the trie of n queries, strings; query i is reported as i. Or take a trie that was built of them."""
        self.semantics = semantics
        self.trie: Trie = build(scan(queries, semantics, "query")) if trie is None else trie

    def match(self, captions: pa.Array | pa.ChunkedArray) -> pa.ListArray:
        """Return for n captions n lists of int32: the queries found, ascending, no repeats; none for a null."""
        letters = alphabet(self.semantics)
        data, offsets = plain_buffers(captions, self.semantics, letters)
        stops, found = _match(data, offsets, letters, self.trie)
        return pa.ListArray.from_arrays(pa.array(stops, pa.int32()), pa.array(found, pa.int32()))


@kernel
def _match(data: Bytes, offsets: Offsets, letters: Alphabet, trie: Trie) -> tuple[Offsets, Numbers]:
    """Return where the queries of each text stop, and the queries."""
    rows = len(offsets) - 1
    stops = np.zeros(rows + 1, np.int64)
    found = np.empty(16 * rows + LANES, np.int32)  # pages that nobody touches cost nothing
    for first in range(0, rows, BLOCK):
        last = min(first + BLOCK, rows)
        block = cut(data, offsets[first : last + 1], letters)
        entries = _entries(block, trie.words)
        pairs = _pairs(entries, trie)
        while not _walk(entries, pairs, block.lasts, trie, found, stops[first : last + 1]):
            found = np.concatenate((found, np.empty_like(found)))
    return stops, found[: stops[rows]]


@inner
def _entries(block: Scan, words: Vocabulary) -> Slots:
    """Look the tokens of a block up; 0 is not in the vocabulary.

    Keys first, then the slots, then what was not found at once: a loop without branches has many reads under way.
    """
    out, ends, slots = block.out, block.ends, words.slots
    count = len(ends)
    keys, places, entries = np.empty(count, np.uint64), np.empty(count, np.int64), np.empty(count + 1, np.uint64)
    start = 0
    for token in range(count):
        keys[token] = key_of(out, start, ends[token])
        places[token] = place_of(keys[token], len(slots))
        start = ends[token]
    for token in range(count):
        place = places[token]
        entries[token] = slots[place, 1]
        places[token] = slots[place, 0] == keys[token]
    entries[count] = 0
    _check(block, keys, places, entries, words)
    return entries


@inner
def _check(block: Scan, keys: Slots, same: Offsets, entries: Slots, words: Vocabulary) -> None:
    """Look the tokens up for which the first slot was another's; compare the spelling of long ones."""
    out, ends, slots = block.out, block.ends, words.slots
    count, some = len(ends), 0
    tokens = np.empty(count + 1, np.int64)
    for token in range(count):
        tokens[some] = token
        some += (entries[token] != 0) & ((same[token] == 0) | (keys[token] >= LONG))
    spelling, cuts = words.spelling, words.starts
    starts, sizes, heads = np.empty(some, np.int64), np.empty(some, np.int64), np.empty(some, np.uint64)
    for index in range(some):
        number = node_of(entries[tokens[index]])
        starts[index], sizes[index] = cuts[number], cuts[number + 1] - cuts[number]
    for index in range(some):
        heads[index] = eight_at(spelling, starts[index])
    for index in range(some):
        token = tokens[index]
        start, end = ends[token - 1] if token > 0 else 0, ends[token]
        shift = starts[index] - start
        alike = (same[token] != 0) & (heads[index] == eight_at(out, start)) & (sizes[index] == end - start)
        place = start + 8
        while alike and place < end:  # the last eight may overlap those before
            last = min(place, end - 8)
            alike = eight_at(out, last) == eight_at(spelling, last + shift)
            place += 8
        if not alike:
            entries[token] = slots[word_at(out, start, end, keys[token], words), 1]


@inner
def _pairs(entries: Slots, trie: Trie) -> Slots:
    """Return for each token the entry of the edge to the next one, or 0; captions are not told apart yet."""
    edges, bits = trie.edges, trie.filter
    count, some = len(entries) - 1, 0
    keys, tokens = np.empty(count, np.uint64), np.empty(count + 1, np.int64)
    for token in range(count):
        entry, following = entries[token], entries[token + 1]
        keys[token] = edge_key(node_of(entry), node_of(following))
        tokens[some] = token
        some += (
            has_edges(entry) & (following != 0) & (bits[octet_of(keys[token], len(bits))] & bit_of(keys[token]) != 0)
        )
    places, found = np.empty(some, np.int64), np.zeros(count, np.uint64)
    for index in range(some):
        places[index] = place_of(keys[tokens[index]], len(edges))
    for index in range(some):
        token, place = tokens[index], places[index]
        same = edges[place, 0] == keys[token]
        found[token] = edges[place, 1] if same else np.uint64(0)
        places[index] = -1 if same or edges[place, 1] == 0 else place
    for index in range(some):
        if places[index] >= 0:
            found[tokens[index]] = edges[edge_at(keys[tokens[index]], edges), 1]
    return found


@inner
def _walk(  # noqa: C901, PLR0913, PLR0917 calls with arrays cost more than the loop
    entries: Slots, pairs: Slots, lasts: Offsets, trie: Trie, found: Numbers, stops: Offsets
) -> bool:
    """Write the queries of each caption of a block and where they stop; say False when there is no room for them."""
    edges, bits, same = trie.edges, trie.filter, trie.same
    token, count, room = 0, stops[0], len(found) - LANES
    for row in range(len(lasts)):
        begin, last = count, lasts[row]
        if count + last - token >= room:
            return False
        for first in range(token, last):
            found[count] = query_of(entries[first])
            count += found[count] >= 0
        for first in range(token, last - 1):
            entry, following = pairs[first], first + 2
            while entry != 0:
                if count >= room:
                    return False
                found[count] = query_of(entry)
                count += found[count] >= 0
                if not has_edges(entry) or following >= last or entries[following] == 0:
                    break
                key = edge_key(node_of(entry), node_of(entries[following]))
                if bits[octet_of(key, len(bits))] & bit_of(key) == 0:
                    break
                entry = edges[edge_at(key, edges), 1]
                following += 1
        token = last
        if len(same) > 0:
            count = _with_equals(found, begin, count, same)
        if count < 0:
            return False
        stops[row + 1] = count
    _distinct(found, stops)
    return True


@inner
def _with_equals(found: Numbers, begin: int, count: int, same: Numbers) -> int:
    """Append the queries that are equal to those found; return where they end, or -1 when there is no room."""
    for index in range(begin, count):
        query = same[found[index]]
        while query >= 0:
            if count >= len(found) - LANES:
                return -1
            found[count] = query
            count += 1
            query = same[query]
    return count


@inner
def _distinct(found: Numbers, stops: Offsets) -> None:
    """Sort the part before each stop, leave repeats out, close the gaps and move the stops.

    `found` has room for LANES after the last part.
    """
    given = np.empty(MOST, np.int32)
    kept = begin = stops[0]
    for row in range(1, len(stops)):
        end, first = stops[row], kept
        if end - begin > MOST:  # counting is quadratic, and a caption may be hostile
            _sort(found, begin, end)
            for index in range(begin, end):
                value = found[index]
                if kept == first or value != found[kept - 1]:
                    found[kept] = value
                    kept += 1
        else:
            for index in range(end - begin):
                given[index] = -1
            for index in range(begin, end):  # a number's place is how many are smaller: equal ones have the same
                value, rank = found[index], 0
                for other in range(begin, end, LANES):
                    rank += how_many_less(found, other, value, min(LANES, end - other))
                given[rank] = value
            for index in range(end - begin):
                found[kept] = given[index]
                kept += given[index] >= 0
        begin, stops[row] = end, kept


@inner
def _sort(found: Numbers, begin: int, end: int) -> None:
    """Sort a part in place, as a heap; numpy's own way takes a second to compile."""
    size = end - begin
    for top in range(size // 2 - 1, -1, -1):
        _sink(found, begin, top, size)
    for last in range(size - 1, 0, -1):
        found[begin], found[begin + last] = found[begin + last], found[begin]
        _sink(found, begin, 0, last)


@inner
def _sink(found: Numbers, begin: int, top: int, size: int) -> None:
    """Move the first of a heap, which begins at a place and has a size, down to where it belongs."""
    value, below = found[begin + top], 2 * top + 1
    while below < size:
        below += below + 1 < size and found[begin + below] < found[begin + below + 1]
        if found[begin + below] <= value:
            break
        found[begin + top] = found[begin + below]
        top, below = below, 2 * below + 1
    found[begin + top] = value
