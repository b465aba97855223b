"""Tables of Huffman codes that give run, value and length of two symbols at one look (ITU-T T.81, annexes C, F.2.2).

A table is one row of int64: an entry for each so many bits, then what finds longer codes. An entry holds, from its
lowest bit on:

    8 bits   that both symbols take, with the bits of the values after them; 0: look further
    8        advance to the first value: coefficients to go on by, 128 where the block ends
    8        advance from there to the second value; 0: there is none, and the first stands there again
    8        bits that the first symbol takes
    16, 16   the values, signed

At the end of a block the value is how many blocks more have nothing left (a progressive scan's run, section G.1.2.2),
which a sequential scan must have 0. What looks further holds the code's symbol and length, if it has been read so far.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.image.jpeg.bits import apart, filled, loop, woven

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.image.jpeg.bits import Octets

    Table = npt.NDArray[np.int64]

LOOK: Final = 10
_LOOK: Final = np.uint64(64 - LOOK)
_FEW: Final = np.uint64(16)
_MANY: Final = np.uint64(32)
"""Bits that must be there: a look's, and those of the longest code with its value (16 + 15)."""
END: Final = 128
"""The advance that ends a block."""
_LIMITS: Final = 1 << LOOK
_OFFSETS: Final = _LIMITS + 18
_SYMBOLS: Final = _OFFSETS + 18
_MOST: Final = 256
SIZE: Final = _SYMBOLS + _MOST
_LARGEST_FIRST, _LARGEST_OTHER = 11, 10
"""Bits of a coefficient of an 8-bit image (section F.1.2)."""


@apart
def _packed(bits: int, advance: int, value: int) -> int:
    return (value << 48) | ((value & 0xFFFF) << 32) | (bits << 24) | (advance << 8) | bits


@apart
def _extended(bits: int, size: int) -> int:
    """Return the value that so many bits after a code mean (section F.2.2.1)."""
    return bits + 1 - (1 << size) if size and bits < 1 << (size - 1) else bits


@apart
def _entry(symbol: int, length: int, after: int, first: bool) -> int:  # noqa: FBT001
    """Return the entry of a code of so many bits and the 16 bits that follow it."""
    run, size = (0, symbol) if first else (symbol >> 4, symbol & 15)
    if size == 0 and run < 15 and not first:  # its extra bits count blocks: 2^run and what they say
        return _packed(length + run, END, (1 << run) + (after >> (16 - run)) - 1)
    return _packed(length + size, run + 1, _extended(after >> (16 - size), size))


@woven
def look(  # noqa: PLR0913, PLR0917
    data: Octets,
    tables: Table,
    table: np.uintp,
    window: np.uint64,
    held: np.uint64,
    place: np.uintp,
    limit: np.uintp,
    first: bool,  # noqa: FBT001
) -> tuple[int, np.uint64, np.uint64, np.uintp]:
    """Return the entry for the next bits, of which none is taken yet, and the window; 0: they are no code.

    Args:
        data: that the window is filled from.
        tables: rows one after the other.
        table: place of the row in them.
        window: bits, filled up where need be; see bits.py.
        held: how many.
        place: of the next byte.
        limit: the last place to fill from.
        first: the code is of a DC coefficient.
    """
    if held < _FEW:
        if place > limit:
            return 0, window, held, place
        window, held, place = filled(data, window, held, place)
    entry = tables[table + np.uintp(window >> _LOOK)]
    if entry & 0xFF == 0:
        if held < _MANY:
            if place > limit:
                return 0, window, held, place
            window, held, place = filled(data, window, held, place)
        entry = _further(tables, np.intp(table), window, entry, first)
    return entry, window, held, place


@apart
def _further(tables: Table, table: int, window: np.uint64, found: int, first: bool) -> int:  # noqa: FBT001
    """Return the entry for the bits of a window where a look was not enough; 0: it is no code.

    Args:
        tables: rows one after the other.
        table: place of the row in them.
        window: of at least 32 bits, the next one highest.
        found: what the look gave.
        first: the code is of a DC coefficient.
    """
    top = np.int64(window >> np.uint64(48))
    length, symbol = (found >> 8) & 0xFF, found >> 16
    if not found:
        length = LOOK + 1
        while length < 17 and top >= tables[table + _LIMITS + length]:
            length += 1
        if length > 16:
            return 0
        symbol = tables[table + _SYMBOLS + ((top >> (16 - length)) + tables[table + _OFFSETS + length])]
    after = np.int64((window << np.uint64(length)) >> np.uint64(48))
    return _entry(symbol, length, after, first)


@apart
def _place(symbol: int, length: int, code: int, out: Table, first: bool) -> None:  # noqa: FBT001
    """Write the entries of a code that a look is enough for."""
    low = code << (LOOK - length)
    for look in range(low, low + (1 << (LOOK - length))):
        entry = _entry(symbol, length, (look << (16 - LOOK + length)) & 0xFFFF, first)
        out[look] = entry if (entry & 0xFF) <= LOOK else (symbol << 16) | (length << 8)


@loop
def _pair(singles: Table, out: Table) -> None:
    """Add to each entry the symbol after it, where both take no more bits than a look."""
    for look in range(_LIMITS):
        one = singles[look]
        taken = one & 0xFF
        if taken == 0 or (one >> 8) & 0xFF == END:
            continue
        other = singles[(look << taken) & (_LIMITS - 1)]
        both = taken + (other & 0xFF)
        if taken < both <= LOOK:
            out[look] = (
                ((other >> 48) << 48) | (one & 0xFFFFFF00FF00) | (taken << 24) | (((other >> 8) & 0xFF) << 16) | both
            )


@loop
def _fill(counts: npt.NDArray[np.uint8], symbols: npt.NDArray[np.uint8], out: Table, first: bool) -> bool:  # noqa: FBT001
    code = index = 0
    for length in range(1, 17):
        out[_OFFSETS + length] = index - code
        for _ in range(counts[length - 1]):
            if code >= 1 << length:
                return False
            symbol = np.int64(symbols[index])
            out[_SYMBOLS + index] = symbol
            if length <= LOOK:
                _place(symbol, length, code, out, first)
            code, index = code + 1, index + 1
        out[_LIMITS + length] = code << (16 - length)
        code <<= 1
    return True


@lru_cache(maxsize=64)
def table(counts: bytes, symbols: bytes, *, first: bool) -> Table | None:
    """Return the table of a Huffman code; None where the lengths are no code or a symbol is none of an 8-bit image.

    Args:
        counts: codes of each length from 1 to 16.
        symbols: of the codes, in their order.
        first: of DC coefficients.

    Example:
        >>> row = table(bytes([0, 2]) + bytes(14), bytes([0, 3]), first=True)
        >>> [(int(row[look << 5]) & 255, int(row[look << 5]) >> 48) for look in (0b00000, 0b01000, 0b01111)]
        [(2, 0), (5, -7), (5, 7)]
    """
    largest = _LARGEST_FIRST if first else _LARGEST_OTHER
    if len(symbols) > _MOST or any((symbol if first else symbol & 15) > largest for symbol in symbols):
        return None
    out = np.zeros(SIZE, np.int64)
    if not _fill(np.frombuffer(counts, np.uint8), np.frombuffer(symbols, np.uint8), out, first):
        return None
    if not first:
        _pair(out.copy(), out)
    return out
