"""Coefficients of the blocks of a sequential JPEG (ITU-T T.81, section F.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.image.jpeg.bits import loop, opened, whole, woven
from witbuild.image.jpeg.huffman import END, look

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.image.jpeg.bits import Octets
    from witbuild.image.jpeg.huffman import Table
    from witbuild.image.jpeg.scans import Coded, Layout

    Coefficients = npt.NDArray[np.int16]
    Masks = npt.NDArray[np.uint64]

_ONE = np.uint64(1)
_LAST, _END = np.uintp(63), np.uintp(END)
_LARGEST = 2047


@loop
def decode(coded: Coded, layout: Layout, coefficients: Coefficients, masks: Masks) -> bool:
    """Decode a scan; False when anything is not as it should be.

    Args:
        coded: its data.
        layout: where its blocks go.
        coefficients: 64 of each block in zigzag order; only those that may not be 0 are written.
        masks: of each block, which coefficients are written.
    """
    ends, tables = coded.ends, coded.tables
    predictions = coded.predictions
    part, left = 0, coded.interval
    window, held, place, limit = opened(coded.begin, ends, 0)
    for y in range(layout.rows):
        for x in range(layout.columns):
            if left == 0:
                if not whole(place, held, ends[part]):
                    return False
                part, left = part + 1, coded.interval
                window, held, place, limit = opened(ends[part - 1], ends, part)
                predictions[:] = 0
            left -= 1
            for number in range(len(layout.base)):
                entry, window, held, place = look(
                    coded.data,
                    tables,
                    np.uintp(coded.first[number]),
                    window,
                    held,
                    place,
                    limit,
                    True,  # noqa: FBT003
                )
                taken = np.uint64(entry & 0xFF)
                window, held = window << taken, held - taken
                component = np.uintp(layout.component[number])
                value = predictions[component] + (entry >> 48)
                if entry == 0 or not -_LARGEST <= value <= _LARGEST:
                    return False
                predictions[component] = value
                block = np.uintp(layout.base[number] + y * layout.down[number] + x * layout.across[number])
                coefficients[block << np.uintp(6)] = value
                window, held, place, mask = _others(
                    coded.data, tables, np.uintp(coded.others[number]), window, held, place, limit, coefficients, block
                )
                if mask == 0:
                    return False
                masks[block] = mask
    return part + 1 == len(ends) and whole(place, held, ends[part])


@woven
def _others(  # noqa: PLR0913, PLR0917
    data: Octets,
    tables: Table,
    table: np.uintp,
    window: np.uint64,
    held: np.uint64,
    place: np.uintp,
    limit: np.uintp,
    coefficients: Coefficients,
    block: np.uintp,
) -> tuple[np.uint64, np.uint64, np.uintp, np.uint64]:
    """Decode a block but its first coefficient; return the window and the block's mask, 0 where it is broken."""
    kept, k, mask = block << np.uintp(6), np.uintp(0), _ONE
    while k < _LAST:
        entry, window, held, place = look(data, tables, table, window, held, place, limit, False)  # noqa: FBT003
        if entry == 0:
            return window, held, place, np.uint64(0)
        taken = np.uint64(entry & 0xFF)
        before, window, held = window, window << taken, held - taken
        k += np.uintp((entry >> 8) & 0xFF)
        value = (entry << 16) >> 48
        if k >= _LAST:
            if k > _LAST:
                break
            # the block is full: what was taken for its next symbol is the next block's
            again = np.uint64((entry >> 24) & 0xFF)
            window, held = before << again, held + taken - again
            coefficients[kept + k] = value
            return window, held, place, mask | (_ONE << np.uint64(k))
        coefficients[kept + k] = value
        mask |= _ONE << np.uint64(k)
        k += np.uintp((entry >> 16) & 0xFF)
        value = entry >> 48
        if k > _LAST:
            break
        coefficients[kept + k] = value
        mask |= _ONE << np.uint64(k)
    if k > _LAST and (k < _END or value):
        mask = np.uint64(0)
    return window, held, place, mask
