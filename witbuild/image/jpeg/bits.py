"""Bits of coded data in a 64-bit window, and the few instructions that numba has no words for.

A window is three numbers: the bits not yet taken, the next one highest; how many there are; the place of the next byte.
"""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any, Final

import numpy as np
from llvmlite import ir
from numba import njit, types
from numba.extending import intrinsic

from witbuild.text.kernels import eight_at, kept
from witbuild.text.simd import pointer_to, put_eight

if TYPE_CHECKING:
    import numpy.typing as npt

    Octets = npt.NDArray[np.uint8]

_loose: Final = {"nogil": True, "_nrt": False, "no_cpython_wrapper": True, "no_cfunc_wrapper": True}
loop: Any = partial(kept, _nrt=False)
"""For functions called from Python. None makes an array, so none need count who uses one, which is half the time."""
woven: Final = njit(forceinline=True, **_loose)
"""For functions that become part of the loop that calls them: a call hands over some forty numbers."""
apart: Final = njit(**_loose)
"""For functions that are seldom called from loops."""
LANES: Final = 8
"""Numbers that `add_eight` adds to."""
_FLOATS = ir.VectorType(ir.FloatType(), LANES)
_LONG, _INT = ir.IntType(64), ir.IntType(32)


@intrinsic
def swapped(_context: object, _value: types.Integer) -> tuple[Any, Any]:
    """Return a 64-bit number with its bytes in the other order."""
    return types.uint64(types.uint64), lambda _context, builder, _signature, values: builder.bswap(values[0])


def _spread(builder: Any, value: Any) -> Any:
    """Return eight times the same number."""
    undefined = ir.Constant(_FLOATS, ir.Undefined)
    first = builder.insert_element(undefined, value, ir.Constant(_INT, 0))
    return builder.shuffle_vector(first, undefined, ir.Constant(ir.VectorType(_INT, LANES), [0] * LANES))


@intrinsic
def add_eight(
    _context: object,
    sums: types.Array,
    _at: types.Integer,
    terms: types.Array,
    _from: types.Integer,
    _factor: types.Float,
) -> tuple[Any, Any]:
    """Add eight float32 times a factor to eight others, each product rounded, so that every machine gives the same."""

    def add(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        total, term = (
            pointer_to(context, builder, signature.args[which], values[which], values[which + 1], _FLOATS)
            for which in (0, 2)
        )
        product = builder.fmul(builder.load(term, align=4), _spread(builder, values[4]))
        builder.store(builder.fadd(builder.load(total, align=4), product), total, align=4)
        return context.get_dummy_value()

    return types.void(sums, types.uintp, terms, types.uintp, types.float32), add


def _mixing(waves: int) -> Any:
    """Return the intrinsic that adds `waves` rows of eight numbers, each times a factor, to eight others."""

    @intrinsic
    def mix(
        _context: object,
        sums: types.Array,
        _at: types.Integer,
        rows: types.Array,
        parts: types.Array,
        _of: types.Integer,
    ) -> tuple[Any, Any]:
        def add(context: Any, builder: Any, signature: Any, values: Any) -> Any:
            total = pointer_to(context, builder, signature.args[0], values[0], values[1], _FLOATS)
            rows, parts = (
                pointer_to(context, builder, signature.args[which], values[which], place, kind)
                for which, place, kind in ((2, ir.Constant(_LONG, 0), _FLOATS), (3, values[4], ir.FloatType()))
            )
            added = builder.load(total, align=4)
            for wave in range(waves):
                factor = builder.load(builder.gep(parts, [ir.Constant(_LONG, wave * LANES)]), align=4)
                row = builder.load(builder.gep(rows, [ir.Constant(_LONG, wave)]), align=4)
                added = builder.fadd(added, builder.fmul(row, _spread(builder, factor)))
            builder.store(added, total, align=4)
            return context.get_dummy_value()

        return types.void(sums, types.uintp, rows, parts, types.uintp), add

    return mix


mix_two, mix_four, mix_eight = _mixing(2), _mixing(4), _mixing(8)


@woven
def filled(data: Octets, window: np.uint64, held: np.uint64, place: np.uintp) -> tuple[np.uint64, np.uint64, np.uintp]:
    """Return a window of at least 56 bits; what lies at `place` must be eight bytes that are there."""
    window |= swapped(eight_at(data, place)) >> held
    more = (np.uint64(63) - held) >> np.uint64(3)
    return window, held + (more << np.uint64(3)), place + more


@woven
def opened(start: int, ends: npt.NDArray[np.int64], part: int) -> tuple[np.uint64, np.uint64, np.uintp, np.uintp]:
    """Return an empty window at the start of a part, and the last place that it may be filled from."""
    return np.uint64(0), np.uint64(0), np.uintp(start), np.uintp(ends[part] + 8)


@woven
def whole(place: np.uintp, held: np.uint64, end: int) -> bool:
    """Say whether what was taken ends in the last byte before `end`: less is a broken stream, more an untidy one."""
    taken = 8 * np.int64(place) - np.int64(held)
    return bool(8 * end - 8 < taken <= 8 * end)


@loop
def unstuffed(
    body: Octets, start: int, out: Octets, at: int, ends: npt.NDArray[np.int64]
) -> tuple[np.intp, np.intp, int]:
    """Copy coded data without its stuffing (ITU-T T.81, section B.1.1.5) up to the first marker that is no restart.

    Args:
        body: of a JPEG.
        start: place of the first byte of coded data.
        out: where it goes, at least eight bytes longer than what there is.
        at: place of the first byte there.
        ends: filled with the place there after each part, parts being what restart markers separate.

    Returns:
        place of the marker in body, or its length; the place after the last byte in out; how many parts.
    """
    place, put, parts, length = np.uintp(start), np.uintp(at), 0, np.uintp(len(body))
    one, eight = np.uintp(1), np.uintp(8)
    while place + one < length:
        if place + eight <= length:
            word = eight_at(body, place)
            put_eight(out, np.intp(put), word)
            inverse = ~word
            # a byte of 0xFF is one of zero after inversion
            if not (inverse - np.uint64(0x0101010101010101)) & word & np.uint64(0x8080808080808080):
                place, put = place + eight, put + eight
                continue
        # up to the next such byte one by one
        octet = body[place]
        out[put] = octet
        place, put = place + one, put + one
        if octet != 0xFF:
            continue
        after = body[place]
        if after == 0:
            place += one
        elif after == 0xD0 + parts % 8 and parts + 1 < len(ends):
            put -= one
            ends[parts] = put
            place, parts = place + one, parts + 1
        else:
            put -= one
            ends[parts] = put
            return np.intp(place) - 1, np.intp(put), parts + 1
    ends[parts] = put
    return np.intp(length), np.intp(put), parts + 1
