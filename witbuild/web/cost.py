"""What a page would cost to parse: the HTML standard's tree construction is quadratic on hostile pages.

A browser's algorithm walks the stack of open elements at many start tags, opens unclosed formatting elements again in
every new block, and compares an attribute with all those before it. 100,000 nested `<div>` keep a parser busy for
10 seconds, and 6,000 `<p><font size=N>` take 6 GB. Real pages cost a thousandth of the limits here.
"""

from __future__ import annotations

import re

MAX_STEPS = 500_000_000
"""About a second or two of a parser's time."""
_HARMLESS_TAGS = 2_000
_HARMLESS_BYTES = 10_000
_TAG = re.compile(rb"<(/?)([a-zA-Z][a-zA-Z0-9]{0,15})")
_ATTRIBUTE = rb"[\s/]*+[^\s/>][^\s/>=]*+(?:\s*+=\s*+(?:\"[^\"]*+\"|'[^']*+'|(?![\"'])[^\s>]*+))?+"
_ATTRIBUTES = re.compile(_ATTRIBUTE)
_WHOLE_TAG = re.compile(rb"<[a-zA-Z][^\s/>]*+((?:" + _ATTRIBUTE + rb")*+)")
_MAX_LEVELS = 8
_NOT_NESTING = frozenset(
    b"html head body p li td th tr tbody thead tfoot colgroup dt dd "  # end tags may be left out
    b"area base br col embed hr img input link meta param source track wbr frame basefont bgsound keygen".split()
)
_FORMATTING = frozenset(b"a b big code em font i nobr s small strike strong tt u".split())
_STEPS_OF_A_COPY = 500


def steps(html: bytes) -> int:
    """Return an upper estimate of the steps that parsing takes beyond what is linear in the page's length.

    Example:
        >>> steps(b"<p>one<img src=a.jpg alt=b>"), steps(b"<div>" * 100_000) > MAX_STEPS
        (0, True)
    """
    start_tags = html.count(b"<") - html.count(b"</")
    return _attributes(html) + (_nesting(html) if start_tags > _HARMLESS_TAGS else 0)


def _nesting(html: bytes) -> int:
    """Add up the open elements at each start tag, and the formatting elements that may be copied there."""
    depth = formatting = total = 0
    for closing, name in _TAG.findall(html.lower()):
        if name in _NOT_NESTING:
            total += depth + formatting
        elif name in _FORMATTING:
            formatting = formatting + _STEPS_OF_A_COPY if not closing else max(0, formatting - _STEPS_OF_A_COPY)
        elif closing:
            depth = max(0, depth - 1)
        else:
            depth += 1
            total += depth + formatting
    return total


def _attributes(html: bytes, level: int = 0) -> int:
    """Add up the squares of the tags' attribute counts, for tags long enough to hold many.

    A quote in a comment or a script looks as if it opened a value, so what lies in a long tag is looked through too.
    """
    if len(html) < _HARMLESS_BYTES:
        return 0
    if level > _MAX_LEVELS:
        return MAX_STEPS + 1
    long = (tag for tag in _WHOLE_TAG.findall(html) if len(tag) > _HARMLESS_BYTES)
    return sum(len(_ATTRIBUTES.findall(tag)) ** 2 + _attributes(tag, level + 1) for tag in long)
