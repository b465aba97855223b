"""Packages that are kept from being imported by libraries that only look whether they are there.

Where pandas is installed, pyarrow imports it to ask whether a list is one of its series: 40 MB of memory and 0.3 s of
CPU a process. Where it is not, pyarrow does without; so it is told so once.
"""

from __future__ import annotations

import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator


class _Absent:
    """A finder that finds nothing, and lets nobody else find one package."""

    def __init__(self, name: str) -> None:
        self._name = name

    def find_spec(self, name: str, path: object = None, target: object = None) -> None:
        if name == self._name:
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


@contextmanager
def absent(name: str) -> Iterator[None]:
    """Let a package that is not imported yet seem not to be installed, for the imports of this block."""
    finder = _Absent(name)
    sys.meta_path.insert(0, finder)
    try:
        yield
    finally:
        sys.meta_path.remove(finder)
