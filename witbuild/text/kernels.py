"""How loops over text are compiled, so that a first run does not wait long.

A `kernel` is called from Python and kept on disk. An `inner` function is called from kernels only: it is part of what
is kept of them, and compiled no further than that takes (`linked`). In a hot loop a call of one is dear when it is
given arrays, to which it counts references. What is kept of a kernel is found again only while all that it is made of
is the same (`compiled`).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, ParamSpec, TypeVar, cast

from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from witbuild.text.compiled import Kept, alone
from witbuild.text.linked import Linking, widened

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]

P = ParamSpec("P")
T = TypeVar("T")
_LINKED: Final = {"nogil": True, "no_cpython_wrapper": True, "no_cfunc_wrapper": True, "pipeline_class": Linking}


def inner(function: Callable[P, T], **options: bool) -> Callable[P, T]:
    """Compile a function as part of the kernels that call it, once for all integers up to 64 bits with a sign."""
    compiled: Any = njit(**_LINKED, **options)(function)
    if compiled is not function:
        given = compiled.get_call_template
        compiled.get_call_template = lambda args, kws: given([widened(one) for one in args], kws)
    return cast("Callable[P, T]", compiled)


def inlined(function: Callable[P, T]) -> Callable[P, T]:
    """Do so for one that costs less than a call of it: LLVM's own guess changes with all that is around it."""
    return inner(function, forceinline=True)


def kernel(function: Callable[P, T]) -> Callable[P, T]:
    """Compile a function when it is first called, and keep it on disk."""
    return kept(function)


def kept(function: Callable[P, T], **options: bool) -> Callable[P, T]:
    """Do so with other options of numba."""
    compiled: Any = njit(nogil=True, **options)(function)
    if compiled is not function:  # it is the function itself where compiling is switched off
        compiled._cache = Kept(function)  # noqa: SLF001 what `cache=True` sets, and no parameter sets otherwise
        compiled.compile = alone(compiled.compile, function)
    return cast("Callable[P, T]", compiled)


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
def copied(data: Bytes, start: int, stop: int, out: Bytes, at: int) -> int:
    """Write the bytes from a place to another one; return where they end. numpy's own way takes seconds to compile."""
    for place in range(start, stop):
        out[at] = data[place]
        at += 1
    return at


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
