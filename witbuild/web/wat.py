"""WAT records: what Common Crawl already read from a page, as JSON (commoncrawl.org, "WAT format").

Container  Filename, Offset, Gzip-Metadata.Deflate-Length      the page's own record in its WARC
Envelope   WARC-Header-Metadata                                WARC-Type, WARC-Target-URI
           Payload-Metadata.HTTP-Response-Metadata             Headers, Response-Message.Status
             HTML-Metadata    Head (Base, Metas, Link), Links [{path: "IMG@/src", url, alt, title}]
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from witbuild.web import html, rights
from witbuild.web.links import without_others
from witbuild.web.page import MAX_IMAGES, Image, Page, pixels

if TYPE_CHECKING:
    from collections.abc import Iterator

_LEADS = frozenset({"og", "ro", "td", "co"})
"""How the names of meta tags begin that say something here: `og:...`, `robots`, `tdm-...`, `content-...`."""
_MARKS = (b"IMG@", b"og:image", b"OG:", b"Og:", b"oG:", b"\\u")
"""What stands in the record of every page with an image; the last is how JSON may write any of the others."""


@dataclass(frozen=True, slots=True, kw_only=True)
class WatRecord:
    """A page as its WAT record tells it.

    Attributes:
        url: of the page, as written.
        status: of its answer.
        page: what it says about its images.
        warc: name of the WARC file that holds the page.
        offset: of the page's record there.
        length: of that record, packed.
    """

    url: str
    status: int
    page: Page
    warc: str | None
    offset: int | None
    length: int | None


def read(block: bytes, agent: str = "") -> WatRecord | None:
    """Return the page that a WAT record tells of; None when it tells of none, or of none with images.

    Args:
        block: of the record.
        agent: our crawler's product token: opt-outs that name it are ours too.

    Raises:
        ValueError: the record is no JSON, or nested deeper than any WAT is.
    """
    if _tells_nothing(block):
        return None
    envelope = _parsed(block)
    header = _at(envelope, "Envelope", "WARC-Header-Metadata")
    answer = _at(envelope, "Envelope", "Payload-Metadata", "HTTP-Response-Metadata")
    told = answer.get("HTML-Metadata")
    if header.get("WARC-Type") != "response" or not isinstance(told, dict):
        return None
    container = _at(envelope, "Container")
    return WatRecord(
        url=_text(header.get("WARC-Target-URI")),
        status=_number(_at(answer, "Response-Message").get("Status")) or 0,
        page=_page(told, _pairs(answer.get("Headers")), agent),
        warc=_text(container.get("Filename")) or None,
        offset=_number(container.get("Offset")),
        length=_number(_at(container, "Gzip-Metadata").get("Deflate-Length")),
    )


def _tells_nothing(block: bytes) -> bool:
    """Say whether a record that looks whole lacks what every page with an image has; most records do."""
    if not block.lstrip().startswith(b"{") or not block.rstrip().endswith(b"}"):
        return False
    return b"HTML-Metadata" not in block or not any(mark in block for mark in _MARKS)


def _parsed(block: bytes) -> Any:
    import orjson

    try:
        return orjson.loads(without_others(block))
    except orjson.JSONDecodeError:  # among them what the lenient parser takes: lone surrogates, NaN
        pass
    try:
        return json.loads(block)
    except RecursionError as error:
        raise ValueError("nested too deep") from error


def _page(told: dict[str, Any], headers: list[tuple[str, str]], agent: str) -> Page:
    head = _at(told, "Head")
    named = ((_text(meta.get("property")) or _text(meta.get("name")), meta) for meta in _dicts(head.get("Metas")))
    leads = _LEADS | {agent[:2].lower()}
    spoken = ((name, meta) for name, meta in named if name.strip()[:2].lower() in leads and "content" in meta)
    metas = [(name, _text(meta["content"])) for name, meta in spoken]
    links = _dicts(told.get("Links"))
    images = [link for link in links if link.get("path") == "IMG@/src"]
    return Page(
        base=_text(head.get("Base")),
        licence=licence([*links, *_dicts(head.get("Link"))]),
        opt_out=rights.opt_outs(metas, headers, agent),
        images=[*map(_image, images[:MAX_IMAGES]), *html.og_images(metas)],
        skipped=max(0, len(images) - MAX_IMAGES),
    )


def _image(link: dict[str, Any]) -> Image:
    reference = _text(link.get("url")).strip()
    texts = []
    for name in ("alt", "title"):
        text = link.get(name)
        if text and isinstance(text, str) and not text.isspace():
            texts.append((name, text))
    width, height = link.get("width"), link.get("height")
    return Image(
        references=(reference,) if reference else (),
        texts=tuple(texts),
        width=pixels(_text(width)) if width else None,
        height=pixels(_text(height)) if height else None,
    )


def licence(links: list[dict[str, Any]]) -> str | None:
    """Return the first link that says it is a licence, or else the first to a Creative Commons one.

    Example:
        >>> licence([{"path": "A@/href", "url": "/"}, {"path": "A@/href", "url": "/terms", "rel": "License"}])
        '/terms'
    """
    named = (_text(link.get("url")) for link in links if "rel" in link and _is_licence(link["rel"]))
    found = next((url.strip() for url in named if url.strip()), None)
    urls = (_text(link.get("url")) for link in links if link.get("path") == "A@/href")
    return found or next((url.strip() for url in urls if rights.is_creative_commons(url)), None)


def _is_licence(rel: Any) -> bool:
    return "license" in _text(rel).lower().split()


def _at(value: Any, *names: str) -> dict[str, Any]:
    """Return the object at a path; an empty one when there is none."""
    for name in names:
        value = value.get(name) if isinstance(value, dict) else None
    return value if isinstance(value, dict) else {}


def _dicts(value: Any) -> list[dict[str, Any]]:
    return [one for one in value if isinstance(one, dict)] if isinstance(value, list) else []


def _pairs(value: Any) -> list[tuple[str, str]]:
    """Return (name, value) of the headers that speak of rights; values are texts or lists of them."""
    return list(_flat(value)) if isinstance(value, dict) else []


def _flat(headers: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, value in headers.items():
        if not rights.is_spoken(name):
            continue
        for one in value if isinstance(value, list) else [value]:
            yield name, _text(one)


def _text(value: Any) -> str:
    return value if isinstance(value, str) else ""


def _number(value: Any) -> int | None:
    """Return a number that may be written as a text of up to 15 digits."""
    text = str(value) if isinstance(value, int) and not isinstance(value, bool) else _text(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) <= 15 else None
