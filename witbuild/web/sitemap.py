"""Sitemaps (sitemaps.org, with the image extension) to pages, further sitemaps and images.

    <urlset><url><loc/> <image:image><image:loc/> <image:caption/> <image:title/> <image:license/></image:image></url>
    <sitemapindex><sitemap><loc/>
    or a text file of one URL a line

A broken sitemap gives what stands before the break.
"""

from __future__ import annotations

import re
import xml.parsers.expat
from dataclasses import dataclass, field

from witbuild.web import encodings
from witbuild.web.page import MAX_IMAGES, Image
from witbuild.web.reasons import FetchError

MAX_BYTES = 50_000_000
"""The protocol's bound, after decompression."""
MAX_URLS = 50_000
"""The protocol's bound on the pages of a sitemap, and on the sitemaps of an index."""
_TEXT_LINE = re.compile(r"https?://\S+", re.IGNORECASE)
_MAX_DEPTH = 16
_MAX_TEXT = 8_192
_TEXTS = (("caption", "sitemap"), ("title", "sitemap"))


@dataclass(slots=True)
class Sitemap:
    """What a sitemap names, as written.

    Attributes:
        pages: in order.
        sitemaps: further ones, of an index.
        images: (page, image with a text) in order.
        size: bytes, unpacked.
    """

    pages: list[str] = field(default_factory=list)
    sitemaps: list[str] = field(default_factory=list)
    images: list[tuple[str, Image]] = field(default_factory=list)
    size: int = 0


def read(body: bytes) -> Sitemap:
    """Return what a sitemap names, packed by gzip or not; an empty one when it is none.

    Example:
        >>> read(b"<urlset><url><loc> http://a.test/ </loc></url></urlset>").pages
        ['http://a.test/']
    """
    if body.startswith(b"\x1f\x8b"):
        try:
            body = encodings.decode(body, "gzip", MAX_BYTES)
        except FetchError:
            return Sitemap()
    if b"<" not in body[:1_024]:
        lines = (line.strip() for line in body.decode("utf-8-sig", "replace").splitlines())
        return Sitemap(pages=[line for line in lines if _TEXT_LINE.fullmatch(line)][:MAX_URLS], size=len(body))
    reader = _Reader(len(body))
    reader.feed(body[:MAX_BYTES])
    return reader.found


class _BreakError(Exception):
    """What follows is not read."""


class _Reader:
    """Reads XML as a stream, without entities of its own, so that nothing in it can unfold."""

    def __init__(self, size: int) -> None:
        self.found = Sitemap(size=size)
        self._path: list[str] = []
        self._text: list[str] = []
        self._image: dict[str, str] = {}
        self._images: list[dict[str, str]] = []
        self._page = ""
        self._parser = xml.parsers.expat.ParserCreate(namespace_separator=" ")
        self._parser.StartDoctypeDeclHandler = self._refuse
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._text.append

    def feed(self, body: bytes) -> None:
        try:
            self._parser.Parse(body, True)  # noqa: FBT003
        except (xml.parsers.expat.ExpatError, _BreakError, LookupError, ValueError):
            return

    def _refuse(self, *_: object) -> None:
        raise _BreakError

    def _start(self, name: str, attributes: dict[str, str]) -> None:
        self._path.append(name.rpartition(" ")[2].lower())
        self._text.clear()
        if len(self._path) > _MAX_DEPTH or max(len(self.found.pages), len(self.found.sitemaps)) >= MAX_URLS:
            raise _BreakError

    def _end(self, name: str) -> None:
        text = "".join(self._text)[:_MAX_TEXT].strip()
        self._text.clear()
        element = self._path.pop()
        parent = self._path[-1] if self._path else ""
        if parent == "image":
            self._image.setdefault(element, text)
        elif element == "image":
            if len(self._images) < MAX_IMAGES:
                self._images.append(self._image)
            self._image = {}
        elif element == "loc" and parent == "sitemap":
            self.found.sitemaps.append(text)
        elif element == "loc" and parent == "url":
            self._page = text
        elif element == "url":
            self._close_page()

    def _close_page(self) -> None:
        if self._page:
            self.found.pages.append(self._page)
        images = map(_image, self._images)
        self.found.images += [(self._page, image) for image in images if image.references and image.texts]
        self._page, self._images = "", []


def _image(values: dict[str, str]) -> Image:
    reference = values.get("loc", "")
    return Image(
        references=(reference,) if reference else (),
        texts=tuple((source, text) for name, source in _TEXTS if (text := values.get(name))),
        licence=values.get("license") or None,
    )
