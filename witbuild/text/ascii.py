"""Tokens of a text of ASCII alone, 32 bytes at a time.

A bit a byte says what is in a word; where it differs from the bit before, a token starts or stops. Tokens are copied
in eights, in lower case where the semantics folds.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.kernels import eight_at, inner
from witbuild.text.simd import WIDE, bits_set, kinds_at, lowest_bit, put_eight

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Offsets = npt.NDArray[np.int64]

    from witbuild.text.scan import Scan

MARGIN: Final = WIDE
"""Bytes that must be there after a text, and room that must be there after the tokens."""
_LOW: Final = np.uint64(0xFFFFFFFF)
_ONE: Final = np.uint64(1)


@inner
def cut_ascii(  # noqa: PLR0913, PLR0917 arrays in a tuple cost more
    data: Bytes, offsets: Offsets, row: int, case: np.uint64, found: Scan, size: int, count: int
) -> tuple[int, int, int]:
    """Append the tokens of texts from a row on, up to the first that is not all ASCII or that ends the data.

    `case` is the bit of every byte that makes a capital a small letter, or 0. `found` must have room for MARGIN more
    than the texts can have. Return that row and how many bytes and tokens there are then. One loop, no calls: a call
    would count references to each array.
    """
    out, edges, lasts = found
    while row < len(lasts) and offsets[row + 1] + MARGIN <= len(data):
        place, stop, last, before = offsets[row], offsets[row + 1], count, np.uint64(0)
        while place < stop:
            kinds = kinds_at(data, place)
            here = _LOW >> np.uint64(max(WIDE - (stop - place), 0))
            if kinds >> np.uint64(WIDE) & here != 0:
                return row, size, count
            words = kinds & here
            bits = (words ^ (words << _ONE | before)) & _LOW
            before = words >> np.uint64(WIDE - 1)
            some = bits_set(bits)
            for edge in range(last, last + some, 4):  # four without a question cost less than one with
                edges[edge] = place + lowest_bit(bits)
                bits &= bits - _ONE
                edges[edge + 1] = place + lowest_bit(bits)
                bits &= bits - _ONE
                edges[edge + 2] = place + lowest_bit(bits)
                bits &= bits - _ONE
                edges[edge + 3] = place + lowest_bit(bits)
                bits &= bits - _ONE
            last += some
            place += WIDE
        edges[last] = stop  # of a token that ends with the text
        for edge in range(count, last, 2):
            start, end = edges[edge], edges[edge + 1]
            put_eight(out, size, _small(eight_at(data, start), case))
            put_eight(out, size + 8, _small(eight_at(data, start + 8), case))
            for more in range(start + 16, end, 8):
                put_eight(out, size + more - start, _small(eight_at(data, more), case))
            size += end - start
            edges[count] = size  # the token's end, behind the edges that are still to be read
            count += 1
        lasts[row] = count
        row += 1
    return row, size, count


@inner
def _small(octets: np.uint64, case: np.uint64) -> np.uint64:
    """Return eight ASCII bytes with the case bit of every capital set (SWAR: all eight in one number)."""
    from_a = octets + np.uint64(0x3F3F3F3F3F3F3F3F)  # 0x80 - "A": the top bit says "A" or above
    beyond_z = octets + np.uint64(0x2525252525252525)  # 0x7F - "Z"
    return octets | (from_a & ~beyond_z & np.uint64(0x8080808080808080)) >> np.uint64(2) & case
