"""The run directory: state is files, nothing else remembers.

RUN/recipe.yaml                       what is being made
RUN/tombstones.parquet                what was taken down and must not come back (schema.TOMBSTONES)
RUN/03-match/identity.json            written first: name, parameters, fingerprint
RUN/03-match/pairs/00007.parquet      there <=> task 7 is done; published after everything else of the task
RUN/05-dedup.bands/bands/00007.arrow  the same, for a table that only goes between the steps of one stage
RUN/03-match/done/00007.json          rows, drops, digests, seconds of task 7
RUN/03-match/<kind>/...               side files of the tasks (images, ...), or in the home that the stage declares
RUN/03-match/scratch/00007/           unfinished work of task 7
RUN/03-match/manifest.json            there <=> the stage is whole
"""

from __future__ import annotations

import re
import tempfile
from dataclasses import dataclass
from pathlib import Path

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.io.manifest import Done, Identity, Manifest, dumps, loads, merkle_root

RECIPE = "recipe.yaml"
TOMBSTONES = "tombstones.parquet"
SHUFFLED = frozenset({"bands", "candidates", "records", "edges", "members", "clusters"})
"""Tables that only go between the steps of one stage, slice by slice: Arrow files (witbuild.io.batches)."""
_PART = re.compile(r"^(\d{5,})\.(parquet|arrow)$")
_FOLDER = re.compile(r"^(\d{2,})-([a-z0-9_.]+?)(?:\.r(\d{2}))?$")


@dataclass(frozen=True)
class StageFolder:
    """The folder of one stage (or of one round of it) in a run directory."""

    run: str
    name: str

    @property
    def path(self) -> str:
        """Of the folder."""
        return store.join(self.run, self.name)

    @property
    def manifest_path(self) -> str:
        """Of the manifest."""
        return store.join(self.path, "manifest.json")

    def table_path(self, kind: str, index: int) -> str:
        """Of a part of the stage's table."""
        return store.join(self.path, kind, f"{index:05d}{'.arrow' if kind in SHUFFLED else '.parquet'}")

    def done_path(self, index: int) -> str:
        """Of the record that a finished task leaves."""
        return store.join(self.path, "done", f"{index:05d}.json")

    def scratch_path(self, index: int) -> str:
        """Of a task's scratch folder, always on a local disk."""
        name = f"{index:05d}"
        if store.is_remote(self.run):
            safe = re.sub(r"\W+", "-", self.path)
            return str(Path(tempfile.gettempdir()) / f"witbuild-{safe}" / name)
        return store.join(self.path, "scratch", name)

    def finished(self, kind: str) -> set[int]:
        """Return the indexes of the tasks that are done: those whose part exists.

        Only a power failure can leave a part without its record; such a task is done again.
        """
        parts = {found[1] for name in store.listdir(store.join(self.path, kind)) if (found := _PART.match(name))}
        records = {name[:-5] for name in store.listdir(store.join(self.path, "done"))}
        return {int(name) for name in parts & records}

    def identity(self) -> Identity | None:
        """Return what the folder is being made from, or none when nothing has begun."""
        path = store.join(self.path, "identity.json")
        return Identity(**loads(path)["identity"]) if store.exists(path) else None

    def begin(self, identity: Identity) -> None:
        """Write down what the folder is made from."""
        content = {"fingerprint": identity.fingerprint, "identity": vars(identity)}
        store.commit_bytes(store.join(self.path, "identity.json"), dumps(content))

    def manifest(self) -> Manifest | None:
        """Return the manifest, or none when the stage is not whole."""
        return Manifest.load(self.manifest_path) if store.exists(self.manifest_path) else None

    def seal(self, manifest: Manifest) -> None:
        """Clear what unfinished attempts left, make all names durable and write the manifest."""
        self.sweep()
        for folder in {file.path.rpartition("/")[0] for part in manifest.parts for file in part.files}:
            store.sync_folder(store.join(self.run, folder))
        store.commit_bytes(self.manifest_path, manifest.to_json())

    def sweep(self) -> None:
        """Remove scratch folders and partial files."""
        store.remove(store.join(self.path, "scratch"))
        if not store.is_remote(self.path):
            for partial in Path(self.path).rglob(f"*{store.PARTIAL}"):
                partial.unlink(missing_ok=True)

    def records(self, count: int) -> tuple[Done, ...]:
        """Return the records of tasks 0 to count - 1."""
        return tuple(Done.load(self.done_path(index)) for index in range(count))


@dataclass(frozen=True)
class Run:
    """A run directory, local or on an object store."""

    root: str

    def folder(self, number: int, name: str, round_number: int = 0) -> StageFolder:
        """Return the folder of the numbered stage; it need not exist."""
        suffix = f".r{round_number:02d}" if round_number else ""
        return StageFolder(self.root, f"{number:02d}-{name}{suffix}")

    def folders(self) -> list[StageFolder]:
        """Return the stages' folders in the order of the work."""
        found = [match for name in store.listdir(self.root) if (match := _FOLDER.match(name))]
        found.sort(key=lambda match: (int(match[1]), match[2], int(match[3] or 0)))
        return [StageFolder(self.root, match[0]) for match in found]

    def manifests(self) -> list[tuple[StageFolder, Manifest]]:
        """Return the whole stages in the order of the work."""
        pairs = [(folder, folder.manifest()) for folder in self.folders()]
        return [(folder, manifest) for folder, manifest in pairs if manifest is not None]

    def sweep(self) -> None:
        """Remove partial files that a killed driver left beside the stages' folders."""
        if not store.is_remote(self.root):
            for partial in Path(self.root).glob(f"*{store.PARTIAL}"):
                partial.unlink(missing_ok=True)

    def remove_from(self, number: int) -> None:
        """Delete the folders from a number on, and what their tasks published elsewhere."""
        for folder in reversed(self.folders()):
            if int(folder.name.split("-")[0]) >= number:
                store.remove(folder.manifest_path)
                for name in store.listdir(store.join(folder.path, "done")):
                    for file in Done.load(store.join(folder.path, "done", name)).files:
                        store.remove(store.join(self.root, file.path))
                store.remove(folder.path)

    def newest(self, kind: str) -> tuple[StageFolder, Manifest]:
        """Return the last whole stage that made a kind of table or file.

        Raises:
            InputError: the run has none.
        """
        for folder, manifest in reversed(self.manifests()):
            if manifest.output == kind or manifest.files(kind):
                return folder, manifest
        raise InputError(f"{self.root}: no finished stage made {kind!r}; is this a run directory?")

    def paths(self, manifest: Manifest, kind: str) -> tuple[str, ...]:
        """Return the full paths of a manifest's files of a kind, in order."""
        return tuple(store.join(self.root, file.path) for file in manifest.files(kind))

    def merkle_root(self) -> str:
        """Return one hash over every table and file of the reproducible stages."""
        reproducible = (manifest for _, manifest in self.manifests() if manifest.reproducible)
        return merkle_root(leaf for manifest in reproducible for leaf in manifest.leaves())
