"""Common Crawl's WAT files: images, links and metadata of pages, already read, a fifth of the bytes of the WARC."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import islice
from typing import IO, TYPE_CHECKING, ClassVar, cast

from witbuild.sources.archives import Archives
from witbuild.sources.base import named
from witbuild.sources.candidates import Candidates, Place
from witbuild.web import urls, wat
from witbuild.web.caption import clean

if TYPE_CHECKING:
    from witbuild.sources.gathered import Gathered
    from witbuild.web.members import Member
    from witbuild.web.warc import Record

_OK = frozenset({200, 203})
_JSON = "application/json"


@dataclass(frozen=True, kw_only=True)
class Wat(Archives):
    """Pages in WAT files; a pair's place is the page's own record in its WARC, as the WAT names it."""

    kind: ClassVar[str] = "wat"

    def candidates(self, limit: int | None) -> Gathered:
        """Return what takes most records whole."""
        from witbuild.sources.gathered import Gathered

        return Gathered(limit, self.agent)

    def archive(self, stream: IO[bytes], path: str, out: Candidates) -> None:
        """Read an archive by its gzip members as far as each is one record, and what is left record by record."""
        from witbuild.sources.wat_rows import ODD, UNUSUAL
        from witbuild.web.members import members
        from witbuild.web.warc import records

        gathered, last, position = cast("Gathered", out), 0, 0
        for member in members(stream):
            if gathered.full:
                return
            found = gathered.member(member.content)
            if found == UNUSUAL:
                break
            if found == ODD:
                self._odd(member, path, gathered)
            last, position = member.offset, member.offset + member.length
        if position < stream.seek(0, 2):
            # From the last good record on, so that what follows it is judged as in an archive, not as its beginning.
            self.all(islice(records(stream, last), int(position > 0), None), path, out)

    def _odd(self, member: Member, path: str, out: Gathered) -> None:
        """Read a record whose JSON is for a parser."""
        from witbuild.web.warc import Record

        block = out.block(member.content)
        self.read(Record("metadata", "", _JSON, block, member.offset, member.length), path, out)

    def read(self, record: Record, path: str, out: Candidates) -> None:
        """Add what a record tells about a page's images."""
        if record.kind != "metadata" or "json" not in record.content_type:
            return
        try:
            told = wat.read(record.block, self.agent)
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
