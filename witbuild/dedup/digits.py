"""The numbers in a text, as one hash: captions that are alike but for a number tell of two things.

"ring size 7"  "ring size 8"      two rings
"9oz bottle"   "9 oz bottle"      one bottle
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from witbuild.dedup.strings import xxh64
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.dedup.strings import Strings

_RUN = re.compile(rb"[0-9]+")


def number_hash_one(text: str) -> int:
    """Return the sum of the hashes of a text's runs of the digits 0 to 9, in whatever order they stand; 0 without one.

    Example:
        >>> number_hash_one("18 x 27 cm") == number_hash_one("27x18"), number_hash_one("no number")
        (True, 0)
    """
    import xxhash

    return sum(xxhash.xxh64_intdigest(run) for run in _RUN.findall(text.encode())) & (2**64 - 1)


def number_hashes(texts: Strings) -> npt.NDArray[np.uint64]:
    """Return `number_hash_one` of each text, uint64 of shape (n,)."""
    return _number_hashes(texts.data, texts.offsets)


@kernel
def _number_hashes(data: npt.NDArray[np.uint8], offsets: npt.NDArray[np.int64]) -> npt.NDArray[np.uint64]:
    out = np.zeros(offsets.size - 1, np.uint64)
    for row in range(out.size):
        digits = 0
        for value in data[offsets[row] : offsets[row + 1]]:  # a sum of comparisons is done many bytes at a time
            digits += int(np.uint8(value - np.uint8(48)) < 10)
        if digits:
            out[row] = _number_hash(data, offsets[row], offsets[row + 1])
    return out


@kernel
def _number_hash(data: npt.NDArray[np.uint8], at: int, end: int) -> np.uint64:
    out, start = np.uint64(0), at
    while at < end:
        if 48 <= data[np.uint64(at)] <= 57:
            at += 1
            if at < end:
                continue
        if at > start:
            out += xxh64(data, start, at)
        at += 1
        start = at
    return out
