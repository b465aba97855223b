"""Candidates of WAT records, most of which come in columns from one compiled pass a record.

    member ─ wat_rows.gather ┬ rows     taken as they are, once their keys are found to be new
                             ├ notes    metas, headers, licence links: what they say holds for all rows of the page
                             └ odd      nothing: the record is for `witbuild.web.wat`

Pairs that come one by one stand among them where they were found.
"""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np
import orjson
import pyarrow as pa

from witbuild.schema import PAIRS
from witbuild.sources import wat_rows as wr
from witbuild.sources.candidates import COLUMNS, Candidates, evidence
from witbuild.web import rights, warc_bytes, wat, wat_bytes
from witbuild.web.caption import clean

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

_KEY_BYTES = 16
_SHARED = ("source_file", "source_offset", "source_length", "licence", "opt_out")


class Gathered(Candidates):
    """The candidates of one task over WATs, in the order in which they were found.

    Args:
        limit: most pairs; None: all.
        agent: our crawler's product token: opt-outs that name it are ours too.
    """

    def __init__(self, limit: int | None = None, agent: str = "") -> None:
        super().__init__("wat", limit)
        self._agent = agent
        self._buffers = wr.Buffers.made()
        self._buffers.state[wat_bytes.AGENT] = wat_bytes.agent_number(agent)
        self._addresses = wr.addresses_of(self._buffers)
        self._shared: list[tuple[object, ...]] = []
        self._left_out: list[int] = []
        self._before: list[int] = []

    def member(self, content: bytes) -> int:
        """Add what a whole record says, or say by what other means it is to be read: `ODD` or `UNUSUAL`."""
        found: int = wr.gather(content, self._addresses)
        if found == wr.FULL and self._buffers.told[wr.ROWS]:
            self._batches.append(self._batch())
            found = wr.gather(content, self._addresses)
        if found == wr.TOLD:
            self._told(content)
        return wr.ODD if found == wr.FULL else found

    def block(self, content: bytes) -> bytes:
        """Return the JSON of the record that was found odd."""
        return content[self._buffers.told[wr.BLOCK] : -warc_bytes.END]

    def _told(self, content: bytes) -> None:
        """Add what holds for all rows of a page."""
        told, state = self._buffers.told.tolist(), self._buffers.state[: wat_bytes.LEAVES_SIZE].tolist()
        start, stop = state[2 * wat_bytes.FILENAME : 2 * wat_bytes.FILENAME + 2]
        offset, length = told[wr.OFFSET], told[wr.LENGTH]
        licence, opt_out = (
            self._noted(content, state[wat_bytes.NOTES], told) if state[wat_bytes.NOTES] else (None, None)
        )
        place = _file(content[start:stop]), offset if offset >= 0 else None, length if length >= 0 else None
        self._shared.append((*place, licence, opt_out))
        self._check_keys(told[wr.BEFORE], told[wr.ROWS])

    def _check_keys(self, before: int, after: int) -> None:
        """Leave out the rows whose pairs are known already, or are more than there may be."""
        octets = self._buffers.digests[before:after].tobytes()
        digests = [octets[start : start + _KEY_BYTES] for start in range(0, len(octets), _KEY_BYTES)]
        fresh = set(digests)
        if self._limit is None and len(fresh) == len(digests) and self._keys.isdisjoint(fresh):
            self._keys |= fresh
            return
        for row, digest in enumerate(digests, before):
            if digest in self._keys or self.full:
                self.drop("same_key" if digest in self._keys else "over_limit")
                self._left_out.append(row)
            else:
                self._keys.add(digest)

    def _noted(self, content: bytes, count: int, told: list[int]) -> tuple[str | None, str | None]:
        """Return licence evidence and opt-outs that the notes of a page tell of."""
        rows = self._buffers.notes[: count * wat_bytes.NOTE_SIZE].reshape(count, -1).tolist()
        notes = tuple((kind, content[start:stop], content[begin:end]) for kind, start, stop, begin, end in rows)
        licence, opt_out = _meant(notes, self._agent)
        base = self._buffers.base[: told[wr.BASE_END]].tobytes().decode() if licence else ""
        return evidence(base, licence), opt_out

    def _keep(self, row: tuple[object, ...]) -> None:
        self._before.append(int(self._buffers.told[wr.ROWS]))
        super()._keep(row)

    def _batch(self) -> pa.RecordBatch:
        told, before = self._buffers.told, np.array(self._before, np.int64)
        added, count = super()._batch(), int(told[wr.ROWS])
        for slot, reason in wr.REASONS.items():
            if told[slot]:
                self.drop(reason, int(told[slot]))
        rows = np.delete(np.arange(count), self._left_out)
        table = pa.Table.from_batches([_columns(self._buffers, count, self._shared), added])
        order = np.argsort(np.concatenate([2 * rows + 1, 2 * before]), kind="stable")
        chosen = np.concatenate([rows, np.arange(count, count + len(before))])[order]
        told[:] = 0
        self._shared, self._left_out, self._before = [], [], []
        whole = len(before) == 0 and len(rows) == count
        return _one_batch(table if whole else table.take(pa.array(chosen)))


def _columns(buffers: wr.Buffers, count: int, shared: list[tuple[object, ...]]) -> pa.RecordBatch:
    """Return the rows that were gathered, as the first columns of PAIRS."""
    schema = pa.schema([PAIRS.field(name) for name in COLUMNS])
    pages = pa.array(buffers.rows[wr.PAGE, :count])
    ends = buffers.rows[:, : count + 1]
    found = {
        "key": _strings(np.arange(0, 32 * count + 1, 32, dtype=np.int32), buffers.keys),
        "url": _strings(ends[wr.URL], buffers.urls),
        "caption": _strings(ends[wr.CAPTION], buffers.captions),
        "caption_source": pa.array(wr.SOURCES).take(pa.array(buffers.rows[wr.SOURCE, :count])),
        "page_url": _strings(buffers.page_ends[: len(shared) + 1], buffers.pages).take(pages),
        "source": pa.repeat(pa.scalar("wat"), count),
        "width": _known(buffers.rows[wr.WIDTH, :count]),
        "height": _known(buffers.rows[wr.HEIGHT, :count]),
    }
    for place, name in enumerate(_SHARED):
        found[name] = pa.array([one[place] for one in shared], schema.field(name).type).take(pages)
    arrays = [found[name] if name in found else pa.nulls(count, schema.field(name).type) for name in COLUMNS]
    return pa.RecordBatch.from_arrays(arrays, schema=schema)


def _strings(ends: npt.NDArray[np.int32], data: npt.NDArray[np.uint8]) -> pa.StringArray:
    """Return texts that lie one after the other; copied, because the buffers are filled again."""
    text = pa.py_buffer(data[: ends[-1]].tobytes())
    return pa.StringArray.from_buffers(len(ends) - 1, pa.py_buffer(ends.tobytes()), text)


def _known(values: npt.NDArray[np.int32]) -> pa.Int32Array:
    return pa.array(values, mask=values == 0)


def _one_batch(table: pa.Table) -> pa.RecordBatch:
    batches = table.combine_chunks().to_batches()
    return batches[0] if batches else pa.RecordBatch.from_arrays([[] for _ in COLUMNS], schema=table.schema)


@lru_cache(maxsize=64)
def _file(name: bytes) -> str | None:
    """Return the name of a WARC, which is the same for all pages of a WAT."""
    return clean(_said(name)) or None


@lru_cache(maxsize=4_096)
def _meant(notes: tuple[tuple[int, bytes, bytes], ...], agent: str) -> tuple[str | None, str | None]:
    """Return the licence and the opt-outs that notes tell of; most are the same on many pages."""
    metas = [(_said(name), _said(value)) for kind, name, value in notes if kind == wat_bytes.META]
    headers = {_said(name): _said(value) for kind, name, value in notes if kind == wat_bytes.HEADER}
    opt_outs = rights.opt_outs(metas, headers.items(), agent)
    return _licence(note for note in notes if note[0] >= wat_bytes.LICENCE), ",".join(opt_outs) or None


def _said(text: bytes) -> str:
    said: str = orjson.loads(b'"' + text + b'"') if b"\\" in text else text.decode()
    return said


def _licence(notes: Iterable[tuple[int, bytes, bytes]]) -> str | None:
    """Return what the links that may be licences say: those of the head come last."""
    links: list[dict[str, str]] = []
    head: list[dict[str, str]] = []
    for kind, one, url in notes:
        link = {"path" if kind == wat_bytes.COMMONS else "rel": _said(one), "url": _said(url)}
        (head if kind == wat_bytes.HEAD_LICENCE else links).append(link)
    return wat.licence([*links, *head]) if links or head else None
