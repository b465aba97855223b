"""HTML to what it says about its images, by the HTML standard's own tree (lexbor).

An image's addresses are its `src`, what a lazy loader would put there (`data-src`, ...), and the largest candidate of
its `srcset` and of the `<source>`s of its `<picture>`. Its texts are its `alt`, its `title`, the title of the link
around it and the `<figcaption>` of its figure. Beside `<img>`: `og:image` with its text, and JSON-LD ImageObjects.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from witbuild.web import cost, jsonld, rights, srcset
from witbuild.web.caption import MAX_READ
from witbuild.web.charset import decode
from witbuild.web.page import MAX_IMAGES, Image, Page, pixels

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from selectolax.lexbor import LexborHTMLParser, LexborNode

LAZY = ("data-src", "data-original", "data-lazy-src", "data-lazy", "data-original-src", "data-hi-res-src", "data-image")
LAZY_SETS = ("srcset", "data-srcset", "data-lazy-srcset")
_ANCESTORS = 64
"""Elements above an image that are looked at for its figure, link and picture: pages nest without end."""
MAX_CAPTION_CHARACTERS = 10_000_000
"""Text of all figure captions of a page that is read: figures nest, and each holds the text of those in it."""
_LANGUAGE = re.compile(r"[A-Za-z]{2,3}(?:[-_][A-Za-z0-9]{1,8}){0,4}")
Attributes = dict[str, str | None]


class TooComplexError(ValueError):
    """A page that a parser would not get through in sensible time or memory."""


def read(
    body: bytes,
    content_type: str = "",
    headers: Iterable[tuple[str, str]] = (),
    *,
    links: bool = False,
    agent: str = "",
) -> Page:
    """Return what an HTML page says about its images.

    Args:
        body: of the page, decompressed.
        content_type: value of that header.
        headers: (name, value) of all headers, for the opt-outs among them.
        links: read them too, for a crawl.
        agent: the crawler's product token, for what speaks to it by name.

    Raises:
        TooComplexError: parsing would take unreasonable time or memory.

    Example:
        >>> page = read(b"<html lang=en><img src=/a.jpg alt='a red square'>")
        >>> page.language, page.images[0].references, page.images[0].texts
        ('en', ('/a.jpg',), (('alt', 'a red square'),))
    """
    from selectolax.lexbor import LexborHTMLParser

    if cost.steps(body) > cost.MAX_STEPS:
        raise TooComplexError("nested too deep, or too many attributes, to be parsed in sensible time")
    tree = LexborHTMLParser(decode(body, content_type))
    metas = _metas(tree)
    scripts = [jsonld.images(node.text(deep=True)) for node in tree.css('script[type="application/ld+json" i]')]
    nodes = tree.css("img")
    surroundings = _Surroundings()
    return Page(
        base=_base(tree),
        language=_language(tree),
        licence=_licence(tree) or next((licence for _, licence in scripts if licence), None),
        opt_out=rights.opt_outs(metas, headers, agent),
        links=_links(tree) if links and rights.follows(metas, agent) else (),
        images=[
            *(_image(node, surroundings) for node in nodes[:MAX_IMAGES]),
            *og_images(metas),
            *(image for images, _ in scripts for image in images[:MAX_IMAGES]),
        ],
        skipped=max(0, len(nodes) - MAX_IMAGES),
    )


def _metas(tree: LexborHTMLParser) -> list[tuple[str, str]]:
    found = (node.attributes for node in tree.css("meta[content]"))
    return [(meta.get("property") or meta.get("name") or "", meta.get("content") or "") for meta in found]


def _base(tree: LexborHTMLParser) -> str:
    node = tree.css_first("base[href]")
    return (node.attributes.get("href") or "") if node else ""


def _language(tree: LexborHTMLParser) -> str | None:
    node = tree.css_first("html")
    return language(node.attributes.get("lang") or node.attributes.get("xml:lang")) if node else None


def language(tag: str | None) -> str | None:
    """Return a declared language tag when it looks like one (BCP 47), with hyphens.

    Example:
        >>> language("en_US"), language("English, mostly"), language(None)
        ('en-US', None, None)
    """
    match = _LANGUAGE.fullmatch(tag.strip()[:64]) if tag else None
    return match[0].replace("_", "-") if match else None


def _licence(tree: LexborHTMLParser) -> str | None:
    """Return the link that says it is a licence, or the first link to a Creative Commons one."""
    node = tree.css_first("a[rel~=license i][href], link[rel~=license i][href], area[rel~=license i][href]")
    if node and (href := (node.attributes.get("href") or "").strip()):
        return href
    links = (node.attributes.get("href") or "" for node in tree.css('a[href*="creativecommons.org/"]'))
    return next((link.strip() for link in links if rights.is_creative_commons(link)), None)


def _links(tree: LexborHTMLParser) -> tuple[str, ...]:
    nodes = tree.css("a[href], area[href], frame[src], iframe[src]")
    found = (node.attributes.get("href") or node.attributes.get("src") or "" for node in nodes)
    return tuple(link for link in found if link)


def og_images(metas: Iterable[tuple[str, str]]) -> Iterator[Image]:
    """Yield the Open Graph images (ogp.me) that have a text: their own alt text, or else the page's `og:title`.

    Args:
        metas: (property, content) in document order; properties of an image follow it.

    Example:
        >>> [image.texts for image in og_images([("og:image", "a.jpg"), ("og:image:alt", "a square")])]
        [(('og', 'a square'),)]
    """
    images: list[dict[str, str]] = []
    title = ""
    for name, content in metas:
        key = name.strip().lower()
        if key in ("og:image", "og:image:url") and not (images and images[-1].get("") == content):
            images.append({"": content})
        elif key.startswith("og:image:") and images:
            images[-1].setdefault(key[9:], content)
        elif key == "og:title":
            title = title or content
    for image in images[:MAX_IMAGES]:
        text = image.get("alt", "").strip() or title
        if image[""].strip() and text.strip():
            width, height = pixels(image.get("width")), pixels(image.get("height"))
            yield Image(references=(image[""].strip(),), texts=(("og", text),), width=width, height=height)


def _image(node: LexborNode, surroundings: _Surroundings) -> Image:
    own = node.attributes
    sources, around = surroundings.of(node)
    texts = [("alt", own.get("alt") or ""), ("title", own.get("title") or ""), *around]
    return Image(
        references=references(own, sources),
        texts=tuple((source, text) for source, text in texts if text and not text.isspace()),
        width=pixels(own.get("width")),
        height=pixels(own.get("height")),
    )


def references(image: Attributes, sources: Iterable[Attributes] = ()) -> tuple[str, ...]:
    """Return an image's addresses as written: `src`, a lazy loader's, the largest of its `srcset`s.

    Args:
        image: attributes of the `<img>`.
        sources: attributes of the `<source>`s of its `<picture>`.

    Example:
        >>> references({"src": "s.jpg", "data-src": "l.jpg", "srcset": "s.jpg 1x, b.jpg 2x"})
        ('s.jpg', 'l.jpg', 'b.jpg')
    """
    lazy = next((image[name] for name in LAZY if image.get(name)), None)
    sets = (value for element in (image, *sources) for name in LAZY_SETS if (value := element.get(name)))
    found = (image.get("src"), lazy, srcset.largest(*sets))
    return tuple(dict.fromkeys(reference.strip() for reference in found if reference and reference.strip()))


class _Surroundings:
    """What stands around images: each figure and picture is read once, however many images it holds."""

    def __init__(self) -> None:
        self._captions: dict[int, str] = {}
        self._sources: dict[int, list[Attributes]] = {}
        self._budget = MAX_CAPTION_CHARACTERS

    def of(self, node: LexborNode) -> tuple[list[Attributes], list[tuple[str, str]]]:
        """Return the sources of the picture around an image, and the texts of the link and the figure around it."""
        sources: list[Attributes] = []
        titles: list[tuple[str, str]] = []
        captions: list[tuple[str, str]] = []
        above = node.parent
        for _ in range(_ANCESTORS):
            if above is None:
                break
            if above.tag == "picture" and not sources:
                sources = self._of_picture(above)
            elif above.tag == "a":
                titles.append(("title", above.attributes.get("title") or ""))
            elif above.tag == "figure" and not captions:
                captions.append(("figcaption", self._of_figure(above)))
            above = above.parent
        return sources, [*titles, *captions]

    def _of_picture(self, picture: LexborNode) -> list[Attributes]:
        if picture.mem_id not in self._sources:
            nodes = picture.css("source")[: srcset.MAX_CANDIDATES]
            self._sources[picture.mem_id] = [node.attributes for node in nodes]
        return self._sources[picture.mem_id]

    def _of_figure(self, figure: LexborNode) -> str:
        if figure.mem_id not in self._captions:
            node = figure.css_first("figcaption") if self._budget > 0 else None
            text = node.text(deep=True) if node else ""
            self._budget -= len(text)
            self._captions[figure.mem_id] = text[:MAX_READ]
        return self._captions[figure.mem_id]
