"""Made text with as many different words and bigrams as are wanted, whose counts are known without counting it.

Words are those of WordNet's names, 60,376, and for a larger vocabulary those with another ending. Each is drawn by
itself: with a chance of `even` all alike, else as words are used, (rank + 2.7)^-1.25 (Zipf, Mandelbrot). The exponent
is chosen for its bigrams: 2.1 of 8 million are different, as in text (Brown: 0.41 of 1.03 million; Wikipedia: 250 of
4,500 million; between them a power of 0.76).
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


ENDINGS = ("", "ous", "ward", "esque")


@lru_cache(maxsize=2)
def vocabulary(endings: int = 1) -> list[str]:
    """Return the words of WordNet's names in order of first sight, then those with each other ending."""
    names = (token for synset in shipped() for token in tokens(synset.lemma))
    words = [word for word in dict.fromkeys(names) if is_word(word)]
    return list(dict.fromkeys(f"{word}{ending}" for ending in ENDINGS[:endings] for word in words))


@dataclass(frozen=True)
class Corpus:
    """Words by their number in the vocabulary, int32 of shape (lines, WORDS_A_LINE)."""

    numbers: npt.NDArray[np.int32]
    endings: int = 1

    @classmethod
    def drawn(cls, size: int, *, even: float, endings: int = 1, seed: int = 1) -> Corpus:
        """Draw about so many words."""
        words, rng = len(vocabulary(endings)), np.random.default_rng(seed)
        page = WORDS_A_LINE * LINES_A_PAGE
        size = -(-size // page) * page
        weights = np.cumsum((np.arange(words) + 2.7) ** -1.25)
        used = np.searchsorted(weights, rng.random(size) * weights[-1])
        drawn = np.where(rng.random(size) < even, rng.integers(0, words, size), used)
        return cls(drawn.astype(np.int32).reshape(-1, WORDS_A_LINE), endings)

    def pages(self) -> Iterator[bytes]:
        """Yield the text of each page, which ends in a line break."""
        texts = pa.array(vocabulary(self.endings))
        for start in range(0, len(self.numbers), LINES_A_PAGE):
            lines = self.numbers[start : start + LINES_A_PAGE]
            ends = np.arange(0, lines.size + 1, WORDS_A_LINE, dtype=np.int32)
            words = pa.ListArray.from_arrays(pa.array(ends), texts.take(pa.array(lines.ravel())))
            yield ("\n".join(pc.binary_join(words, " ").to_pylist()) + "\n").encode()

    def word_counts(self) -> dict[str, int]:
        """Return how often each word occurs."""
        words = vocabulary(self.endings)
        counts = np.bincount(self.numbers.ravel(), minlength=len(words))
        return {word: int(count) for word, count in zip(words, counts, strict=True) if count}

    def bigrams(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Return the different bigrams, first * words + second, and their counts."""
        keys = self.numbers[:, :-1].astype(np.int64) * len(vocabulary(self.endings)) + self.numbers[:, 1:]
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
