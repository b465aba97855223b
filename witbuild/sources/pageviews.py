"""Wikimedia's page view files, hourly, daily and monthly, of one wiki: which title was looked at how often.

    hourly            en.m Ice_cream 7 0                           domain, title, views, bytes
    daily, monthly    en.wikipedia Ice_cream 14 mobile-web 7 A7    wiki, title, page, access, views, per hour or day

Formats: https://dumps.wikimedia.org/other/pageviews/readme.html and .../other/pageview_complete/readme.html.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final, Literal, NamedTuple
from urllib.parse import unquote_to_bytes

from witbuild.sources.unpack import lines

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Collection, Iterable, Iterator

Access = Literal["desktop", "mobile", "app"]
"""How a page was looked at."""

NAMESPACES: Final = (
    "media", "special", "talk", "user", "user talk", "wikipedia", "wikipedia talk", "project", "project talk", "wp",
    "file", "file talk", "image", "image talk", "mediawiki", "mediawiki talk", "template", "template talk", "help",
    "help talk", "category", "category talk", "portal", "portal talk", "book", "book talk", "draft", "draft talk",
    "education program", "education program talk", "timedtext", "timedtext talk", "module", "module talk", "gadget",
    "gadget talk", "gadget definition", "gadget definition talk", "topic", "wt",
)  # fmt: skip
"""Names before a colon that no article has, in lower case; every wiki knows the English ones beside its own."""

_PROJECTS: Final = {"wikipedia": "", "wiktionary": ".d", "wikibooks": ".b", "wikinews": ".n", "wikiquote": ".q"}
_ACCESS: Final[dict[str, Access]] = {"desktop": "desktop", "mobile-web": "mobile", "mobile-app": "app"}
_NOT_IN_TITLES: Final = re.compile(r"[#<>\[\]|{}\x00-\x1f\x7f\ufffd]")


class Views(NamedTuple):
    """A line of a file: the title as it stands there, and how often it was looked at."""

    title: bytes
    views: int


def read_views(path: str, project: str, access: Collection[Access], dropped: Counter[str]) -> Iterator[Views]:
    """Yield the lines of a file that are about one wiki and one of the ways of access.

    Args:
        path: of the file, compressed or not.
        project: the wiki as daily files name it: `en.wikipedia`.
        access: which to take; hourly files count apps with `mobile`.
        dropped: is told how many lines about the wiki are malformed.

    Raises:
        InputError: the file is truncated or corrupt.
    """
    domains = hourly_domains(project, access)
    wiki, prefix = project.encode(), project.split(".", 1)[0].encode()
    for line in lines(path):
        if not line.startswith(prefix):
            continue
        fields = line.split(b" ")
        if fields[0] != wiki and fields[0] not in domains:
            continue
        found = _daily(fields, access) if fields[0] == wiki else _hourly(fields, domains)
        if found is None:
            dropped["malformed_line"] += 1
        elif found.views:
            yield found


def hourly_domains(project: str, access: Collection[Access]) -> dict[bytes, bool]:
    """Return the domain codes of a wiki in hourly files, and whether each is asked for.

    Example:
        >>> hourly_domains("en.wikipedia", ["desktop"]), hourly_domains("fr.wiktionary", ["mobile"])
        ({b'en': True, b'en.m': False}, {b'fr.d': False, b'fr.m.d': True})
    """
    language, _, name = project.partition(".")
    suffix = _PROJECTS.get(name, f".{name}")
    return {
        f"{language}{suffix}".encode(): "desktop" in access,
        f"{language}.m{suffix}".encode(): "mobile" in access,
    }


def _hourly(fields: list[bytes], domains: dict[bytes, bool]) -> Views | None:
    if len(fields) != 4 or not fields[2].isdigit():
        return None
    return Views(fields[1], int(fields[2]) if domains[fields[0]] else 0)


def _daily(fields: list[bytes], access: Collection[Access]) -> Views | None:
    kind = _ACCESS.get(fields[-3].decode("ascii", "replace")) if len(fields) in {5, 6} else None
    if kind is None or not fields[-2].isdigit():
        return None
    return Views(fields[1], int(fields[-2]) if kind in access else 0)


def article(title: bytes, namespaces: Collection[str]) -> tuple[str, str]:
    """Return the name of the article that a title of a file means, or an empty string and why it means none.

    Example:
        >>> names = frozenset(NAMESPACES)
        >>> [article(title, names) for title in (b"Ice_cream", b"Caf%C3%A9", b"Talk:Dog", b"-", b"Main_Page")]
        [('Ice cream', ''), ('Café', ''), ('', 'other_namespace'), ('', 'no_title'), ('', 'main_page')]
    """
    name = unquote_to_bytes(title).decode("utf-8", "replace").replace("_", " ").strip()
    if name in {"", "-"} or _NOT_IN_TITLES.search(name):
        return "", "no_title"
    if name == "Main Page":
        return "", "main_page"
    before, colon, _ = name.partition(":")
    if colon and before.strip().lower() in namespaces:
        return "", "other_namespace"
    return name[0].upper() + name[1:], ""


def namespace_names(local: Iterable[str]) -> frozenset[str]:
    """Return the names of namespaces, English and local, in lower case."""
    return frozenset((*NAMESPACES, *(name.lower() for name in local if name)))
