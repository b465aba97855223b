"""Queries in an order that favours none: that of their hashes, the same on every machine."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable


def drawn(paths: Iterable[str], index: int, slices: int) -> list[str]:
    """Return the queries of a slice of a list, each once, in the order of their hashes.

    Args:
        paths: of the list's parts.
        index: of the slice.
        slices: that there are; a query lies in one of them.
    """
    from witbuild.io import tables

    texts = {text for path in paths for text in tables.read(path, ["query"])["query"].to_pylist() if text}
    hashed = ((_hash(text), text) for text in texts)
    return [text for number, text in sorted(hashed) if number % slices == index]


def _hash(text: str) -> int:
    return int.from_bytes(hashlib.blake2b(text.encode(), digest_size=8).digest(), "little")


def phrase(query: str) -> str:
    """Return a query as search engines take it: quoted where it is several words or holds signs that could mean more.

    Example:
        >>> phrase("panda"), phrase("red panda"), phrase("-x"), phrase('say "hi"')
        ('panda', '"red panda"', '"-x"', '"say hi"')
    """
    return query if query.isalnum() else f'"{" ".join(query.replace(chr(34), " ").split())}"'
