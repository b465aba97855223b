"""Captions as token ids, made once: open_clip's lower-cased byte-pair encoding, kept end to end."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt


@dataclass(frozen=True)
class Captions:
    """Token ids of n captions: `ids` end to end, those of caption i from ends[i - 1] to ends[i]."""

    ids: npt.NDArray[np.uint16]
    ends: npt.NDArray[np.int64]

    def batch(self, numbers: Iterable[int], length: int | None = None) -> npt.NDArray[np.int64]:
        """Return captions padded with 0: int64 of shape (n, length), as long as the longest when no length is said.

        Example:
            >>> Captions(np.array([5, 6, 7], np.uint16), np.array([2, 3])).batch([1, 0]).tolist()
            [[7, 0], [5, 6]]
        """
        rows = [self.ids[self.ends[i - 1] if i else 0 : self.ends[i]] for i in numbers]
        out = np.zeros((len(rows), length or max(map(len, rows))), np.int64)
        for row, ids in zip(out, rows, strict=True):
            row[: len(ids)] = ids
        return out


def tokenise(texts: Iterable[str], context_length: int) -> Captions:
    """Return texts as start, words, end; the words beyond the context length are left out.

    Args:
        texts: any.
        context_length: most ids of a text, start and end included.
    """
    from open_clip.tokenizer import SimpleTokenizer

    tokenizer = SimpleTokenizer()
    start, end = tokenizer.sot_token_id, tokenizer.eot_token_id
    rows = [[start, *tokenizer.encode(text)[: context_length - 2], end] for text in texts]
    ends = np.cumsum([len(row) for row in rows], dtype=np.int64)
    return Captions(np.fromiter((i for row in rows for i in row), np.uint16, int(ends[-1]) if rows else 0), ends)
