"""HTML to what it says about its images, without a tree: one compiled pass over the page's bytes.

It gives what `witbuild.web.html.read` gives, several times faster. A page on which the pass cannot be sure of that (a
set of frames, MathML that holds HTML) is read by that one.
"""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.web import elements, html, jsonld, opened, rights
from witbuild.web.caption import MAX_READ
from witbuild.web.charset import utf8
from witbuild.web.escapes import unescape
from witbuild.web.markup import BLANK
from witbuild.web.outline import outline
from witbuild.web.page import MAX_IMAGES, Image, Page, pixels
from witbuild.web.srcset import MAX_CANDIDATES

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    Attributes = dict[str, str | None]

_SRC, _ALT, _TITLE, _WIDTH, _HEIGHT = range(5)
"""Numbers of attributes in witbuild.web.elements.ATTRIBUTES; those above are other addresses of an image."""


_NESTED_PICTURES = 16
"""Pictures around a source that are looked at: they do not nest in sensible pages."""


class _Room(threading.local):
    """The arrays that a scan writes to, a set for each thread, as large as the largest page needed."""

    def __init__(self) -> None:
        self.state = np.zeros(opened.STATE_SIZE, np.int64)
        self.grow(1_024)

    def grow(self, events: int) -> None:
        self.events = np.empty((events, opened.COLUMNS), np.int32)
        self.values = np.empty((8 * events, 3), np.int32)


class _Scan(NamedTuple):
    """What a scan found: rows of `events` and `values`, end to end, the places of the events by kind, all images."""

    body: bytes
    events: list[int]
    values: list[int]
    kinds: dict[int, list[int]]
    images: int

    def text(self, start: int, stop: int) -> str:
        """Return a value as the page's author meant it."""
        return unescape(plain(self.body[start:stop]))

    def own(self, event: int) -> dict[int, str]:
        """Return the attributes of an event's tag that are read, by number."""
        values, text = self.values, self.text
        places = range(3 * self.events[event + opened.FIRST], 3 * self.events[event + opened.LAST], 3)
        return {values[place]: text(values[place + 1], values[place + 2]) for place in places}

    def attributes(self, event: int) -> Attributes:
        """Return them by name."""
        return {elements.ATTRIBUTES[number]: value for number, value in self.own(event).items()}

    def between(self, event: int) -> bytes:
        """Return what a script, or the caption of a figure, encloses; nothing where there is no caption."""
        start, stop = self.events[event + opened.START], self.events[event + opened.STOP]
        return self.body[start:stop] if start >= 0 else b""

    def tags(self, kind: int) -> Iterator[Attributes]:
        """Yield the attributes of every tag of a kind."""
        return (self.attributes(event) for event in self.kinds.get(kind, ()))


_room = _Room()


def read(body: bytes, content_type: str = "", headers: Iterable[tuple[str, str]] = ()) -> Page:
    """Return what an elements.HTML page says about its images.

    Args:
        body: of the page, decompressed.
        content_type: value of that header.
        headers: (name, value) of all headers, for the opt-outs among them.

    Raises:
        TooComplexError: a tree was needed and would take unreasonable time or memory.

    Example:
        >>> page = read(b"<html lang=en><img src=/a.jpg alt='a red square'>")
        >>> page.language, page.images[0].references, page.images[0].texts
        ('en', ('/a.jpg',), (('alt', 'a red square'),))
    """
    scan = _scan(utf8(body, content_type))
    return html.read(body, content_type, headers) if scan is None else _page(scan, headers)


def _scan(body: bytes) -> _Scan | None:
    """Pass over a page; None when the outcome is in doubt."""
    room = _room
    data = np.frombuffer(body, np.uint8)
    while outline(data, elements.KNOWN, BLANK, room.state, room.events, room.values) < len(body):
        room.grow(4 * len(room.events))
    state = room.state
    kinds: dict[int, list[int]] = {}
    if state[opened.DOUBT]:
        return None
    events, values = (
        room.events[: state[opened.EVENTS]].ravel().tolist(),
        room.values[: state[opened.VALUES]].ravel().tolist(),
    )
    for event in range(0, len(events), opened.COLUMNS):
        kinds.setdefault(events[event], []).append(event)
    return _Scan(body, events, values, kinds, int(state[opened.IMAGES]))


def _page(scan: _Scan, headers: Iterable[tuple[str, str]]) -> Page:
    metas = [
        (meta.get("property") or meta.get("name") or "", meta.get("content") or "") for meta in scan.tags(elements.META)
    ]
    scripts = [jsonld.images(plain(scan.between(event))) for event in scan.kinds.get(elements.SCRIPT, ())]
    around = _Around(scan)
    return Page(
        base=next(scan.tags(elements.BASE), {}).get("href") or "",
        language=_language(scan),
        licence=_licence(scan) or next((licence for _, licence in scripts if licence), None),
        opt_out=rights.opt_outs(metas, headers),
        images=[
            *(_image(scan, event, around) for event in scan.kinds.get(elements.IMG, ())),
            *html.og_images(metas),
            *(image for images, _ in scripts for image in images[:MAX_IMAGES]),
        ],
        skipped=max(0, scan.images - MAX_IMAGES),
    )


def _language(scan: _Scan) -> str | None:
    """Return the language of the first `<html>` that has one: later tags of that name add attributes to the first."""
    found: Attributes = {}
    for tag in scan.tags(elements.HTML):
        found = {**tag, **found}
    return html.language(found.get("lang") or found.get("xml:lang"))


def _licence(scan: _Scan) -> str | None:
    """Return the link that says it is a licence, or the first link to a Creative Commons one."""
    found = sorted([*scan.kinds.get(elements.A, ()), *scan.kinds.get(elements.LINK, ())])
    links = [(event, scan.attributes(event)) for event in found if scan.events[event + opened.LICENSING] == 1]
    named = (link for _, link in links if "license" in (link.get("rel") or "").lower().split() and "href" in link)
    href = (next(named, {}).get("href") or "").strip()
    if href:
        return href
    others = (link.get("href") or "" for event, link in links if scan.events[event] == elements.A)
    return next((link.strip() for link in others if rights.is_creative_commons(link)), None)


def _image(scan: _Scan, event: int, around: _Around) -> Image:
    link, figure, picture = scan.events[event + opened.LINKED : event + opened.PICTURED + 1]
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

    def __init__(self, scan: _Scan) -> None:
        self._scan = scan
        self._captions: dict[int, str] = {}
        self._sources: dict[int, list[Attributes]] | None = None
        self._budget = html.MAX_CAPTION_CHARACTERS

    def titles(self, link: int) -> list[tuple[str, str | None]]:
        """Return the title of a link, and of the links around its table cell."""
        found: list[tuple[str, str | None]] = []
        while link >= 0:
            found.append(("title", self._scan.own(opened.COLUMNS * link).get(_TITLE)))
            link = self._scan.events[opened.COLUMNS * link + opened.LINKED]
        return found

    def caption(self, figure: int) -> str:
        """Return the text of a figure's caption; empty when it has none."""
        if figure not in self._captions:
            text = _text(self._scan.between(opened.COLUMNS * figure)) if self._budget > 0 else ""
            self._budget -= len(text)
            self._captions[figure] = text[:MAX_READ]
        return self._captions[figure]

    def sources(self, picture: int) -> list[Attributes]:
        """Return the attributes of the sources in a picture, or else in the picture around it."""
        if self._sources is None:
            self._sources = {}
            for event in self._scan.kinds.get(elements.SOURCE, ()):
                attributes = self._scan.attributes(event)
                for one in self._pictures(self._scan.events[event + opened.PICTURED]):
                    found = self._sources.setdefault(one, [])
                    if len(found) < MAX_CANDIDATES:
                        found.append(attributes)
        return next((self._sources[one] for one in self._pictures(picture) if one in self._sources), [])

    def _pictures(self, picture: int) -> Iterator[int]:
        for _ in range(_NESTED_PICTURES):
            if picture < 0:
                return
            yield picture
            picture = self._scan.events[opened.COLUMNS * picture + opened.PICTURED]


def plain(value: bytes) -> str:
    """Return bytes of a page as text: line ends as the standard's input stream has them, no null characters."""
    text = value.decode()
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\0", "\N{REPLACEMENT CHARACTER}") if "\0" in text else text


def _text(fragment: bytes) -> str:
    """Return the text of a piece of a page."""
    from selectolax.lexbor import LexborHTMLParser

    if not fragment:
        return ""
    node = LexborHTMLParser("<!doctype html><body><figcaption>" + fragment.decode()).css_first("figcaption")
    return node.text(deep=True) if node else ""
