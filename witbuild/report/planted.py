"""What was planted in a made-up web beside what its run found: RUN/planted.json, which the demo writes."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from witbuild.errors import CorruptPartError
from witbuild.io import store
from witbuild.io.manifest import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterable

FILE = "planted.json"


@dataclass(frozen=True, slots=True)
class Compared:
    """One number twice."""

    name: str
    planted: int
    found: int

    @property
    def agrees(self) -> bool:
        """Say whether as much was found as was planted."""
        return self.planted == self.found


def write(root: str, compared: Iterable[Compared]) -> None:
    """Leave the comparison in a run directory."""
    store.commit_bytes(store.join(root, FILE), dumps([asdict(one) for one in compared]))


def read(root: str) -> tuple[Compared, ...]:
    """Return the comparison in a run directory; none in a run of a real web.

    Example:
        >>> import tempfile
        >>> root = tempfile.mkdtemp()
        >>> write(root, [Compared("fetch.http_404", 3, 2)])
        >>> [(one.name, one.agrees) for one in read(root)]
        [('fetch.http_404', False)]
    """
    path = store.join(root, FILE)
    if not store.exists(path):
        return ()
    try:
        return tuple(Compared(**row) for row in loads(path))
    except TypeError as error:
        raise CorruptPartError(f"{path}: not what the demo writes ({error}); delete it and run it again") from error
