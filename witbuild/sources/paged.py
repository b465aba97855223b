"""Candidates of pages that were skimmed: pairs come in arrays and are kept in columns, without an object for any.

They are those that `witbuild.sources.candidates` would make of the same pages read into objects.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from witbuild.io import tables
from witbuild.schema import PAIRS
from witbuild.sources.candidates import HEIGHT, LICENCE, WIDTH, Candidates, Place
from witbuild.sources.columns import Columns
from witbuild.web.page import Image

if TYPE_CHECKING:
    import pyarrow as pa

    from witbuild.web.skim import Skimmed


class Paged(Candidates):
    """The candidates of one task over pages, in the order in which they were found.

    Args:
        source: the kind, as the table calls it.
        limit: most pairs; None: all.
    """

    def __init__(self, source: str, limit: int | None = None) -> None:
        super().__init__(source, limit)
        self._columns = Columns(limit)

    @property
    def full(self) -> bool:
        """Say whether the limit is reached, so that nothing more need be read."""
        return self._columns.is_full()

    def skimmed(self, skimmed: Skimmed, url: str, place: Place) -> None:
        """Add what a page that was skimmed says about its images.

        Args:
            skimmed: as read.
            url: of the page, absolute.
            place: of its record.
        """
        base, shared, licence = self._about(skimmed.page, url, place)
        context = shared.copy()
        context[LICENCE] = licence
        for found in skimmed.pairs(base):
            if isinstance(found, Image):
                self._images([found], base, shared, licence)
            else:
                self._columns.extend(found.text, found.rows, context)
                self.dropped.update(found.losses)
        if skimmed.page.images:
            self._images(skimmed.page.images, base, shared, licence)

    def _add(self, url: str, caption: str, caption_source: str, rest: list[object]) -> None:
        context = rest.copy()
        context[WIDTH] = context[HEIGHT] = None
        self._columns.add(url, caption, caption_source, context, (rest[WIDTH], rest[HEIGHT]))  # type: ignore[arg-type]

    def table(self) -> pa.Table:
        """Return the pairs in the schema PAIRS; what was lost of them is counted then."""
        table = self._columns.table()
        self.dropped.update(self._columns.losses())
        return tables.conform(table, PAIRS)
