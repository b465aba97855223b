"""What a page says about its images, whatever told it: HTML, a WAT record, a sitemap.

Page ── base, language, licence, opt_out, links
 └─ Image ── references (as written), texts (source, text), width, height, licence
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_IMAGES = 10_000
"""Images of one page that are read; the others are counted."""
_PIXELS = re.compile(r"\s*\+?([0-9]{1,9})(?:\.[0-9]*)?\s*(?:px)?\s*", re.IGNORECASE)


class Image(NamedTuple):
    """An image as a page shows it.

    Attributes:
        references: its addresses as written, the plain `src` first, then those that scripts or `srcset` would show.
        texts: (caption source, text as written) in the order of trust.
        width: declared pixels.
        height: declared pixels.
        licence: evidence for this image alone.
    """

    references: tuple[str, ...]
    texts: tuple[tuple[str, str], ...] = ()
    width: int | None = None
    height: int | None = None
    licence: str | None = None


@dataclass(slots=True, kw_only=True)
class Page:
    """A page's images and what holds for all of them.

    Attributes:
        base: the `<base href>` as written; empty when there is none.
        language: declared BCP 47 tag.
        licence: the page's licence evidence.
        opt_out: robots directives and rights reservations as found, sorted.
        links: `href` of the links and frames, as written, in document order; none where nobody asked for them or the
            page says not to follow.
        images: in document order, at most MAX_IMAGES.
        skipped: images beyond that.
    """

    base: str = ""
    language: str | None = None
    licence: str | None = None
    opt_out: tuple[str, ...] = ()
    links: tuple[str, ...] = ()
    images: list[Image] = field(default_factory=list)
    skipped: int = 0


def pixels(value: str | None) -> int | None:
    """Return a declared length in pixels; None for percentages, nonsense and zero.

    Example:
        >>> pixels("300"), pixels(" 300.5px"), pixels("50%"), pixels("0"), pixels(None)
        (300, 300, None, None, None)
    """
    if value and len(value) < 10 and value.isascii() and value.isdigit():
        return int(value) or None
    match = _PIXELS.fullmatch(value[:32]) if value else None
    return int(match[1]) or None if match else None
