"""manifest.json of a data set: every other file of the folder with its bytes and sha256, and their Merkle root."""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from witbuild.errors import CorruptPartError
from witbuild.io import store
from witbuild.io.manifest import dumps, loads, merkle_root, sha256_file

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

MANIFEST = "manifest.json"
_FORMAT = 1


@dataclass(frozen=True, order=True)
class Entry:
    """A file of a folder."""

    path: str
    bytes: int
    sha256: str


def names(root: str) -> list[str]:
    """Return the files below a folder that belong to the data set, as paths from it, sorted.

    Its manifest does not, nor do hidden files and folders: clones and caches leave them.
    """
    prefix = root.rstrip("/") + "/"
    found = [path.removeprefix(prefix) for path in store.expand(root)]
    return sorted(name for name in found if _belongs(name))


def _belongs(name: str) -> bool:
    """Say whether a file belongs to the data set.

    Example:
        >>> _belongs("data/sizes.json"), _belongs(".git/config"), _belongs("manifest.json")
        (True, False, False)
    """
    hidden = any(part.startswith(".") for part in name.split("/"))
    return name != MANIFEST and not hidden and not name.endswith(store.PARTIAL)


def entries(root: str, paths: Iterable[str]) -> Iterator[Entry]:
    """Yield what files are, hashed several at a time, in the order given."""

    def entry(name: str) -> Entry:
        path = store.join(root, name)
        return Entry(name, store.size(path), sha256_file(path))

    with ThreadPoolExecutor(os.cpu_count()) as threads:
        yield from threads.map(entry, paths)


def content(files: Iterable[Entry]) -> bytes:
    """Return the one form that a manifest of these files has."""
    files = sorted(files)
    root = merkle_root((file.path, file.sha256) for file in files)
    return dumps({"format": _FORMAT, "root": root, "files": [asdict(file) for file in files]})


def seal(root: str) -> str:
    """Write the manifest of a folder as it is, and return its Merkle root."""
    files = list(entries(root, names(root)))
    store.commit_bytes(store.join(root, MANIFEST), content(files))
    return merkle_root((file.path, file.sha256) for file in files)


def load(root: str) -> list[Entry]:
    """Return the files that a manifest lists.

    Raises:
        CorruptPartError: it is not byte for byte what `seal` writes for them.
    """
    path = store.join(root, MANIFEST)
    try:
        files = [Entry(**row) for row in loads(path)["files"]]
        same = content(files) == store.read_bytes(path)
    except (TypeError, KeyError, AttributeError) as error:
        raise CorruptPartError(f"{path}: not a manifest ({error})") from error
    if not same:
        raise CorruptPartError(f"{path}: its root or its form is not that of the files it lists")
    return files
