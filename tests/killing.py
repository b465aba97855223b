"""A process that dies when it is about to publish its n-th file."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from witbuild.io import store


class Killed(BaseException):
    """Not caught by anything that catches errors."""


@contextmanager
def killed_at(monkeypatch: pytest.MonkeyPatch, moment: int) -> Iterator[None]:
    """Raise Killed in place of the publication after so many; the caller catches it."""
    publish, calls = store.publish, iter(range(999))

    def dies(local: Path, path: str, *, wait: bool = True) -> None:
        if next(calls) == moment:
            raise Killed
        publish(local, path, wait=wait)

    with monkeypatch.context() as patched:
        patched.setattr(store, "publish", dies)
        yield
