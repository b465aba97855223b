"""How loops over text are compiled, so that a first run does not wait long.

A `kernel` is called from Python and kept on disk. An `inner` function is called from kernels only: it is part of what
is kept of them, and without an entry from Python it compiles in two thirds of the time. What is kept is made anew when
the kernel's own file changes; after a change to an inner function of another file, touch the kernel's.
"""

from __future__ import annotations

from typing import Final

from numba import njit

kernel: Final = njit(cache=True, nogil=True)
inner: Final = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)
