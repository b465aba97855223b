"""Lists of what must not be fetched or stored: hosts, and hashes of bodies."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.web import urls

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_HASH = re.compile(r"[0-9a-f]{32}|[0-9a-f]{64}")
_SINKS = frozenset({"0.0.0.0", "127.0.0.1", "::", "::1"})  # noqa: S104 - what hosts files send blocked names to


def hosts(named: Iterable[str], path: str = "") -> frozenset[str]:
    """Return hosts and domains as a guard compares them: lower case, international names in their `xn--` form.

    Args:
        named: hosts.
        path: of a file of more, one a line; empty: none. The first word of a line is passed over where it is an
            address and another follows, as in a hosts file.

    Raises:
        InputError: the file is not there, or holds what is no host: file, line and what was found.

    Example:
        >>> sorted(hosts(["A.test.", "*.b.test", "bücher.test"]))
        ['a.test', 'b.test', 'xn--bcher-kva.test']
    """
    given = (_host(name, f"block_hosts: {name}") for name in named)
    return frozenset(given) | (_file_hosts(path) if path else frozenset())


@lru_cache(maxsize=8)
def _file_hosts(path: str) -> frozenset[str]:
    found = set()
    for place, line in _lines(path):
        words = line.split()
        words = words[1:] if len(words) > 1 and words[0] in _SINKS else words
        found |= {_host(word, place) for word in words}
    return frozenset(found)


def _host(name: str, place: str) -> str:
    bare = name.strip().removeprefix("*.").strip(".")
    host = urls.host(f"http://{bare}/") if bare and "/" not in bare else ""
    if not host:
        raise InputError(f"{place}: found {name!r}, expected a host or a domain")
    return host


@lru_cache(maxsize=8)
def hashes(path: str) -> frozenset[str]:
    """Return the hashes of a file, lower-case hex; the first word of each line.

    Raises:
        InputError: the file is not there, or a line begins with no SHA-256 or MD5: file, line and what was found.
    """
    found = set()
    for place, line in _lines(path) if path else ():
        word = line.split()[0].lower()
        if not _HASH.fullmatch(word):
            raise InputError(f"{place}: found {word[:80]!r}, expected 64 or 32 hexadecimal digits")
        found.add(word)
    return frozenset(found)


def _lines(path: str) -> Iterator[tuple[str, str]]:
    """Yield (file and number, text) of each line that says something."""
    for number, line in enumerate(store.read_bytes(path).decode("utf-8", "replace").splitlines(), 1):
        if text := line.partition("#")[0].strip():
            yield f"{path}:{number}", text
