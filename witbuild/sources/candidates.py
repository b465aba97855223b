"""Candidates: what every source fills, cleaned, resolved, each key once, every loss counted by reason.

reason              an image or row was dropped because
no_caption          it has no text
no_url              it has no address
data_url            its only address is a data: URL
bad_url             its address means no http or https URL
bad_encoding        its text holds bytes that are not in the page's encoding
same_key            the same URL and caption came before it in this task
too_many_images     the page has more than 10,000 images, or a domain's sitemaps more than 100,000
over_limit          the task had as many pairs as it may give
caption_cut         nothing: its text was longer than 2,000 characters, of which the pair keeps the first
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.schema import PAIRS
from witbuild.text.keys import pair_digest
from witbuild.web import urls
from witbuild.web.caption import REPLACEMENT, clean, cleaned

if TYPE_CHECKING:
    from collections.abc import Iterable

    import pyarrow as pa

    from witbuild.web.page import Image, Page

COLUMNS = tuple(PAIRS.names[: PAIRS.names.index("query_ids")])
"""What a source can know."""
REST = COLUMNS[COLUMNS.index("caption_source") + 1 :]
"""Those after a pair's own texts."""
LICENCE, WIDTH, HEIGHT = (REST.index(name) for name in ("licence", "width", "height"))
_BATCH = 65_536
_MAX_EVIDENCE = 1_000
"""Characters of licence evidence that are kept."""


@dataclass(frozen=True, slots=True)
class Place:
    """Where a page or row was found.

    Attributes:
        file: archive, list or API.
        offset: byte of the record, or number of the row.
        length: bytes of the record.
    """

    file: str | None = None
    offset: int | None = None
    length: int | None = None


class Candidates:
    """The candidates of one task, in the order in which they were found.

    Args:
        source: the kind, as the table calls it.
        limit: most pairs; None: all.
    """

    def __init__(self, source: str, limit: int | None = None) -> None:
        self.dropped: Counter[str] = Counter()
        self._source = source
        self._limit = limit
        self._keys: set[bytes] = set()
        self._rows: list[tuple[object, ...]] = []
        self._batches: list[pa.RecordBatch] = []

    @property
    def full(self) -> bool:
        """Say whether the limit is reached, so that nothing more need be read."""
        return self._limit is not None and len(self._keys) >= self._limit

    def drop(self, reason: str, rows: int = 1) -> None:
        """Count what was lost."""
        self.dropped[reason] += rows

    def page(self, page: Page, url: str, place: Place) -> None:
        """Add what a page says about its images.

        Args:
            page: as read.
            url: of the page, absolute.
            place: of its record.
        """
        self._images(page.images, *self._about(page, url, place))

    def _about(self, page: Page, url: str, place: Place) -> tuple[str, list[object], str | None]:
        """Return what references on a page are relative to, what its pairs have in common, and its licence."""
        base = urls.resolve(url, page.base) or url if page.base.strip() else url
        shared = self._rest(place, page_url=url, opt_out=",".join(page.opt_out) or None, page_language=page.language)
        if page.skipped:
            self.drop("too_many_images", page.skipped)
        return base, shared, evidence(base, page.licence)

    def image(self, image: Image, url: str) -> None:
        """Add an image that a page has, as something else than the page itself says.

        Args:
            image: with absolute addresses.
            url: of the page.
        """
        self._images([image], url, self._rest(Place(), page_url=url), None)

    def _images(self, images: Iterable[Image], base: str, shared: list[object], licence: str | None) -> None:
        """Add each text of the images once; that one says a text twice is no loss."""
        resolve = urls.Base(base).resolve
        for image in images:
            found = [url for reference in image.references if (url := resolve(reference))]
            if not found:
                self.drop(_why(image.references))
                continue
            captions = self._captions(image)
            if not captions:
                self.drop("no_caption")
                continue
            rest = shared.copy()
            rest[LICENCE] = evidence(base, image.licence) if image.licence else licence
            rest[WIDTH], rest[HEIGHT] = image.width, image.height
            for url in dict.fromkeys(found) if len(found) > 1 else found:
                for caption, source in captions.items():
                    self._add(url, caption, source, rest)

    def _captions(self, image: Image) -> dict[str, str]:
        """Return the captions of an image -> where each was found first."""
        captions: dict[str, str] = {}
        for source, text in image.texts:
            caption, cut = cleaned(text)
            if caption and captions.setdefault(caption, source) == source and cut:
                self.drop("caption_cut")
        return captions

    def add(self, url: str, text: str, *, caption_source: str, place: Place, **columns: object) -> None:
        """Add a pair, or count why not.

        Args:
            url: of the image, absolute, resolved.
            text: as found.
            caption_source: as the table calls it.
            place: where it was found.
            columns: others of the table.
        """
        caption, cut = cleaned(text)
        if cut:
            self.drop("caption_cut")
        if caption:
            self._add(url, caption, caption_source, self._rest(place, **columns))
        else:
            self.drop("no_caption")

    def _rest(self, place: Place, **columns: object) -> list[object]:
        """Return the columns of a row that come after its URL and caption."""
        columns |= {
            "source": self._source,
            "source_file": place.file,
            "source_offset": place.offset,
            "source_length": place.length,
        }
        return [columns.get(name) for name in REST]

    def _add(self, url: str, caption: str, caption_source: str, rest: list[object]) -> None:
        digest = pair_digest(url, caption)
        if REPLACEMENT in caption:
            self.drop("bad_encoding")
        elif digest in self._keys:
            self.drop("same_key")
        elif self.full:
            self.drop("over_limit")
        else:
            self._keys.add(digest)
            self._keep((digest.hex(), url, caption, caption_source, *rest))

    def _keep(self, row: tuple[object, ...]) -> None:
        self._rows.append(row)
        if len(self._rows) >= _BATCH:
            self._batches.append(self._batch())

    def _batch(self) -> pa.RecordBatch:
        """Return the rows since the last batch."""
        import pyarrow as pa

        schema = pa.schema([PAIRS.field(name) for name in COLUMNS])
        columns = zip(*self._rows, strict=True) if self._rows else [[] for _ in COLUMNS]
        arrays = [pa.array(values, field.type) for values, field in zip(columns, schema, strict=True)]
        self._rows = []
        return pa.RecordBatch.from_arrays(arrays, schema=schema)

    def table(self) -> pa.Table:
        """Return the pairs in the schema PAIRS."""
        import pyarrow as pa

        from witbuild.io import tables

        self._batches.append(self._batch())
        return tables.conform(pa.Table.from_batches(self._batches), PAIRS)


def _why(references: tuple[str, ...]) -> str:
    """Say why none of an image's addresses is one."""
    if not references:
        return "no_url"
    return "data_url" if any(one[:5].lower() == "data:" for one in references) else "bad_url"


def evidence(base: str, licence: str | None) -> str | None:
    """Return licence evidence as an absolute URL where it is one, else as found, cleaned."""
    if not licence:
        return None
    found = urls.resolve(base, licence) if "/" in licence else None
    return (found or clean(licence))[:_MAX_EVIDENCE] or None
