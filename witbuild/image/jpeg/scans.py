"""What a kernel is told of a scan: coded data, tables, and where the blocks of each unit go."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.image.jpeg.huffman import SIZE

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.image.jpeg.frame import Frame, Scan

    Numbers = npt.NDArray[np.int64]


_ENDLESS = 1 << 62


class Coded(NamedTuple):
    """Coded data of a scan.

    Attributes:
        data: without stuffing, eight bytes more than there are.
        begin: place of the first byte.
        ends: place after each part that restart markers separate.
        interval: units in a part.
        tables: Huffman tables, one after the other.
        first: for each block of a unit, the place of its table of DC coefficients.
        others: the same for the other coefficients.
    """

    data: npt.NDArray[np.uint8]
    begin: int
    ends: Numbers
    interval: int
    tables: npt.NDArray[np.int64]
    first: Numbers
    others: Numbers
    predictions: Numbers


class Layout(NamedTuple):
    """Where the blocks of a scan go: block b of unit (y, x) is number base[b] + y * down[b] + x * across[b].

    Attributes:
        component: of each block of a unit.
        base: see above.
        down: see above.
        across: see above.
        rows: of units.
        columns: units in a row.
    """

    component: Numbers
    base: Numbers
    down: Numbers
    across: Numbers
    rows: int
    columns: int


class Planes(NamedTuple):
    """Where the blocks of each component are kept: number first + row * stride + column."""

    first: tuple[int, ...]
    stride: tuple[int, ...]
    blocks: int


def planes(frame: Frame) -> Planes:
    """Return where blocks are kept; units at the right and lower edge reach beyond the image."""
    strides = tuple(frame.across * one.across for one in frame.components)
    counts = [stride * frame.down * one.down for stride, one in zip(strides, frame.components, strict=True)]
    places = np.cumsum([0, *counts]).tolist()
    return Planes(tuple(places[:-1]), strides, places[-1])


def layout(frame: Frame, scan: Scan, kept: Planes) -> Layout:
    """Return where the blocks of a scan go: those of one component row by row, those of several in units."""
    if len(scan.components) == 1:
        (which,) = scan.components
        one = frame.components[which]
        rows = [(which, kept.first[which], kept.stride[which], 1)]
        return _layout(rows, one.rows, one.columns)
    rows = [
        (which, kept.first[which] + down * kept.stride[which] + across, one.down * kept.stride[which], one.across)
        for which in scan.components
        for one in (frame.components[which],)
        for down in range(one.down)
        for across in range(one.across)
    ]
    return _layout(rows, frame.down, frame.across)


def _layout(rows: list[tuple[int, int, int, int]], down: int, across: int) -> Layout:
    component, base, rows_on, on = np.array(rows, np.int64).T.copy()
    return Layout(component, base, rows_on, on, down, across)


def coded(frame: Frame, scan: Scan, blocks: Layout) -> Coded:
    """Return the coded data of a scan, each block of a unit with its tables."""
    place = {which: number for number, which in enumerate(scan.components)}
    order = np.array([place[which] for which in blocks.component.tolist()], np.int64)
    tables = [*scan.first, *scan.others]
    joined = np.concatenate(tables) if tables else np.zeros(1, np.int64)
    others = order + len(scan.first)
    return Coded(
        frame.data,
        scan.begin,
        scan.ends,
        scan.interval or _ENDLESS,
        joined,
        order * SIZE,
        others * SIZE,
        np.zeros(4, np.int64),
    )
