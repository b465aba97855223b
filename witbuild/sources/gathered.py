"""Candidates of WAT records, most of which come in rows from one compiled pass a record.

    member ─ wat_rows.gather ┬ rows     kept in columns (witbuild.sources.columns)
                             ├ notes    metas, headers, licence links: what they say holds for all rows of the page
                             └ odd      nothing: the record is for `witbuild.web.wat`

Pairs that come one by one stand among them where they were found.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import orjson

from witbuild.sources import wat_buffers as wb
from witbuild.sources import wat_rows as wr
from witbuild.sources.candidates import LICENCE, REST, Place, evidence
from witbuild.sources.columns import MOST_ROWS
from witbuild.sources.paged import Paged
from witbuild.web import rights, warc_bytes, wat, wat_fields
from witbuild.web.caption import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

_PAGE_URL, _FILE, _OFFSET, _LENGTH, _OPT_OUT = (
    REST.index(name) for name in ("page_url", "source_file", "source_offset", "source_length", "opt_out")
)


class Gathered(Paged):
    """The candidates of one task over WATs, in the order in which they were found.

    Args:
        limit: most pairs; None: all.
        agent: our crawler's product token: opt-outs that name it are ours too.
    """

    def __init__(self, limit: int | None = None, agent: str = "") -> None:
        super().__init__("wat", limit)
        self._agent = agent
        self._buffers = wb.Buffers.made(agent)
        self._addresses = wb.addresses_of(self._buffers)
        self._unknown = self._rest(Place())
        self._contexts: list[list[object]] = []

    @property
    def full(self) -> bool:
        """Say whether the limit is reached, so that nothing more need be read."""
        if self._limit is None:
            return False
        self._settle()
        return super().full

    def member(self, content: bytes) -> int:
        """Add what a whole record says, or say by what other means it is to be read: `ODD` or `UNUSUAL`."""
        found: int = wr.gather(content, self._addresses)
        if found == wr.TOLD:
            self._told(content)
        return found

    def block(self, content: bytes) -> bytes:
        """Return the JSON of the record that was found odd."""
        return content[self._buffers.told[wb.BLOCK] : -warc_bytes.END]

    def _told(self, content: bytes) -> None:
        """Add what the rows of a page have in common."""
        told, state = self._buffers.told.tolist(), self._buffers.state[: wat_fields.LEAVES_SIZE].tolist()
        start, stop = state[2 * wat_fields.FILENAME : 2 * wat_fields.FILENAME + 2]
        offset, length = told[wb.OFFSET], told[wb.LENGTH]
        context = self._unknown.copy()
        context[_PAGE_URL], context[_FILE] = (
            self._buffers.page[: told[wb.PAGE_END]].tobytes().decode(),
            _file(content[start:stop]),
        )
        context[_OFFSET], context[_LENGTH] = offset if offset >= 0 else None, length if length >= 0 else None
        if state[wat_fields.NOTES]:
            context[LICENCE], context[_OPT_OUT] = self._noted(content, state[wat_fields.NOTES], told[wb.BASE_END])
        self._contexts.append(context)
        if told[wb.ROWS] >= wb.MANY_ROWS or told[wb.TEXT] >= wb.MANY_TEXT_BYTES:
            self._settle()

    def _settle(self) -> None:
        """Keep the rows that are in the buffers."""
        told, buffers = self._buffers.told, self._buffers
        count = int(told[wb.ROWS])
        for first in range(0, count, MOST_ROWS):
            rows = buffers.rows[first : min(first + MOST_ROWS, count)]
            self._columns.extend_each(buffers.text, rows, self._contexts)
        told[[wb.PAGES, wb.ROWS, wb.TEXT]] = 0
        self._contexts = []

    def _add(self, url: str, caption: str, caption_source: str, rest: list[object]) -> None:
        self._settle()
        super()._add(url, caption, caption_source, rest)

    def _noted(self, content: bytes, count: int, base_end: int) -> tuple[str | None, str | None]:
        """Return licence evidence and opt-outs that the notes of a page tell of."""
        rows = self._buffers.notes[: count * wat_fields.NOTE_SIZE].reshape(count, -1).tolist()
        notes = tuple((kind, content[start:stop], content[begin:end]) for kind, start, stop, begin, end in rows)
        licence, opt_out = _meant(notes, self._agent)
        base = self._buffers.base[:base_end].tobytes().decode() if licence else ""
        return evidence(base, licence), opt_out

    def table(self) -> pa.Table:
        """Return the pairs in the schema PAIRS; what was lost of them is counted then."""
        self._settle()
        told = self._buffers.told
        for slot, reason in wb.REASONS.items():
            if told[slot]:
                self.drop(reason, int(told[slot]))
                told[slot] = 0
        return super().table()


@lru_cache(maxsize=64)
def _file(name: bytes) -> str | None:
    """Return the name of a WARC, which is the same for all pages of a WAT."""
    return clean(_said(name)) or None


@lru_cache(maxsize=4_096)
def _meant(notes: tuple[tuple[int, bytes, bytes], ...], agent: str) -> tuple[str | None, str | None]:
    """Return the licence and the opt-outs that notes tell of; most are the same on many pages."""
    metas = [(_said(name), _said(value)) for kind, name, value in notes if kind == wat_fields.META]
    headers = {_said(name): _said(value) for kind, name, value in notes if kind == wat_fields.HEADER}
    opt_outs = rights.opt_outs(metas, headers.items(), agent)
    return _licence(note for note in notes if note[0] >= wat_fields.LICENCE), ",".join(opt_outs) or None


def _said(text: bytes) -> str:
    said: str = orjson.loads(b'"' + text + b'"') if b"\\" in text else text.decode()
    return said


def _licence(notes: Iterable[tuple[int, bytes, bytes]]) -> str | None:
    """Return what the links that may be licences say: those of the head come last."""
    links: list[dict[str, str]] = []
    head: list[dict[str, str]] = []
    for kind, one, url in notes:
        name = "path" if kind in (wat_fields.COMMONS, wat_fields.HEAD_COMMONS) else "rel"
        (head if kind >= wat_fields.HEAD_LICENCE else links).append({name: _said(one), "url": _said(url)})
    return wat.licence([*links, *head]) if links or head else None
