"""`srcset`: the addresses of one image in several sizes (HTML standard, "Parsing a srcset attribute")."""

from __future__ import annotations

import re

MAX_CHARACTERS = 32_768
MAX_CANDIDATES = 64
_SPACES = " \t\n\f\r"
_REFERENCE = re.compile(r"[ \t\n\f\r,]*+([^ \t\n\f\r]+)")
_DESCRIPTORS = re.compile(r"((?:[^,(]|\([^)]*\)?)*),?")
_SIZE = re.compile(r"([0-9]+(?:\.[0-9]+)?)([wx])")


def largest(*srcsets: str) -> str | None:
    """Return the address with the largest width or density; the first of equals, None when there is none.

    Args:
        srcsets: attributes of an image and of its sources; their first 64 candidates within 32,768 characters count.

    Example:
        >>> largest("a.jpg 320w, b.jpg 1024w", "c.webp 640w"), largest("a.jpg, a,b.jpg 2x"), largest(" , ")
        ('b.jpg', 'a,b.jpg', None)
    """
    candidates = [candidate for one in srcsets for candidate in parse(one)]
    return max(candidates, key=lambda candidate: candidate[1])[0] if candidates else None


def parse(srcset: str) -> list[tuple[str, float]]:
    """Return (address, width or density) of each candidate in order; 1.0 when it has neither.

    Example:
        >>> parse("data:image/png,x 1x, b.jpg 2x")
        [('data:image/png,x', 1.0), ('b.jpg', 2.0)]
    """
    found: list[tuple[str, float]] = []
    position, text = 0, srcset[:MAX_CHARACTERS]
    while len(found) < MAX_CANDIDATES and (match := _REFERENCE.match(text, position)):
        reference, position, size = match[1], match.end(), 1.0
        if reference.endswith(","):
            reference = reference.rstrip(",")
        else:
            rest = _DESCRIPTORS.match(text, position)
            position, size = (rest.end(), _size(rest[1])) if rest else (len(text), 1.0)
        found.append((reference, size))
    return found


def _size(descriptors: str) -> float:
    for descriptor in descriptors.strip(_SPACES).split():
        match = _SIZE.fullmatch(descriptor[:24])
        if match:
            return float(match[1])
    return 1.0
