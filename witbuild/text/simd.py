"""Instructions over many bytes or numbers at once, which numba has no words for and makes of no loop.

Each reads or writes whole vectors: what lies there must be there, though what lies beyond the end is not looked at.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from llvmlite import ir
from numba import types
from numba.extending import intrinsic

if TYPE_CHECKING:
    from collections.abc import Callable

WIDE: Final = 32
"""Bytes that `kinds_at` reads."""
LANES: Final = 8
"""Numbers that `how_many_less` reads."""

_LONG = ir.IntType(64)
_BYTES = ir.VectorType(ir.IntType(8), WIDE)
_NUMBERS = ir.VectorType(ir.IntType(32), LANES)


def pointer_to(  # noqa: PLR0913, PLR0917
    context: Any, builder: Any, kind: types.Array, array: Any, place: Any, into: ir.Type
) -> Any:
    """Return the pointer to a place in an array, as one to what is read or written there."""
    found = context.make_array(kind)(context, builder, array)
    return builder.bitcast(builder.gep(found.data, [place]), into.as_pointer())


def _all(octet: int) -> ir.Constant:
    return ir.Constant(_BYTES, [octet] * WIDE)


@intrinsic
def kinds_at(_context: object, data: types.Array, _place_in: types.Integer) -> tuple[Any, Any]:
    """Return 64 bits for the 32 bytes from a place on.

    Bit i says whether byte i is an ASCII letter or digit, bit 32 + i whether it is not ASCII.
    """

    def load(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        octets = builder.load(pointer_to(context, builder, signature.args[0], values[0], values[1], _BYTES), align=1)
        small = builder.or_(octets, _all(ord("a") - ord("A")))
        letter = builder.icmp_unsigned("<", builder.sub(small, _all(ord("a"))), _all(26))
        digit = builder.icmp_unsigned("<", builder.sub(octets, _all(ord("0"))), _all(10))
        words = builder.bitcast(builder.or_(letter, digit), ir.IntType(WIDE))
        beyond = builder.bitcast(builder.icmp_signed("<", octets, _all(0)), ir.IntType(WIDE))
        high = builder.shl(builder.zext(beyond, _LONG), ir.Constant(_LONG, WIDE))
        return builder.or_(builder.zext(words, _LONG), high)

    return types.uint64(data, types.intp), load


@intrinsic
def put_eight(_context: object, data: types.Array, _place_in: types.Integer, _value: types.Integer) -> tuple[Any, Any]:
    """Write a number to the eight bytes from a place on, its lowest byte first, in one store."""

    def store(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        builder.store(values[2], pointer_to(context, builder, signature.args[0], values[0], values[1], _LONG), align=1)
        return context.get_dummy_value()

    return types.void(data, types.intp, types.uint64), store


@intrinsic
def how_many_less(
    _context: object, numbers: types.Array, _place_in: types.Integer, _value: types.Integer, _count: types.Integer
) -> tuple[Any, Any]:
    """Return how many of the first `count` of eight int32 from a place on are less than a value."""

    def count(context: Any, builder: Any, signature: Any, values: Any) -> Any:
        eight = builder.load(pointer_to(context, builder, signature.args[0], values[0], values[1], _NUMBERS), align=4)
        undefined = ir.Constant(_NUMBERS, ir.Undefined)
        first = builder.insert_element(undefined, values[2], ir.Constant(ir.IntType(32), 0))
        value = builder.shuffle_vector(first, undefined, ir.Constant(_NUMBERS, [0] * LANES))
        less = builder.bitcast(builder.icmp_signed("<", eight, value), ir.IntType(LANES))
        one = ir.Constant(_LONG, 1)
        asked = builder.trunc(builder.sub(builder.shl(one, values[3]), one), ir.IntType(LANES))
        return builder.zext(builder.ctpop(builder.and_(less, asked)), _LONG)

    return types.int64(numbers, types.intp, types.int32, types.int64), count


def _of_bits(make: Callable[[Any, Any], Any]) -> tuple[Any, Any]:
    return types.int64(types.uint64), lambda _context, builder, _signature, values: make(builder, values[0])


@intrinsic
def lowest_bit(_context: object, _bits: types.Integer) -> tuple[Any, Any]:
    """Return the place of the lowest bit that is set, or 64."""
    return _of_bits(lambda builder, bits: builder.cttz(bits, ir.Constant(ir.IntType(1), 0)))


@intrinsic
def bits_set(_context: object, _bits: types.Integer) -> tuple[Any, Any]:
    """Return how many bits are set."""
    return _of_bits(lambda builder, bits: builder.ctpop(bits))
