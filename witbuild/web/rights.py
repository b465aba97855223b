"""Evidence of licences and opt-outs, as pages and servers write it; nothing here decides what it means."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from witbuild.web import usage

if TYPE_CHECKING:
    from collections.abc import Iterable

OPT_OUTS = frozenset({"noai", "noimageai", "noimageindex", "noindex", "none", "noml", "notrain"})
"""Robots directives that say no to an image or to training; the rest of them is about other things."""
_CREATIVE_COMMONS = re.compile(
    r"^(?:https?:)?//(?:www\.)?creativecommons\.org/(?:licen[sc]es|publicdomain)/[a-z][^\s]*$", re.IGNORECASE
)
_AGENT = re.compile(r"\s*(?!max-|unavailable_after)(\*|[a-z0-9_\-]+)\s*:(.*)", re.DOTALL)
_LINK = re.compile(r"<([^<>]*)>([^<>]*)")
_LICENCE = re.compile(r";\s*rel\s*=\s*[\"']?[^\"';,]*\blicense\b", re.IGNORECASE)
_MAX_CHARACTERS = 2_000
_RESERVING = frozenset({"tdm-reservation", *usage.FIELDS})
SPOKEN = ("x-robots-tag", *sorted(_RESERVING))
"""The headers that may hold an opt-out, in lower case."""


def is_creative_commons(url: str) -> bool:
    """Say whether a link names a Creative Commons licence or public-domain mark.

    Example:
        >>> is_creative_commons("https://creativecommons.org/licenses/by/4.0/")
        True
        >>> is_creative_commons("https://creativecommons.org/about")
        False
    """
    return len(url) <= _MAX_CHARACTERS and _CREATIVE_COMMONS.match(url.strip()) is not None


def licence_link(value: str) -> str | None:
    """Return the target of the first licence link in a Link header (RFC 8288; relation of RFC 4946).

    Example:
        >>> licence_link('</a>; rel=next, <https://a.test/cc>; rel="license"')
        'https://a.test/cc'
    """
    return next((target for target, rest in _LINK.findall(value[:_MAX_CHARACTERS]) if _LICENCE.search(rest)), None)


def directives(content: str) -> set[str]:
    """Return the opt-outs in a robots meta tag.

    Example:
        >>> sorted(directives("NoIndex, follow,noai;max-snippet:-1"))
        ['noai', 'noindex']
    """
    words = content[:_MAX_CHARACTERS].lower().replace(";", ",").split(",")
    return {word.strip() for word in words} & OPT_OUTS


def header_directives(value: str, agent: str = "") -> set[str]:
    """Return the opt-outs in an X-Robots-Tag that speak to every crawler, or to this one by name.

    A name holds for what follows it up to the next one; `*` is every crawler.

    Args:
        value: of the header; repeated headers joined with commas would leave open where a name ends.
        agent: the crawler's product token.

    Example:
        >>> sorted(header_directives("noai, noimageai")), sorted(header_directives("otherbot: noindex"))
        (['noai', 'noimageai'], [])
        >>> sorted(header_directives("otherbot: noindex, MyBot: noai", "mybot"))
        ['noai']
    """
    found: set[str] = set()
    ours = True
    for item in value[:_MAX_CHARACTERS].lower().split(","):
        named = _AGENT.match(item)
        ours = named[1] in ("*", agent.lower()) if named else ours
        found |= directives(named[2] if named else item) if ours else set()
    return found


def opt_outs(
    metas: Iterable[tuple[str, str]], headers: Iterable[tuple[str, str]] = (), agent: str = ""
) -> tuple[str, ...]:
    """Return every opt-out of a page or of an answer, sorted.

    Args:
        metas: (name, content) of its meta tags.
        headers: (name, value) of its answer's headers.
        agent: the crawler's product token: what names it speaks to it too.

    Example:
        >>> opt_outs([("robots", "noai"), ("viewport", "none")], [("TDM-Reservation", "1")])
        ('noai', 'tdm-reservation')
        >>> opt_outs([("MyBot", "noindex")], [("Content-Usage", "train-ai=n")], "mybot")
        ('noindex', 'train-ai=n')
    """
    found: set[str] = set()
    robots = {"robots", agent.lower()} - {""}
    for name, content in metas:
        key = name.strip().lower()
        if key in robots:
            found |= directives(content)
        elif key in _RESERVING:
            found |= _reservation(key, content)
    for name, value in headers:
        key = name.strip().lower()
        if key == "x-robots-tag":
            found |= header_directives(value, agent)
        elif key in _RESERVING:
            found |= _reservation(key, value)
    return tuple(sorted(found))


def is_spoken(header: str) -> bool:
    """Say whether a header of this name may hold an opt-out.

    Example:
        >>> is_spoken("X-Robots-Tag"), is_spoken("Content-Type")
        (True, False)
    """
    return header.strip().lower() in SPOKEN


def follows(metas: Iterable[tuple[str, str]], agent: str = "") -> bool:
    """Say whether a page lets crawlers, and the one with this product token, follow its links.

    Example:
        >>> follows([("robots", "noindex")]), follows([("robots", "noindex, nofollow")]), follows([("robots", "none")])
        (True, False, False)
    """
    ours = {"robots", agent.lower()} - {""}
    robots = (content[:_MAX_CHARACTERS].lower() for name, content in metas if name.strip().lower() in ours)
    return not any({"nofollow", "none"} & set(content.replace(",", " ").split()) for content in robots)


def _reservation(name: str, value: str) -> set[str]:
    """Read the TDM Reservation Protocol (W3C community group, 2024, sections 4.2 and 4.3) and usage preferences."""
    if name == "tdm-reservation":
        return {"tdm-reservation"} if value.strip() == "1" else set()
    said = usage.reserved(name, value)
    return {said} if said else set()
