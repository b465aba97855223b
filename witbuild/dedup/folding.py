"""Captions made comparable: the tokens of witbuild.text.tokens, joined by single spaces.

So two captions that `match` cannot tell apart (case, punctuation, spacing, composed accents) are one text here.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from witbuild.dedup.strings import Strings, arrow, strings
from witbuild.text.kernels import kernel
from witbuild.text.tokens import tokens

if TYPE_CHECKING:
    import numpy.typing as npt

_SPACE = np.uint8(32)
_BLANK, _OTHER = 1, 2


def fold_one(caption: str) -> str:
    """Return a caption made comparable; one without a token (emoji, punctuation) keeps its characters.

    Example:
        >>> fold_one("A dog -- chasing a Cat!"), fold_one("!!")
        ('a dog chasing a cat', '!!')
    """
    return " ".join(tokens(caption) or caption.split())


def fold(captions: pa.Array | pa.ChunkedArray) -> Strings:
    """Return captions made comparable, as `fold_one` does: ASCII in a compiled loop, of the rest each once.

    Example:
        >>> arrow(fold(pa.array(["A dog.", "Café!", "?!"]))).to_pylist()
        ['a dog', 'café', '?!']
    """
    raw = strings(captions)
    data, offsets, kinds = _fold_ascii(raw.data, raw.offsets, _letters())
    folded = arrow(Strings(data, offsets))
    odd = pa.array(kinds != 0)
    others = arrow(raw).filter(odd).dictionary_encode()
    if len(others):
        each = pa.array([fold_one(caption) for caption in others.dictionary.to_pylist()], pa.large_string())
        folded = pc.replace_with_mask(folded, odd, each.take(others.indices))
    return strings(folded)


def _letters() -> npt.NDArray[np.uint8]:
    """Return byte -> itself in lower case when it is an ASCII letter or digit, else 0."""
    table = np.zeros(256, np.uint8)
    for byte in b"0123456789abcdefghijklmnopqrstuvwxyz":
        table[byte] = byte
        table[ord(chr(byte).upper())] = byte
    return table


@kernel
def _fold_ascii(
    data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64], letters: npt.NDArray[np.uint8]
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.int64], npt.NDArray[np.uint8]]:
    """Fold rows of ASCII with a token; name the others in `kinds`: _BLANK has no token, _OTHER is not ASCII."""
    out = np.empty(offsets[-1] - offsets[0] + 1, np.uint8)
    places = np.zeros(offsets.size, np.int64)
    kinds = np.zeros(offsets.size - 1, np.uint8)
    end = 0
    for row in range(kinds.size):
        start = end
        high = last = np.uint8(0)
        for i in range(offsets[row], offsets[row + 1]):
            byte = data[np.uint64(i)]
            high |= byte
            letter = letters[byte]
            out[np.uint64(end)] = letter or _SPACE
            end += (letter | last) != 0  # a branch here would be guessed wrong at every word's end
            last = letter
        end -= end > start and last == 0
        if high >= 128 or end == start:
            kinds[row] = _OTHER if high >= 128 else _BLANK
            end = start
        places[row + 1] = end
    return out[:end], places, kinds
