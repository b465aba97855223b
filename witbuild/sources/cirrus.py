"""Wikimedia's search index dumps, ``*-cirrussearch-content.json.gz``: the text of articles as readers see it.

Two lines of JSON an article, what Elasticsearch's bulk interface takes:

    {"index": {"_type": "page", "_id": "12"}}
    {"title": "Dog", "namespace": 0, "text": "The dog is ...", "redirect": [{"namespace": 0, "title": "Dogs"}], ...}

Templates are expanded and markup is gone; so are line ends, so that bigrams reach across them.
Fields: https://www.mediawiki.org/wiki/Extension:CirrusSearch/Schema.
"""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, NamedTuple

from witbuild.errors import InputError
from witbuild.sources.unpack import lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator


class Article(NamedTuple):
    """An article: its title, the titles of its redirects, its text in UTF-8."""

    title: str
    redirects: list[str]
    text: bytes


def read_articles(path: str, dropped: Counter[str]) -> Iterator[Article]:
    """Yield the articles of a dump.

    Args:
        path: of the file, compressed or not.
        dropped: is told how many are left out, by reason: other_namespace, empty_page, malformed_page.

    Raises:
        InputError: the file is truncated, corrupt, or its first line is not one of such a dump.
    """
    for number, line in enumerate(lines(path)):
        if number == 0 and not _is_action(line):
            raise InputError(
                f"{path}: line 1 is {line[:60]!r}, expected {{'index': ...}}; give a *-cirrussearch-content.json dump"
            )
        if number % 2:
            found = _article(line)
            if isinstance(found, Article):
                yield found
            else:
                dropped[found] += 1


def _is_action(line: bytes) -> bool:
    found = _parsed(line)
    return isinstance(found, dict) and "index" in found


def _parsed(line: bytes) -> Any:
    try:
        return json.loads(line)
    except (ValueError, RecursionError):
        return None


def _article(line: bytes) -> Article | str:
    """Return the article of a line, or why there is none."""
    found = _parsed(line)
    if not isinstance(found, dict):
        return "malformed_page"
    title, text = found.get("title"), found.get("text")
    if not (isinstance(title, str) and isinstance(text, str)):
        return "malformed_page"
    if found.get("namespace", 0) != 0:
        return "other_namespace"
    if not text.strip():
        return "empty_page"
    return Article(title, _redirects(found.get("redirect")), text.encode("utf-8", "replace"))


def _redirects(found: Any) -> list[str]:
    """Return the titles of the redirects among the articles."""
    rows = [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
    titles = [row.get("title") for row in rows if row.get("namespace", 0) == 0]
    return [title for title in titles if isinstance(title, str)]
