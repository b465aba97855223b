"""What is to be taken down, as a person says it -> tombstones."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.sample.tombstones import KINDS

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

_HEX = {"key": 32, "sha256": 64, "phash": 16}
_MORE_THAN_A_HOST = re.compile(r"^[^\[]*[:/@?#]")
DISTANCE = 3
"""Bits in which a perceptual hash may differ, as in dedup."""


def tombstone(kind: str, value: str, distance: int = DISTANCE, request: str = "") -> dict[str, Any]:
    """Return a row of schema.TOMBSTONES.

    Args:
        kind: one of key, url, host, sha256, phash.
        value: in any spelling.
        distance: for a phash.
        request: what led to it; by default this itself.

    Raises:
        InputError: the value is none of that kind.

    Example:
        >>> tombstone("host", "A.Test.")
        {'kind': 'host', 'value': 'a.test', 'distance': 0, 'request': '--host A.Test.'}
    """
    stands = _value(kind, value.strip())
    apart = distance if kind == "phash" else 0
    return {"kind": kind, "value": stands, "distance": apart, "request": request or f"--{kind} {value.strip()}"}


def _value(kind: str, value: str) -> str:
    from witbuild.web.urls import canonical, host, parse

    if kind == "url" and parse(value):
        return canonical(value)
    if kind == "host" and not _MORE_THAN_A_HOST.search(value) and (name := host(f"http://{value}/").rstrip(".")):
        return name
    if kind in _HEX and re.fullmatch(rf"[0-9a-f]{{{_HEX[kind]}}}", value.lower()):
        return value.lower()
    expected = f"{_HEX[kind]} hexadecimal digits" if kind in _HEX else f"a {kind}"
    raise InputError(f"--{kind} {value!r}: expected {expected}")


def read_list(path: str, distance: int = DISTANCE) -> Iterator[dict[str, Any]]:
    """Yield the tombstones of a list: a line `kind value` each, empty lines and lines that begin with # left out.

    Raises:
        InputError: a line is not one; names file and line.
    """
    for number, line in enumerate(store.read_bytes(path).decode("utf-8", "replace").splitlines(), 1):
        if not line.strip() or line.startswith("#"):
            continue
        kind, _, value = line.strip().partition(" ")
        if kind not in KINDS:
            raise InputError(f"{path}:{number}: found {line[:80]!r}, expected `kind value` with {', '.join(KINDS)}")
        try:
            yield tombstone(kind, value, distance)
        except InputError as error:
            raise InputError(f"{path}:{number}: {error}") from error


def gather(given: Mapping[str, Iterable[str]], lists: Iterable[str], distance: int) -> list[dict[str, Any]]:
    """Return the tombstones that options and lists name.

    Args:
        given: kind -> values.
        lists: files.
        distance: for perceptual hashes.
    """
    rows = [tombstone(kind, value, distance) for kind, values in given.items() for value in values]
    return rows + [row for path in lists for row in read_list(path, distance)]
