"""How loops over text are compiled, so that a first run does not wait long.

A `kernel` is called from Python and kept on disk. An `inner` function is called from kernels only: it is part of what
is kept of them, and without an entry from Python it compiles in two thirds of the time. What is kept is made anew when
the kernel's own file changes; after a change to an inner function of another file, touch the kernel's.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from numba import njit

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

kernel: Final = njit(cache=True, nogil=True)
inner: Final = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@inner
def place_of(value: np.uint64, values: npt.NDArray[np.uint64]) -> int:
    """Return the place of a value among ascending ones, or -1; numpy's own search takes longer to compile."""
    low, high = 0, len(values)
    while low < high:
        middle = (low + high) // 2
        if values[middle] < value:
            low = middle + 1
        else:
            high = middle
    return low if low < len(values) and values[low] == value else -1
