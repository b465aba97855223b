"""What one compiled pass over a page's bytes found: the tags that tell of images and of rights, with attributes."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from functools import cached_property
from typing import TYPE_CHECKING

import numpy as np

from witbuild.web import elements, opened
from witbuild.web.escapes import unescape
from witbuild.web.markup import BLANK
from witbuild.web.outline import lead as lead_of
from witbuild.web.outline import outline

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

    Attributes = dict[str, str | None]
    Rows = npt.NDArray[np.int32]


class _Room(threading.local):
    """The arrays that a scan writes to, a set for each thread, as large as the largest page needed."""

    def __init__(self) -> None:
        self.state = np.zeros(opened.STATE_SIZE, np.int64)
        self.grow(1_024)

    def grow(self, events: int) -> None:
        self.events = np.empty((events, opened.COLUMNS), np.int32)
        self.values = np.empty((8 * events, 3), np.int32)


_room = _Room()


@dataclass(kw_only=True)
class Scan:
    """A page's tags that tell something; see witbuild.web.outline.

    Attributes:
        body: the page, UTF-8, where it lies.
        data: its bytes as an array.
        events: int32 of shape (n, opened.COLUMNS).
        values: int32 of shape (m, 3).
        images: `<img>`s, those beyond the bound counted too.
    """

    body: bytes | memoryview
    data: npt.NDArray[np.uint8]
    events: Rows
    values: Rows
    images: int

    @classmethod
    def of(cls, body: bytes | memoryview, agent: str = "") -> Scan | None:
        """Pass over a page in UTF-8; None when the outcome is in doubt.

        Args:
            body: of the page.
            agent: the crawler's product token, for the tags that speak to it.
        """
        room, data, lead = _room, np.frombuffer(body, np.uint8), lead_of(agent)
        while outline(data, elements.KNOWN, BLANK, room.state, room.events, room.values, lead) < len(body):
            room.grow(4 * len(room.events))
        events, values, images, doubt = room.state[opened.EVENTS : opened.DOUBT + 1].tolist()
        if doubt:
            return None
        return cls(
            body=body, data=data, events=room.events[:events].copy(), values=room.values[:values].copy(), images=images
        )

    @cached_property
    def kinds(self) -> dict[int, list[int]]:
        """The events of each kind but images, in order."""
        found: dict[int, list[int]] = {}
        for event, kind in enumerate(self.events[:, 0].tolist()):
            if kind != elements.IMG:
                found.setdefault(kind, []).append(event)
        return found

    def pictures(self) -> list[int]:
        """Return the events of the images, in order."""
        found: list[int] = np.flatnonzero(self.events[:, 0] == elements.IMG).tolist()
        return found

    def text(self, start: int, stop: int) -> str:
        """Return a value as the page's author meant it."""
        return unescape(plain(bytes(self.body[start:stop])))

    def own(self, event: int) -> dict[int, str]:
        """Return the attributes of an event's tag that are read, by number."""
        first, last = self.events[event, opened.FIRST : opened.LAST + 1].tolist()
        return {attribute: self.text(start, stop) for attribute, start, stop in self.values[first:last].tolist()}

    def attributes(self, event: int) -> Attributes:
        """Return them by name."""
        return {elements.ATTRIBUTES[number]: value for number, value in self.own(event).items()}

    def between(self, event: int) -> bytes:
        """Return what a script, or the caption of a figure, encloses; nothing where there is no caption."""
        start, stop = self.events[event, opened.START : opened.STOP + 1].tolist()
        return bytes(self.body[start:stop]) if start >= 0 else b""

    def tags(self, kind: int) -> Iterator[Attributes]:
        """Yield the attributes of every tag of a kind."""
        return (self.attributes(event) for event in self.kinds.get(kind, ()))


def plain(value: bytes) -> str:
    """Return bytes of a page as text: line ends as the standard's input stream has them, no null characters."""
    text = value.decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text
