"""The texts of a Wikipedia, whichever of three kinds of file they come in: plain texts and redirects, in batches.

dump      *-pages-articles*.xml.bz2, wikitext, which is cleaned here; read in ranges of bytes
cirrus    *-cirrussearch-content.json.gz, text as readers see it
parquet   text that others have cleaned, columns text and title, as on Hugging Face; read in ranges of row groups
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple

from witbuild.io import store

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterable, Iterator

    from witbuild.sources.wikipedia import Page
    from witbuild.text.wikitext import Pages

Kind = Literal["dump", "cirrus", "parquet"]

RANGE_BYTES: Final = 1 << 26
"""Compressed bytes that are read as one range; a dump of one bzip2 stream is one range anyway."""
BATCH_BYTES: Final = 1 << 22
"""Text that is cleaned and counted in one call."""

_REDIRECT_BYTES: Final = 200  # of memory
_JSON: Final = re.compile(r"\.json(?:\.\w+)?$")


class Batch(NamedTuple):
    """Plain texts, each ending in a line break, and redirects: (title, title of the article) pairs."""

    texts: Pages
    redirects: list[tuple[str, str]]


class Range(NamedTuple):
    """A part of a file that is read by itself: bytes of a dump, row groups of a parquet file."""

    path: str
    kind: Kind
    start: int
    stop: int


def kind_of(path: str) -> Kind:
    """Return what kind of file a name promises.

    Example:
        >>> [kind_of(name) for name in ("a.parquet", "enwiki-cirrussearch-content.json.gz", "enwiki.xml.bz2")]
        ['parquet', 'cirrus', 'dump']
    """
    if path.endswith(".parquet"):
        return "parquet"
    return "cirrus" if _JSON.search(path) else "dump"


def ranges(path: str) -> Iterator[Range]:
    """Yield the ranges of a file, in order."""
    kind = kind_of(path)
    if kind == "parquet":
        yield from (Range(path, kind, start, stop) for start, stop in _row_group_ranges(path))
        return
    size = store.size(path) if kind == "dump" and path.endswith(".bz2") else 0
    for start in range(0, max(size, 1), RANGE_BYTES):
        yield Range(path, kind, start, start + RANGE_BYTES)


def _row_group_ranges(path: str) -> Iterator[tuple[int, int]]:
    from witbuild.sources.plain import group_bytes

    start, size, sizes = 0, 0, group_bytes(path)
    for group, octets in enumerate(sizes):
        size += octets
        if size >= RANGE_BYTES or group == len(sizes) - 1:
            yield start, group + 1
            start, size = group + 1, 0


def read(part: Range, dropped: Counter[str]) -> Iterator[Batch]:
    """Yield the texts of a range; `dropped` is told what is left out, by reason.

    Raises:
        InputError: the file is truncated, corrupt or of another kind; names the file and the place.
    """
    readers = {"dump": _read_dump, "cirrus": _read_cirrus, "parquet": _read_parquet}
    return readers[part.kind](part, dropped)


def _read_dump(part: Range, dropped: Counter[str]) -> Iterator[Batch]:
    from witbuild.sources.wikipedia import read_header, read_pages
    from witbuild.text.wikitext import media_names, pack, plain_texts

    media = media_names(read_header(part.path).media)
    for documents in _batches(_of_page(page) for page in read_pages(part.path, dropped, part.start, part.stop)):
        yield Batch(plain_texts(pack(documents.texts), media), documents.redirects)


def _read_cirrus(part: Range, dropped: Counter[str]) -> Iterator[Batch]:
    from witbuild.sources.cirrus import read_articles

    articles = read_articles(part.path, dropped)
    return _plain((found.text, [(name, found.title) for name in found.redirects]) for found in articles)


def _read_parquet(part: Range, dropped: Counter[str]) -> Iterator[Batch]:
    from witbuild.sources.plain import read_texts

    return _plain((text, []) for text in read_texts(part.path, part.start, part.stop, dropped))


Document = tuple[bytes, list[tuple[str, str]]]
"""A text, empty where there is only a redirect, and redirects."""


class _Documents(NamedTuple):
    texts: list[bytes]
    redirects: list[tuple[str, str]]


def _of_page(page: Page) -> Document:
    return (b"", [(page.title, page.redirect)]) if page.redirect else (page.text, [])


def _plain(documents: Iterable[Document]) -> Iterator[Batch]:
    """Yield documents whose text is plain."""
    from witbuild.text.wikitext import pack

    for texts, redirects in _batches(documents):
        yield Batch(pack(text + b"\n" for text in texts), redirects)


def _batches(documents: Iterable[Document]) -> Iterator[_Documents]:
    """Yield documents, some megabytes at a time."""
    held, size = _Documents([], []), 0
    for text, redirects in documents:
        if text:
            held.texts.append(text)
        held.redirects.extend(redirects)
        size += len(text) + _REDIRECT_BYTES * len(redirects)
        if size >= BATCH_BYTES:
            yield held
            held, size = _Documents([], []), 0
    if size:
        yield held
