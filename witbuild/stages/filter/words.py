"""Rules on the words of the caption, held against lists of words in files."""

from __future__ import annotations

from collections import Counter
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from witbuild.stages.filter.rules import Mask
    from witbuild.text.match import Matcher
    from witbuild.text.scan import Scan

State = tuple[str, int, int]
"""Path, size and time of writing of a file: what it is kept in memory by."""


def known_words(table: pa.Table, lists: Mapping[str, int]) -> Mask:
    """Every word of the caption without a digit stands in a list, `word count` a line, with at least this count."""
    from witbuild.text.repetition import token_hashes
    from witbuild.text.scan import scan

    found = scan(table["caption"], "witbuild")
    hashes = token_hashes(found)
    known = np.zeros(hashes.size, np.bool_)
    for path, least in lists.items():
        known |= np.asarray(pc.is_in(pa.array(hashes), _vocabulary(_state(path), least)), np.bool_)
    unknown = np.flatnonzero(~known)
    missing = unknown[_are_words(found, hashes, unknown)]
    keep = np.ones(table.num_rows, np.bool_)
    keep[np.searchsorted(found.lasts, missing, "right")] = False
    return keep


def _are_words(found: Scan, hashes: npt.NDArray[np.uint64], some: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say which of some tokens hold no number; each distinct one is looked at once."""
    from witbuild.text.words import is_word

    _, first, copies = np.unique(hashes[some], return_index=True, return_inverse=True)
    starts = np.concatenate([np.zeros(1, np.int64), found.ends])
    texts = (found.out[starts[token] : starts[token + 1]].tobytes().decode() for token in some[first].tolist())
    return np.array([is_word(text) for text in texts], np.bool_)[copies]


def no_words_of(table: pa.Table, lists: list[str]) -> Mask:
    """No word or phrase of these lists, one a line, stands in the caption as a run of whole words."""
    keep = np.ones(table.num_rows, np.bool_)
    for path in lists:
        found = _phrases(_state(path)).match(table["caption"])
        keep &= np.asarray(pc.equal(pc.list_value_length(found), 0), np.bool_)
    return keep


def _state(path: str) -> State:
    return path, store.size(path), 0 if store.is_remote(path) else Path(path).stat().st_mtime_ns


@lru_cache(maxsize=4)
def _vocabulary(state: State, least: int) -> pa.Array:
    """Return the hashes of a list's words that occur often enough; a process reads a list once, not once a task."""
    from witbuild.dedup.strings import hash_strings, strings
    from witbuild.sources.wordlist import read_counts

    sums: Counter[str] = Counter()
    for counts in read_counts(state[0], "witbuild", Counter(), rows=1 << 20):
        sums.update(counts)
    words = [word for word, count in sums.items() if count >= least]
    return pa.array(hash_strings(strings(pa.array(words, pa.large_string()))))


@lru_cache(maxsize=4)
def _phrases(state: State) -> Matcher:
    from witbuild.sources.wordlist import read_queries
    from witbuild.text.match import Matcher
    from witbuild.text.normalise import normalise

    lines = {normalise(line) for line in read_queries(state[0], Counter())} - {""}
    return Matcher(pa.array(sorted(lines), pa.string()), "witbuild")
