"""MediaWiki's XML dumps, page by page: https://www.mediawiki.org/wiki/Help:Export.

MediaWiki writes a page in one fixed way, so pages are cut out by their tags and nothing is parsed twice. What it
never writes is refused: a document type (and so every entity but XML's own five), another root. A page that is not
as it should be is left out and counted; only an end before ``</mediawiki>`` stops the reading.
"""

from __future__ import annotations

import html
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from witbuild.errors import InputError
from witbuild.sources.unpack import chunks

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from witbuild.sources.unpack import Chunk

MAX_HEADER_BYTES: Final = 1 << 20
MAX_PAGE_BYTES: Final = 1 << 26
"""Longest page in XML; an article of Wikipedia holds 2 MB at most, and no page here has more than one revision."""

_PAGE, _PAGE_END, _ROOT_END = b"<page>", b"</page>", b"</mediawiki>"
_ROOT: Final = re.compile(rb"<mediawiki[^>]*\sxmlns=\"http://www\.mediawiki\.org/xml/export-0\.\d+/\"")
_DOCTYPE: Final = re.compile(rb"<!(?:DOCTYPE|ENTITY)", re.IGNORECASE)
_TITLE = re.compile(rb"<title>([^<]+)</title>")
_NAMESPACE = re.compile(rb"<ns>(-?\d+)</ns>")
_REDIRECT = re.compile(rb'<redirect title="([^"]+)"\s*/>')
_MODEL = re.compile(rb"<model>([^<]*)</model>")
_LOCAL_NAME = re.compile(rb'<namespace key="(-?\d+)"[^>]*>([^<]*)</namespace>')
_NUMBER = re.compile(rb"&#(x[0-9A-Fa-f]{1,6}|[0-9]{1,7});")
_MEDIA_KEYS = (-2, 6, 14)


class Page(NamedTuple):
    """A page: its title, the title that it redirects to or an empty string, its wikitext in UTF-8."""

    title: str
    redirect: str
    text: bytes


class Header(NamedTuple):
    """What a dump says of its wiki: the name of each namespace by its number."""

    namespaces: dict[int, str]

    @property
    def media(self) -> list[str]:
        """Names of the namespaces whose links show nothing of the text: media, files, categories."""
        return [self.namespaces[key] for key in _MEDIA_KEYS if key in self.namespaces]


def read_header(path: str) -> Header:
    """Return what stands before the first page of a dump.

    Raises:
        InputError: it is not the beginning of a dump.
    """
    found = b""
    for chunk in chunks(path):
        found += chunk.data
        end = found.find(_PAGE)
        if end >= 0 or len(found) > MAX_HEADER_BYTES:
            break
    end = found.find(_PAGE)
    return _header(found if end < 0 else found[:end], path)


def _header(head: bytes, path: str) -> Header:
    entity = _DOCTYPE.search(head)
    if entity:
        raise InputError(
            f"{path}: byte {entity.start()} of the XML: found {entity[0].decode()}; no dump has a document type, "
            "and entities are not expanded"
        )
    if not _ROOT.search(head[:MAX_HEADER_BYTES]):
        shown = head.lstrip()[:60].decode("utf-8", "replace")
        raise InputError(
            f"{path}: found {shown!r}, expected <mediawiki> in the namespace "
            "http://www.mediawiki.org/xml/export-0.*/; give a *-pages-articles*.xml dump"
        )
    return Header({int(key): _unescaped(name).decode() for key, name in _LOCAL_NAME.findall(head)})


def read_pages(path: str, dropped: Counter[str], start: int = 0, stop: int | None = None) -> Iterator[Page]:
    """Yield the articles and redirects that begin in a range of a dump's bytes.

    Args:
        path: of the dump, compressed or not.
        dropped: is told how many pages are left out, by reason: other_namespace, other_model, empty_page,
            malformed_page, invalid_utf8.
        start: first byte of the range; a page belongs to the range in which its bzip2 stream starts.
        stop: byte after the last, or none for the end of the file.

    Raises:
        InputError: the file is truncated, corrupt or not a dump; names the file and the byte.
    """
    for raw in _raw_pages(path, start, stop):
        page = _page(raw, dropped)
        if page is not None:
            yield page


def _raw_pages(path: str, start: int, stop: int | None) -> Iterator[bytes]:
    """Yield what stands between ``<page>`` and ``</page>``."""
    cutter = _Cutter(path, at_start=start == 0)
    for chunk in chunks(path, start, stop):
        if not chunk.own and not cutter.rest:
            return
        yield from cutter.feed(chunk)
    cutter.end()


class _Cutter:
    """Cuts pages out of chunks; `rest` is the beginning of a page, or of a tag, that the next chunk goes on with.

    A header may reach beyond the range: what of it is the range's own is told by `_own`.
    """

    def __init__(self, path: str, *, at_start: bool) -> None:
        self.rest = b""
        self._path, self._in_header = path, at_start
        self._searched = self._offset = self._own = 0
        self._seen = self._closed = False

    def feed(self, chunk: Chunk) -> Iterator[bytes]:
        """Yield the pages that a chunk completes."""
        self._seen, self._offset = self._seen or (chunk.own and b"<" in chunk.data), chunk.offset
        text = self.rest + chunk.data
        if chunk.own:
            self._own = len(text)
        if self._in_header:
            if _PAGE not in text and len(text) < MAX_HEADER_BYTES:
                self.rest = text
                return
            _header(text.split(_PAGE, 1)[0], self._path)
            self._in_header = False
        yield from self._pages(text, self._own)
        self._own = len(self.rest)
        if len(self.rest) > MAX_PAGE_BYTES:
            raise self._error(f"no </page> within {MAX_PAGE_BYTES:,} bytes")

    def _pages(self, text: bytes, own: int) -> Iterator[bytes]:
        """Yield whole pages; those that start after the first `own` bytes belong to another range."""
        place = 0
        while 0 <= (begin := text.find(_PAGE, place)) < own:
            end = text.find(_PAGE_END, begin + self._searched)
            self._closed = False
            if end < 0:
                self.rest, self._searched = text[begin:], max(len(text) - begin - len(_PAGE_END), 0)
                return
            yield text[begin + len(_PAGE) : end]
            place, self._searched = end + len(_PAGE_END), 0
        self._searched = 0
        self._closed = self._closed or _ROOT_END in text[place:]
        tag = text.rfind(b"<", max(place, len(text) - len(_ROOT_END) + 1, 0))
        self.rest = text[tag:] if 0 <= tag < own else b""

    def end(self) -> None:
        """Hold the end of the file to what it should be."""
        if self._in_header:
            _header(self.rest, self._path)
            self._closed = _ROOT_END in self.rest
        if (self._seen or self._in_header) and not self._closed:
            raise self._error("the file ends before </mediawiki>; it is truncated: fetch it again")

    def _error(self, problem: str) -> InputError:
        return InputError(f"{self._path}: in the stream at byte {self._offset}: {problem}")


def _page(raw: bytes, dropped: Counter[str]) -> Page | None:
    """Return a page, or none when it is left out, which is counted."""
    start = raw.rfind(b"<text")
    head, text = raw[: max(start, 0)], _text(raw, start)
    title = _TITLE.search(head)
    if title is None or text is None or _PAGE in raw:
        dropped["malformed_page"] += 1
        return None
    reason = _unwanted(head)
    if reason:
        dropped[reason] += 1
        return None
    return _article(title[1], _REDIRECT.search(head), text, dropped)


def _unwanted(head: bytes) -> str:
    """Return why a page is left out, from what stands before its text; an empty string when it is not."""
    namespace, model = _NAMESPACE.search(head), _MODEL.search(head)
    if namespace is not None and namespace[1] != b"0":
        return "other_namespace"
    return "other_model" if model is not None and model[1] != b"wikitext" else ""


def _article(title: bytes, redirect: re.Match[bytes] | None, text: bytes, dropped: Counter[str]) -> Page | None:
    try:
        name = _unescaped(title).decode()
        target = _unescaped(redirect[1]).decode() if redirect else ""
        text.decode()
    except UnicodeDecodeError:
        dropped["invalid_utf8"] += 1
        return None
    if not text.strip() and not target:
        dropped["empty_page"] += 1
        return None
    return Page(name, target, _unescaped(text))


def _text(raw: bytes, start: int) -> bytes | None:
    """Return the escaped text of the element that starts there, or none when it is not as it should be."""
    opened = raw.find(b">", start)
    if start < 0 or opened < 0:
        return None
    if raw[opened - 1 : opened] == b"/":
        return b""
    end = raw.find(b"<", opened)
    return raw[opened + 1 : end] if raw.startswith(b"</text>", end) else None


def _unescaped(text: bytes) -> bytes:
    """Undo XML's escapes."""
    if b"&" not in text:
        return text
    text = text.replace(b"&lt;", b"<").replace(b"&gt;", b">").replace(b"&quot;", b'"').replace(b"&apos;", b"'")
    if b"&#" in text:
        text = _NUMBER.sub(_character, text)
    return text.replace(b"&amp;", b"&")


def _character(found: re.Match[bytes]) -> bytes:
    return html.unescape(found[0].decode()).encode("utf-8", "replace")
