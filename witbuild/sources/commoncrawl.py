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
    from collections.abc import Iterable

    from witbuild.sources.gathered import Gathered
    from witbuild.web.warc import Damage, Record
    from witbuild.web.whole import Again

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

    def archive(self, stream: IO[bytes], path: str, out: Candidates, begin: int = 0) -> None:
        """Read an archive by its gzip members where each is one record, and what lies between such record by record."""
        from witbuild.web.warc import records
        from witbuild.web.whole import Again

        again, last, position, end = Again(stream), begin, begin, stream.seek(0, 2)
        while not out.full:
            start = position
            last, position = self._members(stream, path, cast("Gathered", out), (last, position))
            again.went(position - start)
            if out.full or position >= end:
                return
            # From the last good record on, so that what follows it is judged as in an archive, not as its beginning.
            found = self._odd(islice(records(stream, last), int(position > begin), None), again, path, out)
            if found is None:
                return
            last, position = found

    def _odd(
        self, found: Iterable[Record | Damage], again: Again, path: str, out: Candidates
    ) -> tuple[int, int] | None:
        """Read record by record, up to one behind which members can be read; return where it begins and ends."""
        for record in found:
            if out.full:
                return None
            self.one(record, path, out)
            if again.after(record):
                _, _, _, _, offset, length = cast("Record", record)
                return cast("int", offset), cast("int", offset) + cast("int", length)
        return None

    def _members(self, stream: IO[bytes], path: str, gathered: Gathered, place: tuple[int, int]) -> tuple[int, int]:
        """Read members up to the first that is unusual; return where the last good record begins and ends."""
        from witbuild.sources.wat_rows import NOTHING, ODD, UNUSUAL
        from witbuild.web.members import members
        from witbuild.web.warc import Record

        last, position = place
        stream.seek(position)
        for offset, length, content in members(stream):
            found = gathered.member(content)
            if found == UNUSUAL:
                break
            last, position = offset, offset + length
            if found == NOTHING:
                continue
            if found == ODD:
                self.read(Record("metadata", "", _JSON, gathered.block(content), offset, length), path, gathered)
            if gathered.full:
                break
        return last, position

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
