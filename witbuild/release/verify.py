"""Compare a run or a data set with what its manifests say, byte for byte.

DATASET/manifest.json          every file of the folder
RUN/NN-stage/manifest.json     every table and side file of the stage, the data set's shards among them
RUN/NN-stage/done, identity    what the manifest repeats
"""

from __future__ import annotations

import os
from concurrent.futures import ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.io.manifest import dumps, merkle_root, sha256_file
from witbuild.io.run import Run
from witbuild.release import folder
from witbuild.release.dataset import FOLDER, INDEX, Dataset
from witbuild.release.samples import differing

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from witbuild.io.manifest import Manifest
    from witbuild.io.run import StageFolder


@dataclass(frozen=True, order=True)
class Difference:
    """A file that is not what a manifest says."""

    path: str
    """From the folder that was verified."""
    what: str
    samples: tuple[str, ...] = ()
    """Keys of the samples that differ, as far as that can be told."""

    def __str__(self) -> str:
        """Return one line."""
        return f"{self.path}: {self.what}" + (f"; samples {', '.join(self.samples)}" if self.samples else "")


@dataclass(frozen=True)
class Verdict:
    """What a verification found."""

    root: str
    """Merkle root of the files as they are: those of the data set, or of a run that has none."""
    files: int
    bytes: int
    differences: tuple[Difference, ...]


@dataclass
class _Check:
    """Collects what is to be hashed, and what differs."""

    root: str
    expected: dict[str, tuple[int, str]] = field(default_factory=dict)
    found: list[Difference] = field(default_factory=list)

    def expect(self, path: str, size: int, sha256: str) -> None:
        """Ask for a file; two manifests that say different things of one differ."""
        if self.expected.setdefault(path, (size, sha256)) != (size, sha256):
            self.differ(path, "two manifests say different things of it")

    def differ(self, path: str, what: str, samples: tuple[str, ...] = ()) -> None:
        """Note a difference."""
        self.found.append(Difference(path, what, samples))

    def hashes(self) -> dict[str, str]:
        """Hash every file that is expected and there, several at a time, and note what differs."""
        with ThreadPoolExecutor(os.cpu_count()) as threads:
            digests = dict(zip(self.expected, threads.map(self._hash, self.expected), strict=True))
        for path, digest in digests.items():
            if not digest:
                self.differ(path, "missing")
            elif digest != self.expected[path][1]:
                self.differ(path, f"sha256 is {digest}, expected {self.expected[path][1]}", self._samples(path))
        return {path: digest for path, digest in digests.items() if digest}

    def _hash(self, path: str) -> str:
        full = store.join(self.root, path)
        return sha256_file(full) if store.exists(full) else ""

    def _samples(self, path: str) -> tuple[str, ...]:
        prefix = f"{FOLDER}/" if path.startswith(f"{FOLDER}/") and not _is_dataset(self.root) else ""
        if not prefix and not _is_dataset(self.root):
            return ()
        dataset = Dataset(store.join(self.root, FOLDER) if prefix else self.root)
        return differing(dataset, path.removeprefix(prefix))


def verify(path: str) -> Verdict:
    """Hash every file of a run or a data set and compare it with what the manifests say.

    Raises:
        InputError: the folder is neither, or holds nothing that says what its files should be.
    """
    check = _Check(path.rstrip("/"))
    if _is_dataset(check.root):
        _add_dataset(check, "")
    elif Run(check.root).folders():
        _add_run(check)
    else:
        raise InputError(f"{path}: neither a run directory nor a data set")
    digests = check.hashes()
    sizes = sum(size for name, (size, _) in check.expected.items() if name in digests)
    return Verdict(_root(digests), len(digests), sizes, tuple(sorted(set(check.found))))


def _is_dataset(path: str) -> bool:
    return any(store.exists(store.join(path, name)) for name in (INDEX, folder.MANIFEST))


def _root(digests: dict[str, str]) -> str:
    """Return the root over what was found, of the data set when there is one."""
    inside = f"{FOLDER}/"
    mine = {name.removeprefix(inside): digest for name, digest in digests.items() if name.startswith(inside)}
    return merkle_root((mine or digests).items())


def _add_dataset(check: _Check, prefix: str) -> None:
    """Expect what a data set's manifest lists, and nothing else in its folder."""
    root = store.join(check.root, *prefix.split("/")[:-1])
    if not store.exists(store.join(root, folder.MANIFEST)):
        raise InputError(f"{root}: no {folder.MANIFEST}; `witbuild release {root}` writes one")
    try:
        files = folder.load(root)
    except InputError as error:
        check.differ(f"{prefix}{folder.MANIFEST}", str(error).partition(": ")[2])
        return
    for file in files:
        check.expect(prefix + file.path, file.bytes, file.sha256)
    for name in set(folder.names(root)) - {file.path for file in files}:
        check.differ(prefix + name, "not in the manifest")


def _add_run(check: _Check) -> None:
    """Expect what the stages' manifests list, and hold the stages' records to them."""
    run = Run(check.root)
    for stage in run.folders():
        if store.exists(stage.manifest_path):
            _add_stage(check, stage)
    if store.exists(store.join(check.root, FOLDER, folder.MANIFEST)):
        _add_dataset(check, f"{FOLDER}/")


def _add_stage(check: _Check, stage: StageFolder) -> None:
    try:
        manifest = stage.manifest()
        same = manifest is not None and manifest.to_json() == store.read_bytes(stage.manifest_path)
    except (InputError, TypeError, KeyError, AttributeError) as error:
        check.differ(f"{stage.name}/manifest.json", f"not a manifest ({error})")
        return
    if manifest is None or not same:
        check.differ(f"{stage.name}/manifest.json", "its root, totals or form are not those of what it lists")
        return
    for part in manifest.parts:
        for file in part.files:
            check.expect(file.path, file.bytes, file.sha256)
    for name in _changed(stage, _repeated(manifest)):
        for one in (name, "manifest.json"):  # which of the two was changed, nothing can tell
            check.differ(f"{stage.name}/{one}", f"{name} and manifest.json say different things")


def _repeated(manifest: Manifest) -> Iterator[tuple[str, bytes]]:
    """Yield the files of a stage's folder that say again what its manifest says."""
    yield "identity.json", dumps({"fingerprint": manifest.fingerprint, "identity": asdict(manifest.identity)})
    for part in manifest.parts:
        yield f"done/{part.index:05d}.json", dumps(asdict(part))


def _changed(stage: StageFolder, expected: Iterable[tuple[str, bytes]]) -> Iterator[str]:
    for name, content in expected:
        path = store.join(stage.path, name)
        if not store.exists(path) or store.read_bytes(path) != content:
            yield name
