"""An image of an API's answer, on its way to the candidates."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from witbuild.sources.candidates import Place
from witbuild.web import urls
from witbuild.web.caption import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.sources.candidates import Candidates


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """An image of an API's answer.

    Attributes:
        url: of the image, as answered.
        texts: (caption source, text, language or None).
        file: the question that found it, at the record's address where it has one.
        record: number of the record; None where it has none.
        columns: others of the table.
    """

    url: str
    texts: tuple[tuple[str, str, str | None], ...]
    file: str
    record: int | None = None
    columns: Mapping[str, object] = field(default_factory=dict)

    def add_to(self, out: Candidates) -> None:
        """Add each text of the image once, or count why there is none."""
        parsed = urls.parse(self.url)
        texts: dict[str, tuple[str, str, str | None]] = {}
        for source, text, language in self.texts:
            texts.setdefault(clean(text), (source, text, language))
        texts.pop("", None)
        if parsed is None or not texts:
            out.drop("no_caption" if parsed else "bad_url")
            return
        place = Place(self.file, self.record)
        for source, text, language in texts.values():
            out.add(parsed.href, text, caption_source=source, place=place, language=language, **self.columns)
