"""The columns of a task's pairs while they are found: each key once, without a Python object for any of them.

    extend(text, rows, context) ── pairs as a compiled loop found them: where URL and caption stand in a buffer
    add(url, caption, ...)      ── one pair, as Python found it
    table()                     ── all that were kept, in the order in which they came

A context is what pairs have in common: the columns of a page, of which width and height are each pair's own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

import numpy as np
import pyarrow as pa

from witbuild.schema import PAIRS
from witbuild.sources import keeping
from witbuild.sources.candidates import COLUMNS, REST
from witbuild.text.blake2 import WORKING
from witbuild.web import rows as row
from witbuild.web.caption import MAX_CHARACTERS as MAX_CAPTION
from witbuild.web.rows import NO_PIXELS, SOURCES
from witbuild.web.urls import MAX_CHARACTERS as MAX_URL

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.sources.keeping import Bytes, Rows

    Context = list[object]

_SCHEMA: Final = pa.schema([PAIRS.field(name) for name in COLUMNS])
MOST_ROWS: Final = 1_024
"""Rows that may be kept at a time."""
_SOURCE, _WIDTH, _HEIGHT, _CONTEXT = range(2, keeping.PLACE_SIZE)
_BATCH: Final = 65_536
_BUFFER_BYTES: Final = 1 << 25
_MAX_CAPTION_BYTES: Final = 4 * MAX_CAPTION
_MOST_BYTES: Final = _BUFFER_BYTES - MOST_ROWS * max(MAX_URL, _MAX_CAPTION_BYTES)
_FIRST_SLOTS: Final = 1 << 12
_LOSSES: Final = {
    "same_key": keeping.SAME_KEY,
    "bad_encoding": keeping.BAD_ENCODING,
    "over_limit": keeping.OVER_LIMIT,
}


class Columns:
    """What is kept of a task's pairs.

    Args:
        limit: most pairs; None: all.
    """

    def __init__(self, limit: int | None = None) -> None:
        self._state = np.zeros(keeping.STATE_SIZE, np.int64)
        self._state[keeping.LIMIT] = -1 if limit is None else limit
        self._slots = np.zeros((_FIRST_SLOTS, 2), np.uint64)
        self._message = np.empty(MAX_URL + 1 + _MAX_CAPTION_BYTES, np.uint8)
        self._working = np.empty(WORKING, np.uint64)
        self._urls, self._captions = np.empty(_BUFFER_BYTES, np.uint8), np.empty(_BUFFER_BYTES, np.uint8)
        self._keys = np.empty((_BATCH + MOST_ROWS) * keeping.KEY_DIGITS, np.uint8)
        self._places = np.empty((_BATCH + MOST_ROWS, keeping.PLACE_SIZE), np.int32)
        self._limit = limit
        self._kept = 0
        self._contexts: list[Context] = []
        self._waiting: list[tuple[bytes, bytes, int, int, int, int]] = []
        self._batches: list[pa.RecordBatch] = []

    def is_full(self) -> bool:
        """Say whether the limit is reached."""
        if self._limit is None or self._kept + len(self._waiting) < self._limit:
            return False
        self._settle()
        return self._kept >= self._limit

    def losses(self) -> dict[str, int]:
        """Return how many pairs were lost since this was asked last, by reason."""
        self._settle()
        found = {reason: int(self._state[place]) for reason, place in _LOSSES.items() if self._state[place]}
        self._state[list(_LOSSES.values())] = 0
        return found

    def add(self, url: str, caption: str, source: str, context: Context, pixels: tuple[int | None, int | None]) -> None:
        """Add a pair.

        Args:
            url: at most 4,096 characters, ASCII.
            caption: at most 2,000 characters.
            source: one of SOURCES.
            context: what it has in common with others, a value for each of REST; the same object is kept once.
            pixels: width and height, or None where they are not known.
        """
        width, height = (NO_PIXELS if one is None else one for one in pixels)
        place = self._placed(context)
        self._waiting.append((url.encode(), caption.encode(), SOURCES.index(source), width, height, place))
        if len(self._waiting) == MOST_ROWS:
            self._settle()

    def extend(self, text: Bytes, rows: Rows, context: Context) -> None:
        """Add pairs.

        Args:
            text: uint8 of shape (n,), UTF-8.
            rows: int32 of shape (up to MOST_ROWS, ROW_SIZE), see witbuild.web.rows; their own numbers are overwritten.
            context: of all of them, as for `add`.
        """
        self._settle()
        rows[:, row.OWN] = self._placed(context)
        self._keep(text, rows)

    def extend_each(self, text: Bytes, rows: Rows, contexts: list[Context]) -> None:
        """Add pairs of several contexts: a row's own number is the place of its context among them.

        Args:
            text: as for `extend`.
            rows: as for `extend`.
            contexts: a value for each of REST each.
        """
        self._settle()
        if len(self._contexts) + len(contexts) > _BATCH:
            self._flush()
        rows[:, row.OWN] += len(self._contexts)
        self._contexts += contexts
        self._keep(text, rows)

    def _placed(self, context: Context) -> int:
        if not self._contexts or self._contexts[-1] is not context:
            if len(self._contexts) >= _BATCH:
                self._settle()
                self._flush()
            self._contexts.append(context)
        return len(self._contexts) - 1

    def _settle(self) -> None:
        """Keep the pairs that wait."""
        if not self._waiting:
            return
        urls, captions, *rest = zip(*self._waiting, strict=True)
        self._waiting = []
        texts = [one for pair in zip(urls, captions, strict=True) for one in pair]
        ends = np.cumsum([0, *map(len, texts)])
        rows = np.empty((len(urls), row.ROW_SIZE), np.int32)
        rows[:, row.URL_START], rows[:, row.URL_STOP] = ends[:-1:2], ends[1::2]
        rows[:, row.CAPTION_START], rows[:, row.CAPTION_STOP] = ends[1::2], ends[2::2]
        rows[:, row.SOURCE :] = np.array(rest, np.int32).T
        self._keep(np.frombuffer(b"".join(texts), np.uint8), rows)

    def _keep(self, text: Bytes, rows: Rows) -> None:
        text = text.view()
        text.flags.writeable = False  # or else the loop is compiled a second time, for those who may write
        if 2 * (self._kept + len(rows)) > len(self._slots):
            larger = np.zeros((4 * len(self._slots), 2), np.uint64)
            keeping.rehash(self._slots, larger)
            self._slots = larger
        count, size, self._kept = keeping.keep(
            text, rows, self._state, self._slots, self._working, self._message, self._keys, self._urls,
            self._captions, self._places,
        )  # fmt: skip
        if count >= _BATCH or size > _MOST_BYTES:
            self._flush()

    def _flush(self) -> None:
        """Turn what is in the buffers into a batch."""
        count, urls, captions = self._state[[keeping.ROWS, keeping.URL_BYTES, keeping.CAPTION_BYTES]].tolist()
        places = self._places[:count]
        columns = {
            "key": _strings(np.arange(1, count + 1) * keeping.KEY_DIGITS, self._keys[: count * keeping.KEY_DIGITS]),
            "url": _strings(places[:, keeping.URL_END], self._urls[:urls]),
            "caption": _strings(places[:, keeping.CAPTION_END], self._captions[:captions]),
            "caption_source": pa.array(SOURCES).take(pa.array(places[:, _SOURCE])),
            "width": _pixels(places[:, _WIDTH]),
            "height": _pixels(places[:, _HEIGHT]),
        }
        columns = _shared(self._contexts, places[:, _CONTEXT]) | columns
        self._batches.append(pa.RecordBatch.from_arrays([columns[name] for name in COLUMNS], schema=_SCHEMA))
        self._contexts = []
        self._state[[keeping.ROWS, keeping.URL_BYTES, keeping.CAPTION_BYTES]] = 0

    def table(self) -> pa.Table:
        """Return all that was kept, in the order in which it came, in the columns that a source can know."""
        self._settle()
        self._flush()
        return pa.Table.from_batches(self._batches, _SCHEMA)


def _strings(ends: npt.NDArray[Any], content: Bytes) -> pa.Array:
    """Return texts that lie one after the other, copied."""
    offsets = np.zeros(len(ends) + 1, np.int32)
    offsets[1:] = ends
    return pa.StringArray.from_buffers(len(ends), pa.py_buffer(offsets), pa.py_buffer(content.tobytes()))


def _pixels(values: Rows) -> pa.Array:
    return pa.array(values, pa.int32(), mask=values == NO_PIXELS)


def _shared(contexts: list[Context], rows: Rows) -> dict[str, pa.Array]:
    """Return the columns of the contexts that rows are in."""
    values = zip(*contexts, strict=True) if contexts else [()] * len(REST)
    columns = {name: pa.array(one, _SCHEMA.field(name).type) for name, one in zip(REST, values, strict=True)}
    return {name: _taken(column, rows) for name, column in columns.items()}


def _taken(column: pa.Array, rows: Rows) -> pa.Array:
    return pa.nulls(len(rows), column.type) if column.null_count == len(column) else column.take(pa.array(rows))
