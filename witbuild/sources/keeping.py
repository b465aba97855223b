"""Pairs by rows to what a task keeps of them, as a compiled loop: hash, look up, append.

rows     see witbuild.web.rows; a row's own number is that of its context                                int32
slots    an open table of keys, two words each, lowest byte first; both 0: free                           uint64
places   where url and caption end in their buffers; source, width, height, context                       int32
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

import numpy as np

from witbuild.text.blake2 import digest
from witbuild.text.kernels import copied, inlined, kernel
from witbuild.web.rows import CAPTION_START, CAPTION_STOP, SOURCE, URL_START, URL_STOP

if TYPE_CHECKING:
    import numpy.typing as npt

    Bytes = npt.NDArray[np.uint8]
    Rows = npt.NDArray[np.int32]
    Ints = npt.NDArray[np.int64]
    Slots = npt.NDArray[np.uint64]

URL_END, CAPTION_END = range(2)
PLACE_SIZE: Final = 6
"""The last four of a place are the last four of its row."""
ROWS, URL_BYTES, CAPTION_BYTES, KEPT, LIMIT, SAME_KEY, BAD_ENCODING, OVER_LIMIT = range(8)
STATE_SIZE: Final = 8
"""What is in the buffers; keys of the whole task, and the most there may be, -1 for any; what was lost."""
KEY_DIGITS: Final = 32
_HEX: Final = np.frombuffer(b"0123456789abcdef", np.uint8)
_NONE, _EIGHT = np.uint64(0), np.uint64(8)


@kernel
def keep(  # noqa: PLR0913, PLR0917 arrays, each of its own kind
    text: Bytes,
    rows: Rows,
    state: Ints,
    slots: Slots,
    working: Slots,
    message: Bytes,
    keys: Bytes,
    urls: Bytes,
    captions: Bytes,
    places: Rows,
) -> tuple[int, int, int]:
    """Keep the pairs whose key is new; count the others, and what the limit leaves out.

    Args:
        text: uint8, UTF-8: URLs and captions.
        rows: int32 of shape (n, ROW_SIZE).
        state: int64 of shape (STATE_SIZE,), changed.
        slots: uint64 of shape (2 to some power, 2), changed; less than half of it full in the end.
        working: uint64, see witbuild.text.blake2; written, as those below.
        message: uint8 with room for the longest pair.
        keys: uint8 with room for 32 digits a row.
        urls: uint8.
        captions: uint8.
        places: int32 of shape (m, PLACE_SIZE).

    Returns:
        Rows in the buffers, bytes in the fuller one of the two for texts, keys of the whole task.
    """
    for at in range(len(rows)):
        row = rows[at]
        if _is_broken(text, row[CAPTION_START], row[CAPTION_STOP]):
            state[BAD_ENCODING] += 1
            continue
        first, second = _key(text, row, working, message)
        slot = _slot(slots, first, second)
        if slots[slot, 0] | slots[slot, 1] != _NONE:
            state[SAME_KEY] += 1
        elif 0 <= state[LIMIT] <= state[KEPT]:
            state[OVER_LIMIT] += 1
        else:
            slots[slot, 0], slots[slot, 1] = first, second
            _append(text, row, state, urls, captions, places)
            _write_hex(keys, KEY_DIGITS * (state[ROWS] - 1), first, second)
    return state[ROWS], max(state[URL_BYTES], state[CAPTION_BYTES]), state[KEPT]


@kernel
def rehash(slots: Slots, larger: Slots) -> None:
    """Put the keys of a table into a larger one, all zeros before."""
    for at in range(len(slots)):
        if slots[at, 0] | slots[at, 1] != _NONE:
            slot = _slot(larger, slots[at, 0], slots[at, 1])
            larger[slot, 0], larger[slot, 1] = slots[at, 0], slots[at, 1]


@inlined
def _is_broken(text: Bytes, start: int, stop: int) -> bool:
    """Say whether a caption holds U+FFFD, which stands for bytes that are not in the page's encoding."""
    for place in range(start, stop - 2):
        if text[place] == 0xEF and text[place + 1] == 0xBF and text[place + 2] == 0xBD:
            return True
    return False


@inlined
def _key(text: Bytes, row: Rows, working: Slots, message: Bytes) -> tuple[np.uint64, np.uint64]:
    """Return the key of a pair as witbuild.text.keys has it, as two words."""
    size = copied(text, row[URL_START], row[URL_STOP], message, 0)
    message[size] = 0
    return digest(message, 0, copied(text, row[CAPTION_START], row[CAPTION_STOP], message, size + 1), working)


@inlined
def _slot(slots: Slots, first: np.uint64, second: np.uint64) -> int:
    """Return where a key is, or belongs."""
    slot = int(first) & (len(slots) - 1)
    while (slots[slot, 0] != first or slots[slot, 1] != second) and slots[slot, 0] | slots[slot, 1] != _NONE:
        slot = (slot + 1) & (len(slots) - 1)
    return slot


@inlined
def _append(text: Bytes, row: Rows, state: Ints, urls: Bytes, captions: Bytes, places: Rows) -> None:  # noqa: PLR0913, PLR0917
    at = state[ROWS]
    state[URL_BYTES] = copied(text, row[URL_START], row[URL_STOP], urls, state[URL_BYTES])
    state[CAPTION_BYTES] = copied(text, row[CAPTION_START], row[CAPTION_STOP], captions, state[CAPTION_BYTES])
    places[at, URL_END], places[at, CAPTION_END] = state[URL_BYTES], state[CAPTION_BYTES]
    for column in range(PLACE_SIZE - 2):
        places[at, 2 + column] = row[SOURCE + column]
    state[ROWS] = at + 1
    state[KEPT] += 1


@inlined
def _write_hex(keys: Bytes, at: int, first: np.uint64, second: np.uint64) -> None:
    for word in (first, second):
        left = word
        for _ in range(8):
            keys[at] = _HEX[int(left) >> 4 & 15]
            keys[at + 1] = _HEX[int(left) & 15]
            left >>= _EIGHT
            at += 2
