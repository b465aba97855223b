"""Common Crawl's WAT files: images, links and metadata of pages, already read, a fifth of the bytes of the WARC."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from witbuild.sources.archives import Archives
from witbuild.sources.base import named
from witbuild.sources.candidates import Candidates, Place
from witbuild.web import urls, wat
from witbuild.web.caption import clean

if TYPE_CHECKING:
    from witbuild.web.warc import Record

_OK = frozenset({200, 203})


@dataclass(frozen=True, kw_only=True)
class Wat(Archives):
    """Pages in WAT files; a pair's place is the page's own record in its WARC, as the WAT names it."""

    kind: ClassVar[str] = "wat"

    def read(self, record: Record, path: str, out: Candidates) -> None:
        """Add what a record tells about a page's images."""
        if record.kind != "metadata" or "json" not in record.content_type:
            return
        try:
            told = wat.read(record.block)
        except ValueError:
            out.drop("bad_record")
            return
        if told is None or told.status not in _OK:
            return
        parsed = urls.parse(told.url)
        if parsed is None:
            out.drop("bad_page_url")
            return
        archive = clean(told.warc or "")
        place = (
            Place(archive, told.offset, told.length) if archive else Place(named(path), record.offset, record.length)
        )
        out.page(told.page, parsed.href, place)
