"""HTML that cannot be broken into: every text is escaped unless `element` made it."""

from __future__ import annotations

import html
import re
from collections.abc import Iterable

_UNPRINTABLE = re.compile("[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\ud800-\udfff\ufffe\uffff]")
_VOID = frozenset({"meta", "img", "br", "line", "rect", "polyline", "path", "circle"})


class Markup(str):
    """HTML that `element` made; any other text is escaped when it is put into a page."""

    __slots__ = ()


Child = str | int | None | Iterable["Child"]
"""What an element may hold: markup, text, a number, nothing, or some of these."""


def escape(text: str) -> str:
    r"""Return a text as HTML; characters that no page may hold become U+FFFD.

    Example:
        >>> escape('<b a="1">\x00')
        '&lt;b a=&quot;1&quot;&gt;\ufffd'
    """
    return html.escape(_UNPRINTABLE.sub("\ufffd", text), quote=True)


def join(*children: Child) -> Markup:
    """Return children behind each other.

    Example:
        >>> join("<", element("b", 1), [None, "&"])
        '&lt;<b>1</b>&amp;'
    """
    return Markup("".join(map(_child, children)))


def _child(child: Child) -> str:
    if isinstance(child, Markup):
        return child
    if isinstance(child, str):
        return escape(child)
    if child is None or isinstance(child, int):
        return "" if child is None else f"{child:,}"
    return join(*child)


def element(tag: str, *children: Child, **attributes: str | float | None) -> Markup:
    """Return an element; `class_` and `stroke_width` stand for class and stroke-width, None leaves one out.

    Example:
        >>> element("a", "1 < 2", class_="x", title='"')
        '<a class="x" title="&quot;">1 &lt; 2</a>'
        >>> element("br")
        '<br/>'
    """
    named = [(name.rstrip("_").replace("_", "-"), value) for name, value in attributes.items() if value is not None]
    start = tag + "".join(f' {name}="{escape(_number(value))}"' for name, value in named)
    return Markup(f"<{start}/>" if tag in _VOID and not children else f"<{start}>{join(*children)}</{tag}>")


def _number(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"
