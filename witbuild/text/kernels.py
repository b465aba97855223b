"""How loops over text are compiled, so that a first run does not wait long.

A `kernel` is called from Python and kept on disk. An `inner` function is called from kernels only: it is part of what
is kept of them, and without an entry from Python it compiles in two thirds of the time. In a hot loop a call of one is
dear when it is given arrays, to which it counts references. What is kept is made anew when the kernel's own file
changes; after a change to an inner function of another file, remove the kernel's `.nbi` file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

kernel: Final = njit(cache=True, nogil=True)
inner: Final = njit(nogil=True, no_cpython_wrapper=True, no_cfunc_wrapper=True)


@intrinsic
def eight_at(_context: object, data: types.Array, _place: types.Integer) -> tuple[Any, Any]:
    """Read the eight bytes from a place on as one number, the first one lowest, in one load; all must be there.

    numba has no load that may stand anywhere: a loop over the bytes costs eight.
    """

    def load(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        array = context.make_array(signature.args[0])(context, builder, values[0])
        found = builder.gep(array.data, [values[1]])
        return builder.load(builder.bitcast(found, ir.IntType(64).as_pointer()), align=1)

    return types.uint64(data, types.intp), load


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
