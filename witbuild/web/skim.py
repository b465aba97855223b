"""HTML to what it says about its images, without a tree: one compiled pass over the page's bytes.

It gives what `witbuild.web.html.read` gives, several times faster. A page on which the pass cannot be sure of that (a
set of frames, MathML that holds HTML) is read by that one.

    read(body) ── Page             as witbuild.web.html has it, an Image object for each image
    skim(body) ─┬ Page             of a page that is in doubt
                └ Skimmed ── pairs(base) ─┬ Found    pairs of many images, as arrays
                                          └ Image    of one that is not usual
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.web import elements, html, jsonld, opened, rights
from witbuild.web.caption import MAX_READ
from witbuild.web.charset import utf8
from witbuild.web.octets import in_utf8
from witbuild.web.page import MAX_IMAGES, Image, Page, pixels
from witbuild.web.paired import Found, pairs
from witbuild.web.resolve import Base
from witbuild.web.scanned import Scan, plain
from witbuild.web.srcset import MAX_CANDIDATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Attributes = dict[str, str | None]

_SRC, _ALT, _TITLE, _WIDTH, _HEIGHT = range(5)
"""Numbers of attributes in witbuild.web.elements.ATTRIBUTES; those above are other addresses of an image."""


_NESTED_PICTURES = 16
"""Pictures around a source that are looked at: they do not nest in sensible pages."""


def read(body: bytes, content_type: str = "", headers: Iterable[tuple[str, str]] = (), agent: str = "") -> Page:
    """Return what an elements.HTML page says about its images.

    Args:
        body: of the page, decompressed.
        content_type: value of that header.
        headers: (name, value) of all headers, for the opt-outs among them.
        agent: the crawler's product token, for what speaks to it by name.

    Raises:
        TooComplexError: a tree was needed and would take unreasonable time or memory.

    Example:
        >>> page = read(b"<html lang=en><img src=/a.jpg alt='a red square'>")
        >>> page.language, page.images[0].references, page.images[0].texts
        ('en', ('/a.jpg',), (('alt', 'a red square'),))
    """
    scan = Scan.of(utf8(body, content_type), agent)
    return html.read(body, content_type, headers, agent=agent) if scan is None else _page(scan, headers, agent)


def skim(
    body: bytes | memoryview, content_type: str = "", headers: Iterable[tuple[str, str]] = (), agent: str = ""
) -> Page | Skimmed:
    """Return the same for a reader that wants arrays of pairs and no objects; a Page where a tree was needed.

    Args:
        body: of the page, decompressed.
        content_type: value of that header.
        headers: (name, value) of those headers that may hold opt-outs.
        agent: the crawler's product token, for what speaks to it by name.

    Raises:
        TooComplexError: a tree was needed and would take unreasonable time or memory.

    Example:
        >>> page = skim(b"<img src=/a.jpg alt='a red square'><img src=/b.jpg>")
        >>> found, = page.pairs("http://a.test/")
        >>> found.texts(), found.losses
        ([('http://a.test/a.jpg', 'a red square')], {'no_caption': 1})
    """
    scan = Scan.of(in_utf8(body, content_type), agent)
    if scan is None:
        return html.read(bytes(body), content_type, headers, agent=agent)
    return Skimmed(_about(scan, headers, agent), scan)


@dataclass
class Skimmed:
    """A page and the images on it, which are paired when they are asked for.

    Attributes:
        page: what holds for all of them, and the images that no `<img>` shows.
        scan: the tags.
    """

    page: Page
    scan: Scan

    def pairs(self, base: str) -> Iterator[Found | Image]:
        """Yield the images of the page's `<img>`s in order: pairs of many, or one whose references are to be resolved.

        Args:
            base: absolute URL that references are relative to, as witbuild.web.urls writes it.
        """
        around = _Around(self.scan)
        known = Base.of(base)
        if known is None:
            yield from (_image(self.scan, event, around) for event in self.scan.pictures())
            return
        for one in pairs(self.scan, known):
            yield _image(self.scan, one, around) if isinstance(one, int) else one


def _page(scan: Scan, headers: Iterable[tuple[str, str]], agent: str) -> Page:
    page, around = _about(scan, headers, agent), _Around(scan)
    page.images = [*(_image(scan, event, around) for event in scan.pictures()), *page.images]
    return page


def _about(scan: Scan, headers: Iterable[tuple[str, str]], agent: str) -> Page:
    """Return a page with the images that no `<img>` shows."""
    tags = scan.tags(elements.META)
    metas = [(meta.get("property") or meta.get("name") or "", meta.get("content") or "") for meta in tags]
    scripts = [jsonld.images(plain(scan.between(event))) for event in scan.kinds.get(elements.SCRIPT, ())]
    return Page(
        base=next(scan.tags(elements.BASE), {}).get("href") or "",
        language=_language(scan),
        licence=_licence(scan) or next((licence for _, licence in scripts if licence), None),
        opt_out=rights.opt_outs(metas, headers, agent),
        images=[*html.og_images(metas), *(image for images, _ in scripts for image in images[:MAX_IMAGES])],
        skipped=max(0, scan.images - MAX_IMAGES),
    )


def _language(scan: Scan) -> str | None:
    """Return the language of the first `<html>` that has one: later tags of that name add attributes to the first."""
    if elements.HTML not in scan.kinds:
        return None
    found: Attributes = {}
    for tag in scan.tags(elements.HTML):
        found = {**tag, **found}
    return html.language(found.get("lang") or found.get("xml:lang"))


def _licence(scan: Scan) -> str | None:
    """Return the link that says it is a licence, or the first link to a Creative Commons one."""
    found = sorted([*scan.kinds.get(elements.A, ()), *scan.kinds.get(elements.LINK, ())])
    if not found:
        return None
    links = [(event, scan.attributes(event)) for event in found if scan.events[event, opened.LICENSING] == 1]
    named = (link for _, link in links if "license" in (link.get("rel") or "").lower().split() and "href" in link)
    href = (next(named, {}).get("href") or "").strip()
    if href:
        return href
    others = (link.get("href") or "" for event, link in links if scan.events[event, 0] == elements.A)
    return next((link.strip() for link in others if rights.is_creative_commons(link)), None)


def _image(scan: Scan, event: int, around: _Around) -> Image:
    link, figure, picture = scan.events[event, opened.LINKED : opened.PICTURED + 1].tolist()
    own = scan.own(event)
    texts = [("alt", own.get(_ALT)), ("title", own.get(_TITLE))]
    if link >= 0:
        texts += around.titles(link)
    if figure >= 0:
        texts.append(("figcaption", around.caption(figure)))
    if picture >= 0 or max(own, default=0) > _HEIGHT:
        named: Attributes = {elements.ATTRIBUTES[number]: value for number, value in own.items()}
        references = html.references(named, around.sources(picture) if picture >= 0 else ())
    else:
        source = own.get(_SRC, "").strip()
        references = (source,) if source else ()
    return Image(
        references=references,
        texts=tuple([(source, text) for source, text in texts if text and not text.isspace()]),
        width=pixels(own.get(_WIDTH)),
        height=pixels(own.get(_HEIGHT)),
    )


class _Around:
    """What stands around images: each figure and picture is read once, however many images it holds."""

    def __init__(self, scan: Scan) -> None:
        self._scan = scan
        self._captions: dict[int, str] = {}
        self._sources: dict[int, list[Attributes]] | None = None
        self._budget = html.MAX_CAPTION_CHARACTERS

    def titles(self, link: int) -> list[tuple[str, str | None]]:
        """Return the title of a link, and of the links around its table cell."""
        found: list[tuple[str, str | None]] = []
        while link >= 0:
            found.append(("title", self._scan.own(link).get(_TITLE)))
            link = int(self._scan.events[link, opened.LINKED])
        return found

    def caption(self, figure: int) -> str:
        """Return the text of a figure's caption; empty when it has none."""
        if figure not in self._captions:
            text = _text(self._scan.between(figure)) if self._budget > 0 else ""
            self._budget -= len(text)
            self._captions[figure] = text[:MAX_READ]
        return self._captions[figure]

    def sources(self, picture: int) -> list[Attributes]:
        """Return the attributes of the sources in a picture, or else in the picture around it."""
        if self._sources is None:
            self._sources = {}
            for event in self._scan.kinds.get(elements.SOURCE, ()):
                attributes = self._scan.attributes(event)
                for one in self._pictures(int(self._scan.events[event, opened.PICTURED])):
                    found = self._sources.setdefault(one, [])
                    if len(found) < MAX_CANDIDATES:
                        found.append(attributes)
        return next((self._sources[one] for one in self._pictures(picture) if one in self._sources), [])

    def _pictures(self, picture: int) -> Iterator[int]:
        for _ in range(_NESTED_PICTURES):
            if picture < 0:
                return
            yield picture
            picture = int(self._scan.events[picture, opened.PICTURED])


def _text(fragment: bytes) -> str:
    """Return the text of a piece of a page."""
    from selectolax.lexbor import LexborHTMLParser

    if not fragment:
        return ""
    node = LexborHTMLParser("<!doctype html><body><figcaption>" + fragment.decode()).css_first("figcaption")
    return node.text(deep=True) if node else ""
