"""A scanned page's pairs as arrays: what the compiled loop of `witbuild.web.pairing` found, a part at a time."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.web import pairing
from witbuild.web import rows as row
from witbuild.web.wording import NAMED

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    from witbuild.web.resolve import Base
    from witbuild.web.scanned import Scan

MOST_ROWS: Final = 1_024
_TEXT_BYTES: Final = 1 << 19
_LOSSES: Final = ("no_url", "data_url", "bad_url", "no_caption")


class Found(NamedTuple):
    """Pairs; valid until the next ones are asked for.

    Attributes:
        text: uint8, UTF-8.
        rows: int32 of shape (up to MOST_ROWS, ROW_SIZE), see witbuild.web.rows.
        losses: reason -> images that have no pair.
    """

    text: npt.NDArray[np.uint8]
    rows: npt.NDArray[np.int32]
    losses: dict[str, int]

    def texts(self) -> list[tuple[str, str]]:
        """Return (URL, caption) of each pair."""
        octets = self.text.tobytes()
        places = self.rows[:, row.URL_START : row.CAPTION_STOP + 1].tolist()
        if octets.isascii():
            text = octets.decode()
            return [(text[url:end], text[caption:stop]) for url, end, caption, stop in places]
        return [(octets[url:end].decode(), octets[caption:stop].decode()) for url, end, caption, stop in places]


class _Room(threading.local):
    """What the loop writes to, for each thread."""

    def __init__(self) -> None:
        self.scratch = np.empty(pairing.SCRATCH_BYTES, np.uint8)
        self.text = np.empty(_TEXT_BYTES, np.uint8)
        self.rows = np.empty((MOST_ROWS, row.ROW_SIZE), np.int32)
        self.told = np.zeros(pairing.TOLD_SIZE, np.int64)


_room = _Room()


def pairs(scan: Scan, base: Base) -> Iterator[Found | int]:
    """Yield the pairs of a page's images in order, or the event of one that Python is to look at."""
    room, event = _room, 0
    while event < len(scan.events):
        room.told[: pairing.TOLD] = 0
        room.told[pairing.NEXT] = event
        pairing.pair(
            scan.data,
            scan.events,
            scan.values,
            NAMED,
            base.url,
            base.parts,
            room.scratch,
            room.text,
            room.rows,
            room.told,
        )
        event, rarely, rows, size, *losses = room.told[: pairing.TOLD].tolist()
        if rows or any(losses):
            lost = {reason: count for reason, count in zip(_LOSSES, losses, strict=True) if count}
            yield Found(room.text[:size], room.rows[:rows], lost)
        if rarely:
            yield event
            event += 1
