"""What a site says of AI training by its usage preferences: a header, or lines of robots.txt.

Content-Usage: train-ai=n                 IETF, draft-ietf-aipref-attach-05 and draft-ietf-aipref-vocab-05
Content-Signal: search=yes, ai-train=no   Cloudflare's content signals policy, the form that most sites have

In robots.txt a line belongs to the group of its user agents and may begin with a path pattern; the longest pattern that
matches counts. Where statements contradict each other, no counts.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_ANSWERS = {"y": True, "yes": True, "n": False, "no": False}
_CATEGORIES = {"content-usage": ("train-ai", "tdm", "bots"), "content-signal": ("ai-train",)}
"""Field -> its category of training, and those that hold it and count where it is not named."""
FIELDS = frozenset(_CATEGORIES)
"""The fields that say it, in lower case."""
_MAX_CHARACTERS = 2_000
_MAX_LINES = 10_000


def reserved(field: str, value: str) -> str | None:
    """Return what a field says against training, such as `train-ai=n`; None when it does not.

    Args:
        field: name of the header or of the line in robots.txt, in any case.
        value: of it.

    Example:
        >>> reserved("Content-Usage", "search=y, train-ai=n;q=1"), reserved("content-signal", "ai-train=no")
        ('train-ai=n', 'ai-train=no')
        >>> reserved("Content-Usage", "bots=n, train-ai=y") is None
        True
    """
    categories = _CATEGORIES.get(field.strip().lower())
    if categories is None:
        return None
    said: dict[str, str] = {}
    for item in value[:_MAX_CHARACTERS].lower().split(","):
        name, _, answer = (part.strip() for part in item.partition(";")[0].partition("="))
        if answer in _ANSWERS and _ANSWERS.get(said.get(name, "y")):
            said[name] = answer
    category = next((name for name in categories if name in said), None)
    return f"{category}={said[category]}" if category and not _ANSWERS[said[category]] else None


@dataclass(frozen=True, slots=True)
class Statement:
    """A line of robots.txt: where it holds, and what it says against training, if it does."""

    pattern: str
    reservation: str | None


@dataclass(frozen=True, slots=True)
class Usage:
    """What a robots.txt says of training to one crawler."""

    statements: tuple[Statement, ...] = ()

    def reservation(self, path: str) -> str | None:
        """Return what stands against training on a path with its query, from the longest pattern that matches it."""
        found = [one for one in self.statements if matches(one.pattern, path)]
        longest = max((len(one.pattern) for one in found), default=0)
        return next((one.reservation for one in found if len(one.pattern) == longest and one.reservation), None)


def parse(text: str, agent: str) -> Usage:
    r"""Return the statements of a robots.txt for a crawler: of the groups that name it, else of those for all.

    Example:
        >>> usage = parse("User-agent: *\nContent-Usage: train-ai=n\nContent-Usage: /free/ train-ai=y", "bot")
        >>> usage.reservation("/x"), usage.reservation("/free/x")
        ('train-ai=n', None)
    """
    groups = list(_groups(text))
    named = [found for agents, found in groups if agent.lower() in agents]
    chosen = named or [found for agents, found in groups if "*" in agents]
    return Usage(tuple(one for found in chosen for one in found))


def _groups(text: str) -> Iterator[tuple[set[str], list[Statement]]]:
    """Yield the agents and statements of each group; what stands before the first is for all."""
    agents, found, naming = {"*"}, list[Statement](), False
    for line in text.splitlines()[:_MAX_LINES]:
        field, colon, value = (part.strip() for part in line.partition("#")[0].partition(":"))
        field = field.lower()
        if field == "user-agent":
            if not naming:
                yield agents, found
                agents, found = set(), []
            agents.add(value.lower())
        elif field in _CATEGORIES:
            found.append(_statement(field, value))
        naming = field == "user-agent" or (naming and not colon)
    yield agents, found


def _statement(field: str, value: str) -> Statement:
    pattern, _, rest = value.partition(" ")
    return (
        Statement(pattern, reserved(field, rest)) if value.startswith("/") else Statement("/", reserved(field, value))
    )


def matches(pattern: str, path: str) -> bool:
    """Say whether a robots.txt pattern matches a path: `*` is anything, `$` the end (RFC 9309, section 2.2.3).

    Takes time in proportion to the lengths' product, whatever a hostile pattern holds.

    Example:
        >>> matches("/a*.jpg$", "/a/b.jpg"), matches("/a*.jpg$", "/a/b.jpg?c"), matches("*.jpg", "/x.jpg?c")
        (True, False, True)
    """
    ends = pattern.endswith("$")
    first, *rest = re.split(r"\*+", pattern.removesuffix("$")[:_MAX_CHARACTERS])
    if not path.startswith(first):
        return False
    position = len(first)
    for piece in rest[:-1] if ends else rest:
        found = path.find(piece, position)
        if found < 0:
            return False
        position = found + len(piece)
    if not ends:
        return True
    return len(path) - len(rest[-1]) >= position and path.endswith(rest[-1]) if rest else position == len(path)
