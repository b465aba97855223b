"""Pieces of HTML, as APIs put them into JSON, to plain text."""

from __future__ import annotations

import re

from witbuild.web import cost
from witbuild.web.caption import MAX_READ, clean

_BLOCKS = re.compile(
    r"(?=</?(?:address|article|blockquote|br|caption|center|dd|div|dl|dt|figcaption|figure|h[1-6]|hr|li|ol|p|pre|section|"
    r"table|tbody|td|th|thead|tr|ul)\b)",
    re.IGNORECASE,
)
"""Where a browser breaks a line, and a text needs a space."""


def text(fragment: str) -> str:
    """Return what a piece of HTML says, on one line, as a caption (witbuild.web.caption); "" where it is too complex.

    Example:
        >>> text("A <i>red</i> square &amp; a <a href=x>link</a><br>on<b>e</b><style>p{}</style><p>two</p>")
        'A red square & a link one two'
    """
    fragment = fragment[:MAX_READ]
    if "<" not in fragment and "&" not in fragment:
        return clean(fragment)
    octets = fragment.encode("utf-8", "ignore")
    if cost.steps(octets) > cost.MAX_STEPS:
        return ""
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(_BLOCKS.sub(" ", octets.decode()))
    tree.strip_tags(["script", "style", "template"])
    return clean(tree.body.text(deep=True)) if tree.body else ""
