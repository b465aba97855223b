"""Find every query that occurs in a caption as a run of whole tokens; overlapping ones all count.

The compiled road goes block by block, so that what it writes stays in the cache: cut the captions of a block into
tokens, look all of them up in the vocabulary, then walk the trie from every token.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
from numba import njit

from witbuild.text.alphabet import Alphabet, alphabet
from witbuild.text.scan import cut, plain_buffers, scan
from witbuild.text.tokens import Semantics, query_tokens, tokens
from witbuild.text.trie import Trie, build, edge_at, edge_key, has_edges, key_of, may_have, node_of, query_of, word_at

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from witbuild.text.scan import Bytes, Offsets, Scan
    from witbuild.text.trie import Numbers, Slots

BLOCK = 256
"""Captions cut at a time."""


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

    def __init__(self, queries: pa.Array | pa.ChunkedArray, semantics: Semantics = "witbuild") -> None:
        """Build the trie of n queries, strings; query i is reported as i."""
        self.semantics = semantics
        self.trie: Trie = build(scan(queries, semantics, "query"))

    def match(self, captions: pa.Array | pa.ChunkedArray) -> pa.ListArray:
        """Return for n captions n lists of int32: the queries found, ascending, no repeats; none for a null."""
        letters = alphabet(self.semantics)
        data, offsets = plain_buffers(captions, self.semantics, letters)
        stops, found = _match(data, offsets, letters, self.trie)
        return pa.ListArray.from_arrays(pa.array(stops, pa.int32()), pa.array(found, pa.int32()))


@njit(cache=True, nogil=True)
def _match(data: Bytes, offsets: Offsets, letters: Alphabet, trie: Trie) -> tuple[Offsets, npt.NDArray[np.int32]]:
    rows = len(offsets) - 1
    stops = np.zeros(rows + 1, np.int64)
    found = np.empty(max(16, 8 * rows), np.int32)
    for first in range(0, rows, BLOCK):
        last = min(first + BLOCK, rows)
        block = cut(data, offsets[first : last + 1], letters)
        found = _walk(_entries(block, trie), block.lasts, trie, found, stops[first : last + 1])
    return stops, found[: stops[rows]]


@njit(cache=True, nogil=True)
def _entries(block: Scan, trie: Trie) -> Slots:
    """Look the tokens of a block up: 0 is not in the vocabulary; the searches overlap in the processor."""
    out, ends, words = block.out, block.ends, trie.words
    entries = np.empty(len(ends), np.uint64)
    start = 0
    for token in range(len(ends)):
        end = ends[token]
        key = key_of(out, start, end)
        entries[token] = words.slots[word_at(out, start, end, key, words), 1]
        start = end
    return entries


@njit(cache=True, nogil=True)
def _walk(entries: Slots, lasts: Offsets, trie: Trie, found: Numbers, stops: Offsets) -> Numbers:
    """Append the queries of each caption of a block and say where they stop; return the array, which may have grown."""
    edges, bits, same = trie.edges, trie.filter, trie.same
    token, count = 0, stops[0]
    for row in range(len(lasts)):
        begin, last = count, lasts[row]
        for first in range(token, last):
            entry, token = entries[first], first
            while entry != 0:
                query = query_of(entry)
                while query >= 0:
                    if count == len(found):
                        found = np.concatenate((found, np.empty_like(found)))
                    found[count] = query
                    count += 1
                    query = np.int64(same[query]) if len(same) else -1
                token += 1
                if not has_edges(entry) or token >= last or entries[token] == 0:
                    break
                key = edge_key(node_of(entry), node_of(entries[token]))
                if not may_have(key, bits):
                    break
                entry = edges[edge_at(key, edges), 1]
        token = last
        count = begin + _distinct(found[begin:count])
        stops[row + 1] = count
    return found


@njit(cache=True, nogil=True)
def _distinct(found: npt.NDArray[np.int32]) -> int:
    """Sort in place, move repeats out and return how many are left."""
    if len(found) > 64:  # insertion is quadratic, and a caption may be hostile
        found.sort()
    kept = 0
    for place in range(len(found)):
        value = found[place]
        slot = kept
        while slot > 0 and found[slot - 1] > value:
            slot -= 1
        if slot > 0 and found[slot - 1] == value:
            continue
        for index in range(kept, slot, -1):
            found[index] = found[index - 1]
        found[slot] = value
        kept += 1
    return kept
