"""Where bytes lie: a local path or an object store's URL, behind the same few functions.

A path is local unless it starts with a scheme such as `s3://`, `gs://`, `hf://`, `http://` or `memory://`; those go
through fsspec, whose drivers come with the extras of the same names. Publishing is atomic on both: a sibling, fsync
and rename on a disk; one upload, visible when complete, on an object store.
"""

from __future__ import annotations

import glob
import os
import re
import shutil
import tempfile
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from functools import lru_cache
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any

from witbuild.errors import InputError, MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

_SCHEME = re.compile(r"^([a-z][a-z0-9+.-]+)://")
_EXTRAS = {"s3": "s3", "s3a": "s3", "gs": "gcs", "gcs": "gcs", "hf": "hf"}
PARTIAL = ".partial"
"""Suffix of a file that is not whole yet."""


def is_remote(path: str) -> bool:
    """Say whether a path is an object store's URL.

    Example:
        >>> is_remote("s3://bucket/run"), is_remote("/data/run"), is_remote("C:/run")
        (True, False, False)
    """
    return _SCHEME.match(path) is not None


def join(root: str, *names: str) -> str:
    """Join names below a root.

    Example:
        >>> join("s3://bucket/run/", "a", "b.parquet"), join("run", "a")
        ('s3://bucket/run/a/b.parquet', 'run/a')
    """
    return "/".join([root.rstrip("/") or "/", *names])


@lru_cache(maxsize=16)
def _filesystem(scheme: str) -> Any:
    import fsspec

    try:
        return fsspec.filesystem(scheme)
    except ImportError as error:
        raise MissingExtraError(f"a path that starts with {scheme}://", _EXTRAS.get(scheme, scheme)) from error
    except ValueError as error:
        raise InputError(f"{scheme}://: no such kind of storage; use a local path, s3://, gs:// or hf://") from error


def remote(path: str) -> Any:
    """Return the fsspec file system that serves a URL."""
    match = _SCHEME.match(path)
    if match is None:
        raise ValueError(path)
    return _filesystem(match.group(1))


def open_read(path: str) -> IO[bytes]:
    """Open a file to read bytes, seekable; a missing one is an InputError."""
    try:
        stream: IO[bytes] = remote(path).open(path, "rb") if is_remote(path) else Path(path).open("rb")  # noqa: SIM115
    except FileNotFoundError as error:
        raise InputError(f"{path}: no such file") from error
    except IsADirectoryError as error:
        raise InputError(f"{path}: is a folder, expected a file") from error
    return stream


def read_bytes(path: str) -> bytes:
    """Return the whole content of a small file."""
    with open_read(path) as stream:
        return stream.read()


def exists(path: str) -> bool:
    """Say whether a file or folder is there."""
    return bool(remote(path).exists(path)) if is_remote(path) else Path(path).exists()


def is_file(path: str) -> bool:
    """Say whether a file, not a folder, is there."""
    return bool(remote(path).isfile(path)) if is_remote(path) else Path(path).is_file()


def size(path: str) -> int:
    """Return the bytes of a file."""
    return int(remote(path).size(path)) if is_remote(path) else Path(path).stat().st_size


def listdir(path: str) -> list[str]:
    """Return the sorted names in a folder; an absent folder has none."""
    if not is_remote(path):
        return sorted(file.name for file in Path(path).iterdir()) if Path(path).is_dir() else []
    system = remote(path)
    system.invalidate_cache()
    if not system.exists(path):
        return []
    return sorted({str(name).rstrip("/").rsplit("/", 1)[-1] for name in system.ls(path, detail=False)})


def expand(path: str) -> list[str]:
    """Return the files that a path, a glob or a folder (with all below it) names, sorted; maybe none."""
    if is_remote(path):
        return _expand_remote(path)
    if Path(path).is_dir():
        return sorted(str(file) for file in Path(path).rglob("*") if file.is_file())
    return [path] if Path(path).exists() else sorted(glob.glob(path, recursive=True))  # noqa: PTH207


def _expand_remote(path: str) -> list[str]:
    if path.startswith(("http://", "https://")):
        return [path]
    system, scheme = remote(path), path.split("://", 1)[0]
    found = system.glob(path) if "*" in path else system.find(path)
    return sorted(f"{scheme}://{str(name).removeprefix(f'{scheme}://').lstrip('/')}" for name in found)


def remove(path: str) -> None:
    """Remove a file or a folder with all below it; nothing happens when it is not there."""
    if is_remote(path):
        if remote(path).exists(path):
            remote(path).rm(path, recursive=True)
    elif Path(path).is_dir():
        shutil.rmtree(path)
    else:
        Path(path).unlink(missing_ok=True)


@contextmanager
def commit(path: str) -> Iterator[Path]:
    """Give a local file to write; publish it at `path`, whole, when the block ends without an error.

    Example:
        >>> import tempfile
        >>> target = tempfile.mkdtemp() + "/folder/a.txt"
        >>> with commit(target) as partial:
        ...     _ = partial.write_bytes(b"whole")
        >>> read_bytes(target)
        b'whole'
    """
    if is_remote(path):
        with tempfile.TemporaryDirectory() as folder:
            partial = Path(folder) / "partial"
            yield partial
            remote(path).put_file(str(partial), path)
        return
    partial = Path(path).with_name(f"{Path(path).name}.{os.getpid()}{PARTIAL}")
    partial.parent.mkdir(parents=True, exist_ok=True)
    try:
        yield partial
        _rename(partial, Path(path))
        sync_folder(str(partial.parent))
    finally:
        partial.unlink(missing_ok=True)


def commit_bytes(path: str, content: bytes) -> None:
    """Publish a small file, whole or not at all."""
    with commit(path) as partial:
        partial.write_bytes(content)


def publish(local: Path, path: str, *, wait: bool = True) -> None:
    """Move a finished local file to its final place, whole or not at all.

    Its bytes are on the disk before its name is, unless it need not `wait` for that; the name itself may be lost in a
    power failure until `sync_folder`.
    """
    if is_remote(path):
        remote(path).put_file(str(local), path)
        local.unlink()
        return
    Path(path).parent.mkdir(parents=True, exist_ok=True)
    try:
        _rename(local, Path(path), wait=wait)
    except OSError:  # another disk: copy beside the target first
        with commit(path) as partial:
            shutil.copyfile(local, partial)
        local.unlink()


def link(source: str, target: Path) -> None:
    """Give a file a second name on this disk, or copy it where that cannot be; what had the name before is gone."""
    target.unlink(missing_ok=True)
    if not is_remote(source):
        try:
            os.link(source, target)
        except OSError:  # another disk
            pass
        else:
            return
    with open_read(source) as stream, target.open("wb") as out:
        shutil.copyfileobj(stream, out, 1 << 20)


def settle(files: Sequence[Path], path: str) -> None:
    """Wait until local files that are to be published at or beside a path are on the disk, all of them at once.

    A journal takes files that wait together in one commit; one behind the other each waits for its own. Nothing is to
    wait for where they go to an object store.
    """
    if is_remote(path):
        return
    with ThreadPoolExecutor(max(len(files), 1)) as pool:
        list(pool.map(_sync, files))


def _sync(file: Path) -> None:
    with file.open("rb") as stream:
        os.fsync(stream.fileno())


def sync_folder(path: str) -> None:
    """Make the names in a folder durable; nothing is to do on an object store."""
    if not is_remote(path) and Path(path).is_dir():
        folder = os.open(path, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


def _rename(partial: Path, final: Path, *, wait: bool = True) -> None:
    """Give a file its final name once its bytes are on the disk."""
    if wait:
        _sync(partial)
    partial.replace(final)
