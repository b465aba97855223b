"""The buffers that WAT records are read into, and how compiled loops come by them: see witbuild.sources.wat_rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

import numpy as np
from numba import types
from numba.extending import intrinsic

from witbuild.web import resolve
from witbuild.web.page import MAX_IMAGES
from witbuild.web.rows import ROW_SIZE
from witbuild.web.urls import MAX_CHARACTERS
from witbuild.web.wat_fields import AGENT, IMAGE_SIZE, MAX_NOTES, NOTE_SIZE, STATE_SIZE, agent_number

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Ints = npt.NDArray[np.int64]
    Rows = npt.NDArray[np.int32]

PAGES, ROWS, TEXT, NO_URL, DATA_URL, BAD_URL, NO_CAPTION, BLOCK, OFFSET, LENGTH, PAGE_END, BASE_END = range(12)
"""Of `told`: what is in the buffers; losses so far; of the last record its JSON, its place, its page and base."""
REASONS: Final = {NO_URL: "no_url", DATA_URL: "data_url", BAD_URL: "bad_url", NO_CAPTION: "no_caption"}
MOST_TEXTS: Final = 2
"""Of an image."""
MAX_TEXT_BYTES: Final = 1 << 22
"""A record whose addresses and captions have no room in that is odd."""
MANY_ROWS, MANY_TEXT_BYTES = 1 << 10, 1 << 20
"""When there are so many, the buffers are to be emptied: there is room for a large record then."""
ROOM: Final = MAX_CHARACTERS + 64
"""Bytes that an address or a caption may have, and more."""


class Buffers(NamedTuple):
    """What a record is read into.

    Attributes:
        told: int64 of shape (12,), see above.
        losses: int64 of shape (7,): those of the record, until it is done.
        rows: int32 of shape (n, ROW_SIZE), see witbuild.web.rows; their own number is that of their page.
        text: uint8: what the rows are of.
        page: uint8: address of the page.
        base: uint8: what addresses on it are relative to.
        state: int64, images: int32, notes: int32: see witbuild.web.wat_fields.
        scratch: uint8: to work with.
        parts: int64 of shape (4,): of the base, see witbuild.web.resolve.
    """

    told: Ints
    losses: Ints
    rows: Rows
    text: Bytes
    page: Bytes
    base: Bytes
    state: Ints
    images: Rows
    notes: Rows
    scratch: Bytes
    parts: Ints

    @classmethod
    def made(cls, agent: str = "") -> Buffers:
        """Return buffers.

        Args:
            agent: our crawler's product token: meta tags that name it are noted too.
        """
        state = np.zeros(STATE_SIZE, np.int64)
        state[AGENT] = agent_number(agent)
        return cls(
            told=np.zeros(BASE_END + 1, np.int64),
            losses=np.zeros(NO_CAPTION + 1, np.int64),
            rows=np.empty((MOST_TEXTS * MAX_IMAGES + MANY_ROWS, ROW_SIZE), np.int32),
            text=np.empty(MAX_TEXT_BYTES, np.uint8),
            page=np.empty(ROOM, np.uint8),
            base=np.empty(ROOM, np.uint8),
            state=state,
            images=np.empty(MAX_IMAGES * IMAGE_SIZE, np.int32),
            notes=np.empty(MAX_NOTES * NOTE_SIZE, np.int32),
            scratch=np.empty(ROOM, np.uint8),
            parts=np.empty(resolve.SIZE + 1, np.int64),
        )


def addresses_of(buffers: Buffers) -> Ints:
    """Return where the buffers lie: int64 of shape (11,); whoever holds it holds the buffers too."""
    return np.array([array.ctypes.data for array in buffers], np.int64)


def _pointer_at(kind: Any) -> Any:
    @intrinsic
    def at(_context: Any, _address: Any) -> Any:
        def make(target: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            return builder.inttoptr(arguments[0], target.get_value_type(signature.return_type))

        return types.CPointer(kind)(types.int64), make

    return at


bytes_at, rows_at, ints_at = map(_pointer_at, (types.uint8, types.int32, types.int64))


class Room(NamedTuple):
    """Pointers to the buffers that are written here: arrays would be counted at every call."""

    told: Ints
    losses: Ints
    rows: Rows
    text: Bytes
    page: Bytes
    base: Bytes
    scratch: Bytes
    parts: Ints
