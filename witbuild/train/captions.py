"""Captions as token ids, made once: open_clip's lower-cased byte-pair encoding, kept end to end."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    import numpy.typing as npt

_PLAIN = re.compile(r"[ !-%'-;=?-~]*")
"""Text that ftfy and html.unescape leave as it is: printable ASCII without & and <, and without > for good measure."""


@dataclass(frozen=True)
class Captions:
    """Token ids of n captions: `ids` end to end, those of caption i from ends[i - 1] to ends[i]."""

    ids: npt.NDArray[np.uint16]
    ends: npt.NDArray[np.int64]

    def __len__(self) -> int:
        return len(self.ends)

    def lengths(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Return how many ids captions have, int64 of shape (n,)."""
        return self.ends[numbers] - self._starts(numbers)

    def batch(self, numbers: Iterable[int], length: int | None = None) -> npt.NDArray[np.int64]:
        """Return captions padded with 0: int64 of shape (n, length), as long as the longest when no length is said.

        Example:
            >>> Captions(np.array([5, 6, 7], np.uint16), np.array([2, 3])).batch([1, 0]).tolist()
            [[7, 0], [5, 6]]
        """
        wanted = np.fromiter(numbers, np.int64)
        lengths = self.lengths(wanted)
        out = np.zeros((len(wanted), length or int(lengths.max())), np.int64)
        rows = np.repeat(np.arange(len(wanted)), lengths)
        columns = np.arange(len(rows)) - np.repeat(lengths.cumsum() - lengths, lengths)
        out[rows, columns] = self.ids[np.repeat(self._starts(wanted), lengths) + columns]
        return out

    def mean_length(self) -> int:
        """Return how many ids a caption has on average, to the nearest whole number."""
        return round(int(self.ends[-1]) / len(self.ends))

    def _starts(self, numbers: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        return np.where(numbers > 0, self.ends[numbers - 1], 0)


def tokenise(texts: Iterable[str], context_length: int) -> Captions:
    """Return texts as start, words, end; the words beyond the context length are left out.

    Args:
        texts: any.
        context_length: most ids of a text, start and end included.
    """
    encode = _encoder()
    rows = [encode(text, context_length) for text in texts]
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    return Captions(np.fromiter((i for row in rows for i in row), np.uint16, int(ends[-1]) if rows else 0), ends)


@cache
def _encoder() -> Callable[[str, int], list[int]]:
    """Return what turns a text and a length into ids, with the words that it has seen."""
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer: Any = SimpleTokenizer()
    start, end = tokenizer.sot_token_id, tokenizer.eot_token_id
    known: dict[str, list[int]] = {}

    def encode(text: str, context_length: int) -> list[int]:
        if not _PLAIN.fullmatch(text):
            return [start, *tokenizer.encode(text)[: context_length - 2], end]
        ids = [start]
        for word in tokenizer.pat.findall(text.lower()):
            found = known.get(word)
            if found is None:
                # of plain words by themselves the tokenizer makes the same ids as within their text
                found = known[word] = tokenizer.encode(word)
            ids += found
        return [*ids[: context_length - 1], end]

    return encode
