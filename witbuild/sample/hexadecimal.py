"""Hexadecimal digits as numbers, in a compiled loop: every step that decides about a pair reads its key so."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

_NONE = np.uint8(255)
_VALUES = np.full(256, _NONE, np.uint8)
for _value, _digit in enumerate(b"0123456789abcdef"):
    _VALUES[_digit] = _value


def numbers(digits: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint64] | None:
    """Return the number that each 16 digits write, uint64 of shape (n,); None when one is no lower-case digit.

    Args:
        digits: uint8 of shape (16 n,), ASCII.

    Example:
        >>> numbers(np.frombuffer(b"00000000000000ff", np.uint8)).tolist(), numbers(np.frombuffer(b"F" * 16, np.uint8))
        ([255], None)
    """
    out = np.empty(digits.size // 16, np.uint64)
    return out if _numbers(digits, _VALUES, out) else None


@kernel
def _numbers(digits: npt.NDArray[np.uint8], values: npt.NDArray[np.uint8], out: npt.NDArray[np.uint64]) -> bool:
    """Write the numbers; a byte that is no digit has all bits of its value set, which stay seen when all are joined."""
    seen = np.uint8(0)
    for i in range(out.size):
        number = np.uint64(0)
        for place in range(16 * i, 16 * i + 16):
            value = values[digits[np.uint64(place)]]
            seen |= value
            number = (number << np.uint64(4)) | np.uint64(value & np.uint8(15))
        out[i] = number
    return bool(seen < 16)
