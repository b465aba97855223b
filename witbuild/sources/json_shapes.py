"""JSON of others: values that are what they should be, or nothing."""

from __future__ import annotations

from typing import Any

from witbuild.web.caption import clean

MAX_CHARACTERS = 1_000
"""Of a text that is no caption."""


def mapping(value: Any) -> dict[str, Any]:
    """Return an object, or an empty one.

    Example:
        >>> mapping({"a": 1}), mapping([1])
        ({'a': 1}, {})
    """
    return value if isinstance(value, dict) else {}


def mappings(value: Any) -> list[dict[str, Any]]:
    """Return the objects in a list, or among the values of an object.

    Example:
        >>> mappings([{"a": 1}, 2]), mappings({"7": {"a": 1}}), mappings(None)
        ([{'a': 1}], [{'a': 1}], [])
    """
    values = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return [one for one in values if isinstance(one, dict)]


def words(value: Any) -> str | None:
    r"""Return a text on one line, cut when long; None when it is none or empty.

    Example:
        >>> words(" a\n b "), words(3)
        ('a b', None)
    """
    return clean(value)[:MAX_CHARACTERS] or None if isinstance(value, str) else None


def number(value: Any) -> int | None:
    """Return a whole number above zero that fits 31 bits.

    Example:
        >>> number(640), number(-1), number(True), number(10**30)
        (640, None, None, None)
    """
    return value if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 31 else None
