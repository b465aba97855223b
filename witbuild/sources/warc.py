"""WARC and ARC archives: the pages themselves, so everything that their HTML says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from witbuild.sources.archives import Archives
from witbuild.sources.base import named
from witbuild.sources.candidates import Place
from witbuild.web import html, http, urls
from witbuild.web.page import Page
from witbuild.web.reasons import FetchError

if TYPE_CHECKING:
    from witbuild.sources.candidates import Candidates
    from witbuild.sources.paged import Paged
    from witbuild.web.warc import Record

MAX_PAGE_BYTES = 32_000_000
"""Of a page without its codings; larger ones are refused."""
_OK = frozenset({200, 203})


@dataclass(frozen=True, kw_only=True)
class Warc(Archives):
    """Pages in WARC and ARC files, plain or packed by gzip, zstandard or LZ4."""

    kind: ClassVar[str] = "warc"

    def candidates(self, limit: int | None) -> Paged:
        """Return what takes pages that were skimmed."""
        from witbuild.sources.paged import Paged

        return Paged(self.kind, limit)

    def read(self, record: Record, path: str, out: Candidates) -> None:
        """Add what a record's page says about its images; whatever is no page is passed over."""
        from witbuild.sources.paged import Paged
        from witbuild.web import skim

        answer = answered(record)
        if answer is None or answer.status not in _OK or not answer.is_html:
            return
        parsed = urls.parse(record.url)
        if parsed is None:
            out.drop("bad_page_url")
            return
        try:
            page = skim.skim(answer.view(MAX_PAGE_BYTES), answer.header("content-type"), answer.headers, self.agent)
        except FetchError as error:
            out.drop("bad_page_encoding" if error.reason == "bad_encoding" else "page_too_large")
        except html.TooComplexError:
            out.drop("page_too_complex")
        else:
            place = Place(named(path), record.offset, record.length)
            if isinstance(page, Page):
                out.page(page, parsed.href, place)
            elif isinstance(out, Paged):
                out.skimmed(page, parsed.href, place)


def answered(record: Record) -> http.Answer | None:
    """Return the answer that a record holds; a `resource` holds its body alone."""
    if record.kind == "resource":
        return http.Answer(200, (("Content-Type", record.content_type),), record.block)
    return http.parse(record.content) if record.kind == "response" else None
