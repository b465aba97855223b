"""Functions that are part of kernels: compiled once, not left to themselves, counting as they should."""

from __future__ import annotations

import sys
from typing import Any, cast

import numpy as np
import numpy.typing as npt
import pytest
from numba import njit
from numba.core.errors import NumbaError

from witbuild.text.kernels import inlined, inner
from witbuild.text.linked import Linked

Ints = npt.NDArray[np.int64]


@inner
def _first(values: Ints, place: int) -> int:
    return int(values[place])


@inner
def _sum(values: Ints, count: int | np.int32) -> int:
    total = 0
    for place in range(count):
        total += _first(values, place)
    return total + _first(values, 0)


@inlined
def _or_none(values: Ints, wanted: bool) -> int:  # noqa: FBT001
    return _sum(values, 3) if wanted else -1


@njit
def told(values: Ints, narrow: np.int32) -> tuple[int, int, int]:
    """Call them with a constant, a narrow integer and an array."""
    return _sum(values, narrow), _or_none(values, True), _or_none(values, False)  # noqa: FBT003


def test_what_it_gives() -> None:
    assert told(np.array([5, 6, 7]), np.int32(2)) == (16, 23, -1)


def test_compiled_once_for_all_integers_and_no_further() -> None:
    told(np.array([5, 6, 7]), np.int32(2))
    for function in (_first, _sum, _or_none):
        (result,) = cast("Any", function).overloads.values()
        assert isinstance(result.library, Linked)
    code = cast("Any", told).inspect_llvm(cast("Any", told).signatures[0])
    assert "_first" not in code.split("define ", 2)[1]  # the kernel itself calls none of them any more


def test_no_array_is_held_for_ever() -> None:
    """numba counts who holds an array: of each call it must let go again."""
    values = np.arange(1_000)
    told(values, np.int32(9))
    held = sys.getrefcount(values)
    for _ in range(100):
        told(values, np.int32(9))
    assert sys.getrefcount(values) == held


def test_what_is_not_provided_for_is_refused() -> None:
    @inner
    def closes(number: int) -> int:
        return sum([number + one for one in range(3)])

    @njit
    def calls(number: int) -> int:
        return closes(number)

    with pytest.raises(NumbaError):
        calls(1)
