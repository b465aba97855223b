"""Made text with as many different words and bigrams as are wanted, whose counts are known without counting it.

Words are those of WordNet's names. Each is drawn by itself: with a chance of `even` all alike, else as words are used
(rank + 2.7)^-1.1 (Zipf, Mandelbrot); so every head of the distribution is there, and a long tail of bigrams that occur
once, longer than in any real text.
"""

from __future__ import annotations

import bz2
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.sources.wordnet import shipped
from witbuild.text.tokens import tokens
from witbuild.text.words import is_word

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy.typing as npt

WORDS_A_LINE, LINES_A_PAGE = 25, 40
PAGES_A_STREAM = 100
"""As in Wikipedia's multistream dumps."""


@lru_cache(maxsize=1)
def vocabulary() -> list[str]:
    """Return all words of WordNet's names, in order of first sight."""
    names = (token for synset in shipped() for token in tokens(synset.lemma))
    return [word for word in dict.fromkeys(names) if is_word(word)]


@dataclass(frozen=True)
class Corpus:
    """Words by their number in the vocabulary, int32 of shape (lines, WORDS_A_LINE)."""

    numbers: npt.NDArray[np.int32]

    @classmethod
    def drawn(cls, size: int, *, even: float, seed: int = 1) -> Corpus:
        """Draw about so many words."""
        words, rng = len(vocabulary()), np.random.default_rng(seed)
        page = WORDS_A_LINE * LINES_A_PAGE
        size = -(-size // page) * page
        weights = np.cumsum((np.arange(words) + 2.7) ** -1.1)
        used = np.searchsorted(weights, rng.random(size) * weights[-1])
        drawn = np.where(rng.random(size) < even, rng.integers(0, words, size), used)
        return cls(drawn.astype(np.int32).reshape(-1, WORDS_A_LINE))

    def pages(self) -> Iterator[bytes]:
        """Yield the text of each page, which ends in a line break."""
        texts = pa.array(vocabulary())
        for start in range(0, len(self.numbers), LINES_A_PAGE):
            lines = self.numbers[start : start + LINES_A_PAGE]
            ends = np.arange(0, lines.size + 1, WORDS_A_LINE, dtype=np.int32)
            words = pa.ListArray.from_arrays(pa.array(ends), texts.take(pa.array(lines.ravel())))
            yield ("\n".join(pc.binary_join(words, " ").to_pylist()) + "\n").encode()

    def word_counts(self) -> dict[str, int]:
        """Return how often each word occurs."""
        counts = np.bincount(self.numbers.ravel(), minlength=len(vocabulary()))
        return {word: int(count) for word, count in zip(vocabulary(), counts, strict=True) if count}

    def bigrams(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the different bigrams, first * words + second, and their counts."""
        keys = self.numbers[:, :-1].astype(np.int64) * len(vocabulary()) + self.numbers[:, 1:]
        keys = np.sort(keys.ravel())
        starts = np.flatnonzero(np.append(True, keys[1:] != keys[:-1]))
        return keys[starts], np.diff(np.append(starts, len(keys)))


def save_dump(path: Path, corpus: Corpus) -> str:
    """Write a corpus as a multistream dump; return its path."""
    from tests.sources.dump import END, HEADER, page

    pages = (page(f"T{number}", text.decode()) for number, text in enumerate(corpus.pages()))
    with path.open("wb") as out:
        out.write(bz2.compress(HEADER.encode(), 1))
        while stream := "".join(one for _, one in zip(range(PAGES_A_STREAM), pages, strict=False)):
            out.write(bz2.compress(stream.encode(), 1))
        out.write(bz2.compress(END.encode(), 1))
    return str(path)
