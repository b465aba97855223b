"""Coefficients of the blocks of a progressive JPEG, scan by scan (ITU-T T.81, section G.2).

Which coefficients of a block are not 0 stands in its mask, so that a scan passes over blocks that it leaves as they are
without a look at them, and a refinement goes from one such coefficient to the next.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.image.jpeg.bits import filled, loop, opened, whole, woven
from witbuild.image.jpeg.huffman import END, look
from witbuild.text.simd import lowest_bit

if TYPE_CHECKING:
    from witbuild.image.jpeg.bits import Octets
    from witbuild.image.jpeg.frame import Scan
    from witbuild.image.jpeg.huffman import Table
    from witbuild.image.jpeg.scans import Coded, Layout
    from witbuild.image.jpeg.sequential import Coefficients, Masks

_ONE, _TOP, _ALL = np.uint64(1), np.uint64(63), ~np.uint64(0)
_END = np.uintp(END)
_LARGEST = 2047
_BROKEN = -1
"""Instead of the number of blocks that have nothing left."""


def decode(scan: Scan, coded: Coded, layout: Layout, coefficients: Coefficients, masks: Masks) -> bool:
    """Decode a scan; False when anything is not as it should be.

    Args:
        scan: of the frame.
        coded: its data.
        layout: where its blocks go.
        coefficients: 64 of each block in zigzag order; only those that are not 0 are written.
        masks: of each block, which coefficients are written; the first one always is.
    """
    if scan.stop == 0 and scan.high:
        return bool(_refine_first(coded, layout, scan.low, coefficients))
    if scan.stop == 0:
        return bool(_first(coded, layout, scan.low, coefficients, masks))
    return bool((_refine_band if scan.high else _band)(
        coded, layout, scan.start, scan.stop, scan.low, coefficients, masks
    ))  # fmt: skip


@loop
def _first(coded: Coded, layout: Layout, low: int, coefficients: Coefficients, masks: Masks) -> bool:
    ends, predictions = coded.ends, coded.predictions
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
                table = np.uintp(coded.first[number])
                entry, window, held, place = look(
                    coded.data,
                    coded.tables,
                    table,
                    window,
                    held,
                    place,
                    limit,
                    True,  # noqa: FBT003
                )
                taken = np.uint64(entry & 0xFF)
                window, held = window << taken, held - taken
                component = layout.component[number]
                value = predictions[component] + (entry >> 48)
                if entry == 0 or not -_LARGEST <= value << low <= _LARGEST:
                    return False
                predictions[component] = value
                block = np.uintp(layout.base[number] + y * layout.down[number] + x * layout.across[number])
                coefficients[block << np.uintp(6)] = value << low
                masks[block] = _ONE
    return part + 1 == len(ends) and whole(place, held, ends[part])


@loop
def _refine_first(coded: Coded, layout: Layout, low: int, coefficients: Coefficients) -> bool:
    ends = coded.ends
    part, left = 0, coded.interval
    window, held, place, limit = opened(coded.begin, ends, 0)
    for y in range(layout.rows):
        for x in range(layout.columns):
            if left == 0:
                if not whole(place, held, ends[part]):
                    return False
                part, left = part + 1, coded.interval
                window, held, place, limit = opened(ends[part - 1], ends, part)
            left -= 1
            for number in range(len(layout.base)):
                if held == 0:
                    if place > limit:
                        return False
                    window, held, place = filled(coded.data, window, held, place)
                block = np.uintp(layout.base[number] + y * layout.down[number] + x * layout.across[number])
                coefficients[block << np.uintp(6)] |= np.int64(window >> _TOP) << low
                window, held = window << _ONE, held - _ONE
    return part + 1 == len(ends) and whole(place, held, ends[part])


@loop
def _band(  # noqa: PLR0913, PLR0917
    coded: Coded, layout: Layout, start: int, stop: int, low: int, coefficients: Coefficients, masks: Masks
) -> bool:
    ends, table = coded.ends, np.uintp(coded.others[0])
    part, left, run = 0, coded.interval, 0
    window, held, place, limit = opened(coded.begin, ends, 0)
    for y in range(layout.rows):
        for x in range(layout.columns):
            if left == 0:
                if run or not whole(place, held, ends[part]):
                    return False
                part, left = part + 1, coded.interval
                window, held, place, limit = opened(ends[part - 1], ends, part)
            left -= 1
            if run:
                run -= 1
                continue
            window, held, place, run = _new(
                coded.data, coded.tables, table, window, held, place, limit, start, stop, low,
                np.uintp(layout.base[0] + y * layout.down[0] + x), coefficients, masks,
            )  # fmt: skip
            if run == _BROKEN:
                return False
    return run == 0 and part + 1 == len(ends) and whole(place, held, ends[part])


@woven
def _new(  # noqa: PLR0913, PLR0917
    data: Octets,
    tables: Table,
    table: np.uintp,
    window: np.uint64,
    held: np.uint64,
    place: np.uintp,
    limit: np.uintp,
    start: int,
    stop: int,
    low: int,
    block: np.uintp,
    coefficients: Coefficients,
    masks: Masks,
) -> tuple[np.uint64, np.uint64, np.uintp, int]:
    """Decode a block's band for the first time; return the window and how many blocks more have nothing in theirs."""
    kept, last, mask = block << np.uintp(6), np.uintp(stop), masks[block]
    k, run = np.uintp(start - 1), 0
    while k < last:
        entry, window, held, place = look(data, tables, table, window, held, place, limit, False)  # noqa: FBT003
        if entry == 0:
            return window, held, place, _BROKEN
        taken = np.uint64(entry & 0xFF)
        before, window, held = window, window << taken, held - taken
        k += np.uintp((entry >> 8) & 0xFF)
        run = (entry << 16) >> 48
        if k > last:
            break
        coefficients[kept + k] = run << low
        mask |= np.uint64(run != 0) << np.uint64(k)
        if k == last:
            # the band is full: what was taken for its next symbol is the next block's
            again = np.uint64((entry >> 24) & 0xFF)
            window, held = before << again, held + taken - again
            break
        k += np.uintp((entry >> 16) & 0xFF)
        run = entry >> 48
        if k > last:
            break
        coefficients[kept + k] = run << low
        mask |= np.uint64(run != 0) << np.uint64(k)
    masks[block] = mask
    if k <= last:
        run = 0
    elif k < _END:
        run = _BROKEN
    return window, held, place, run


@loop
def _refine_band(  # noqa: PLR0913, PLR0917
    coded: Coded, layout: Layout, start: int, stop: int, low: int, coefficients: Coefficients, masks: Masks
) -> bool:
    ends, table = coded.ends, np.uintp(coded.others[0])
    band = (_ALL >> (_TOP - np.uint64(stop))) & (_ALL << np.uint64(start))
    part, left, run = 0, coded.interval, 0
    window, held, place, limit = opened(coded.begin, ends, 0)
    for y in range(layout.rows):
        for x in range(layout.columns):
            if left == 0:
                if run or not whole(place, held, ends[part]):
                    return False
                part, left = part + 1, coded.interval
                window, held, place, limit = opened(ends[part - 1], ends, part)
            left -= 1
            block = np.uintp(layout.base[0] + y * layout.down[0] + x)
            if run and not masks[block] & band:
                run -= 1
                continue
            window, held, place, run = _refined(
                coded.data, coded.tables, table, window, held, place, limit, run, band, low, block, coefficients, masks
            )
            if run == _BROKEN:
                return False
    return run == 0 and part + 1 == len(ends) and whole(place, held, ends[part])


@woven
def _refined(  # noqa: PLR0913, PLR0917
    data: Octets,
    tables: Table,
    table: np.uintp,
    window: np.uint64,
    held: np.uint64,
    place: np.uintp,
    limit: np.uintp,
    run: int,
    band: np.uint64,
    low: int,
    block: np.uintp,
    coefficients: Coefficients,
    masks: Masks,
) -> tuple[np.uint64, np.uint64, np.uintp, int]:
    """Refine a block's band by a bit; return the window and how many blocks more have nothing new (section G.1.2.3)."""
    kept, mask = block << np.uintp(6), masks[block]
    known, zeros = mask & band, ~mask & band
    going = True
    while going:
        passed, value, at = known, 0, np.uint64(0)
        going = run == 0
        if going:
            entry, window, held, place = look(data, tables, table, window, held, place, limit, False)  # noqa: FBT003
            taken = np.uint64((entry >> 24) & 0xFF)
            window, held = window << taken, held - taken
            value, advance = (entry << 16) >> 48, (entry >> 8) & 0xFF
            if advance == END:
                run, value, going = value + 1, 0, False
            else:
                zeros = _without(zeros, advance - 1)
                if entry == 0 or zeros == 0 or not -1 <= value <= 1:
                    return window, held, place, _BROKEN
                at = np.uint64(lowest_bit(zeros))
                zeros &= zeros - _ONE
                passed = known & ((_ONE << at) - _ONE)
                known ^= passed
                going = (zeros | known) != 0
        window, held, place = _corrected(data, window, held, place, limit, passed, low, kept, coefficients)
        if value:
            coefficients[kept + np.uintp(at)] = value << low
            mask |= _ONE << at
    masks[block] = mask
    return window, held, place, max(run - 1, 0)


@woven
def _without(mask: np.uint64, count: int) -> np.uint64:
    """Return a mask without so many of its lowest bits."""
    while count > 0 and mask:
        mask &= mask - _ONE
        count -= 1
    return mask


@woven
def _corrected(  # noqa: PLR0913, PLR0917
    data: Octets,
    window: np.uint64,
    held: np.uint64,
    place: np.uintp,
    limit: np.uintp,
    passed: np.uint64,
    low: int,
    kept: np.uintp,
    coefficients: Coefficients,
) -> tuple[np.uint64, np.uint64, np.uintp]:
    """Take a bit for each coefficient of a mask, by which it goes away from 0 or not; return the window."""
    step = np.int64(1) << low
    while passed:
        if held == 0:
            # past its end a scan is broken, which is seen there
            window, held, place = filled(data, window, held, min(place, limit))
        at = kept + np.uintp(lowest_bit(passed))
        before = np.int64(coefficients[at])
        sign = before >> 63  # by arithmetic, for half of all branches would be foreseen wrongly
        coefficients[at] = before + (((step ^ sign) - sign) & -np.int64(window >> _TOP))
        passed &= passed - _ONE
        window, held = window << _ONE, held - _ONE
    return window, held, place
