"""Several files of a local folder replaced as one, whatever moment the process is killed at.

ROOT/.redo/00000, 00001, ...   new contents, complete
ROOT/.redo/plan.json           where each goes; there <=> it is decided, and whoever comes next finishes it
"""

from __future__ import annotations

import os
import shutil
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.io.manifest import dumps, loads

if TYPE_CHECKING:
    from collections.abc import Iterator

FOLDER = ".redo"
_PLAN = "plan.json"


class Change:
    """New contents of files of a folder."""

    def __init__(self, root: Path) -> None:
        self._root = root
        self.files: dict[str, Path] = {}
        self.gone: list[str] = []

    def file(self, path: str) -> Path:
        """Return where to write what is to stand at a path of the folder; the same each time."""
        staged = self._root / FOLDER / f"{len(self.files):05d}"
        return self.files.setdefault(path, staged)

    def write(self, path: str, content: bytes) -> None:
        """Set the content of a small file."""
        self.file(path).write_bytes(content)

    def remove(self, path: str) -> None:
        """Let a file vanish; it need not be there."""
        self.gone.append(path)


@contextmanager
def replacing(root: str) -> Iterator[Change]:
    """Collect new contents; when the block ends without an error, all of them replace what was there.

    Raises:
        InputError: the folder lies on an object store, which cannot rename.

    Example:
        >>> import tempfile
        >>> root = tempfile.mkdtemp()
        >>> with replacing(root) as change:
        ...     change.write("a.txt", b"new")
        ...     Path(root, "a.txt").exists()
        False
        >>> Path(root, "a.txt").read_text(), Path(root, FOLDER).exists()
        ('new', False)
    """
    if store.is_remote(root):
        raise InputError(f"{root}: files can be replaced as one on a disk only; copy the folder to one, and back")
    finish(root)
    folder = Path(root) / FOLDER
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    try:
        yield (change := Change(Path(root)))
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    for staged in change.files.values():
        _sync(staged)
    files = {staged.name: path for path, staged in change.files.items()}
    store.commit_bytes(str(folder / _PLAN), dumps({"files": files, "gone": change.gone}))
    finish(root)


def pending(root: str) -> bool:
    """Say whether a change of a folder is decided and not finished."""
    return not store.is_remote(root) and (Path(root) / FOLDER / _PLAN).exists()


def finish(root: str) -> None:
    """Finish a change that was decided; nothing happens when there is none."""
    if not pending(root):
        return
    folder = Path(root) / FOLDER
    plan = loads(str(folder / _PLAN))
    for path in plan["gone"]:
        store.remove(store.join(root, path))
    for name, path in sorted(plan["files"].items()):
        if (folder / name).exists():
            store.publish(folder / name, store.join(root, path))
    for parent in {str(Path(root, path).parent) for path in plan["files"].values()}:
        store.sync_folder(parent)
    (folder / _PLAN).unlink()
    shutil.rmtree(folder)


def _sync(path: Path) -> None:
    with path.open("rb") as stream:
        os.fsync(stream.fileno())
