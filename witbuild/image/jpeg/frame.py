"""A JPEG's segments, read strictly: what is not usual and whole is left to the library (ITU-T T.81, annex B).

SOI ── tables, comments ── SOF ── (tables ── SOS ── coded data) for each scan ── EOI
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.image.jpeg import huffman
from witbuild.image.jpeg.bits import unstuffed

if TYPE_CHECKING:
    import numpy.typing as npt

_IDS: Final = (b"\1\2\3", b"\0\1\2")
"""Names of components that mean luma and two chromas with Adobe's marker or without."""
_SEQUENTIAL, _PROGRESSIVE = (0xC0, 0xC1), 0xC2
_SOI, _EOI, _SOS, _DHT, _DQT, _DRI, _ADOBE = b"\xff\xd8", 0xD9, 0xDA, 0xC4, 0xDB, 0xDD, 0xEE
_MAX_SCANS = 100
_UNSEEN: Final = 99
"""Of a coefficient: bits that are still to come, as if all were."""


class UnusualError(Exception):
    """This is not for us: the library decides what it is."""


@dataclass(frozen=True, slots=True)
class Component:
    """A plane of a frame: its sampling factors, its size in samples, its blocks as its own scans count them."""

    across: int
    down: int
    quantiser: int
    width: int
    height: int

    @property
    def columns(self) -> int:
        """Blocks in a row."""
        return -(-self.width // 8)

    @property
    def rows(self) -> int:
        """Rows of blocks."""
        return -(-self.height // 8)


@dataclass(frozen=True, slots=True)
class Scan:
    """A pass over some components, and what the tables were when it began."""

    components: tuple[int, ...]
    first: tuple[huffman.Table, ...]
    others: tuple[huffman.Table, ...]
    start: int
    stop: int
    high: int
    low: int
    begin: int
    ends: npt.NDArray[np.int64]
    interval: int


@dataclass(slots=True)
class Frame:
    """What of a JPEG is needed to decode it.

    Attributes:
        width: of the image, pixels.
        height: as width.
        progressive: scans refine each other.
        components: one, or luma and two chromas.
        across: units of interleaved blocks in a row.
        down: rows of such units.
        quantisers: of each component, 64 values in zigzag order.
        scans: in their order.
        data: coded data of all scans without stuffing, and room after it.
    """

    width: int
    height: int
    progressive: bool
    components: tuple[Component, ...]
    across: int
    down: int
    data: npt.NDArray[np.uint8]
    quantisers: list[npt.NDArray[np.float32]] = field(default_factory=list)
    scans: list[Scan] = field(default_factory=list)


def read(body: bytes) -> Frame:
    """Return the frame of a JPEG.

    Raises:
        UnusualError: it is anything but 8 bits, grey or YCbCr with chroma of half or whole size, coded by Huffman,
            every scan there and ended as it should be.
    """
    try:
        return _Reader(body).read()
    except (struct.error, IndexError) as error:
        raise UnusualError("it ends early") from error


class _Reader:
    """The tables that are in force while a JPEG is read from front to back."""

    def __init__(self, body: bytes) -> None:
        self._body, self._octets = body, np.frombuffer(body, np.uint8)
        self._place, self._put, self._interval = 2, 0, 0
        self._quantisers: dict[int, npt.NDArray[np.float32]] = {}
        self._codes: dict[int, huffman.Table] = {}
        self._frame: Frame | None = None

    def read(self) -> Frame:
        if self._body[:2] != _SOI:
            raise UnusualError("no start")
        while (marker := self._marker()) != _EOI:
            (length,) = struct.unpack_from(">H", self._body, self._place)
            segment = self._body[self._place + 2 : self._place + length]
            if length < 2 or len(segment) != length - 2:
                raise UnusualError("a segment is cut")
            self._place += length
            self._segment(marker, segment)
        return self._whole()

    def _marker(self) -> int:
        if self._body[self._place] != 0xFF:
            raise UnusualError("bytes between segments")
        while self._body[self._place] == 0xFF:
            self._place += 1
        self._place += 1
        return self._body[self._place - 1]

    def _segment(self, marker: int, segment: bytes) -> None:
        if marker == _DHT:
            self._huffman(segment)
        elif marker == _DQT:
            self._quantiser(segment)
        elif marker == _DRI:
            (self._interval,) = struct.unpack(">H", segment)
        elif marker == _SOS:
            self._scan(segment)
        elif marker in _SEQUENTIAL or marker == _PROGRESSIVE:
            self._start(segment, progressive=marker == _PROGRESSIVE)
        elif marker == _ADOBE and segment[:5] == b"Adobe" and (len(segment) < 12 or segment[11] != 1):
            raise UnusualError("colours by Adobe")
        elif not (0xE0 <= marker <= 0xEF or marker == 0xFE):
            raise UnusualError(f"marker {marker:x}")

    def _huffman(self, segment: bytes) -> None:
        while segment:
            which, counts = segment[0], segment[1:17]
            symbols, segment = segment[17 : 17 + sum(counts)], segment[17 + sum(counts) :]
            if len(counts) < 16 or len(symbols) < sum(counts) or which & 15 > 3 or which >> 4 > 1:
                raise UnusualError("a Huffman table")
            table = huffman.table(counts, symbols, first=which < 16)
            if table is None:
                raise UnusualError("a Huffman table")
            self._codes[which] = table

    def _quantiser(self, segment: bytes) -> None:
        while segment:
            which, values, segment = segment[0], segment[1:65], segment[65:]
            if which > 3 or len(values) < 64 or 0 in values:  # 16 bits, or cut
                raise UnusualError("a table of quantisation")
            self._quantisers[which] = np.frombuffer(values, np.uint8).astype(np.float32)

    def _start(self, segment: bytes, *, progressive: bool) -> None:
        depth, height, width, count = struct.unpack_from(">BHHB", segment)
        ids, sampling, tables = segment[6::3], segment[7::3], segment[8::3]
        if self._frame or depth != 8 or count not in (1, 3) or len(segment) != 6 + 3 * count or not width * height:
            raise UnusualError("a frame")
        if count == 3 and (
            ids not in _IDS or sampling[1:] != b"\x11\x11" or sampling[0] not in (0x11, 0x21, 0x12, 0x22)
        ):
            raise UnusualError("components")
        across, down = divmod(sampling[0] if count == 3 else 0x11, 16)
        if across == 2 and width < 5:
            raise UnusualError("narrow")  # the library does not interpolate chroma of one or two columns
        sizes = [(across, down, width, height), *[(1, 1, -(-width // across), -(-height // down))] * (count - 1)]
        self._frame = Frame(
            width, height, progressive,
            tuple(Component(a, d, table, w, h) for (a, d, w, h), table in zip(sizes, tables, strict=True)),
            -(-width // (8 * across)), -(-height // (8 * down)), np.zeros(len(self._body) + 32, np.uint8),
        )  # fmt: skip
        self._ids = ids

    def _scan(self, segment: bytes) -> None:
        frame, count = self._frame, segment[0]
        if frame is None or len(segment) != 4 + 2 * count or len(frame.scans) == _MAX_SCANS:
            raise UnusualError("a scan")
        which = tuple(self._ids.find(segment[place : place + 1]) for place in range(1, 1 + 2 * count, 2))
        start, stop, nearness = segment[-3:]
        if not which or min(which) < 0 or list(which) != sorted(set(which)):
            raise UnusualError("components of a scan")
        tables = segment[2 : 2 + 2 * count : 2]
        refines_first = start == 0 and nearness >> 4
        first = tuple(self._code(table >> 4) for table in tables) if start == 0 and not refines_first else ()
        others = tuple(self._code(16 + (table & 15)) for table in tables) if stop > 0 else ()
        begin, ends = self._put, np.zeros(self._parts(frame, which), np.int64)
        self._place, self._put, parts = unstuffed(self._octets, self._place, frame.data, begin, ends)
        if parts != len(ends):
            raise UnusualError("restarts")
        scan = Scan(which, first, others, start, stop, nearness >> 4, nearness & 15, begin, ends, self._interval)
        frame.scans.append(scan)
        self._quantise(frame)

    def _code(self, which: int) -> huffman.Table:
        if which not in self._codes:
            raise UnusualError("no Huffman table")
        return self._codes[which]

    def _parts(self, frame: Frame, which: tuple[int, ...]) -> int:
        one = frame.components[which[0]]
        units = one.columns * one.rows if len(which) == 1 else frame.across * frame.down
        return -(-units // self._interval) if self._interval else 1

    def _quantise(self, frame: Frame) -> None:
        """Keep the tables of quantisation: one that changes between scans is not for us."""
        tables = [self._quantisers.get(one.quantiser) for one in frame.components]
        if any(table is None for table in tables) or (
            frame.quantisers and any(one is not other for one, other in zip(tables, frame.quantisers, strict=True))
        ):
            raise UnusualError("tables of quantisation")
        frame.quantisers = [table for table in tables if table is not None]

    def _whole(self) -> Frame:
        """Return the frame, if its scans leave nothing open and take nothing twice."""
        frame = self._frame
        if frame is None or not frame.scans:
            raise UnusualError("no image")
        (_check_progress if frame.progressive else _check_once)(frame)
        return frame


def _check_once(frame: Frame) -> None:
    seen = [which for scan in frame.scans for which in scan.components]
    if sorted(seen) != list(range(len(frame.components))):
        raise UnusualError("components missing or twice")
    if any((scan.start, scan.stop, scan.high, scan.low) != (0, 63, 0, 0) for scan in frame.scans):
        raise UnusualError("part of a spectrum")


def _check_progress(frame: Frame) -> None:
    """Check that every coefficient comes once and is refined bit by bit to the last (ITU-T T.81, section G.1.1)."""
    left = [[_UNSEEN] * 64 for _ in frame.components]
    for scan in frame.scans:
        if scan.start > scan.stop or scan.stop > 63 or (scan.start == 0) != (scan.stop == 0):
            raise UnusualError("a band")
        if scan.start and len(scan.components) > 1:
            raise UnusualError("an interleaved band")
        if scan.high not in (0, scan.low + 1) or scan.low > 13:
            raise UnusualError("bits")
        band, count = slice(scan.start, scan.stop + 1), scan.stop + 1 - scan.start
        for which in scan.components:
            if left[which][band] != [scan.high or _UNSEEN] * count:
                raise UnusualError("out of order")
            left[which][band] = [scan.low] * count
    if any(map(any, left)):
        raise UnusualError("not refined to the end")
