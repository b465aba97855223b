"""The new contents of all files that a takedown changes: shards, what lists them, manifests, proof."""

from __future__ import annotations

import tempfile
from dataclasses import asdict, dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from witbuild.audit.shards import LOOKED_AT, as_pairs, hashed, sidecar_without, without
from witbuild.io import store, tables
from witbuild.io.manifest import Done, Manifest, dumps, merkle_root
from witbuild.io.run import Run
from witbuild.schema import SHARDS
from witbuild.stage import Task

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from witbuild.io.manifest import File
    from witbuild.io.redo import Change
    from witbuild.runner.replay import Made
    from witbuild.sample.tombstones import Tombstones

PROOFS = "takedown"
"""Folder of the run: a proof for each takedown, numbered, and the keys that it removed."""
_KEYS = pa.schema([("key", pa.string()), ("shard", pa.string())])


@dataclass
class Removal:
    """Writes into a change what a takedown makes of a run; holds one shard at a time.

    Args:
        root: of the run.
        change: takes the new contents.
        pack: the step that wrote the shards.
        index: the step that listed them.
    """

    root: str
    change: Change
    pack: Made
    index: Made
    removed: int = 0
    rewritten: list[dict[str, Any]] = field(default_factory=list)
    """Shards: path, and samples, bytes and sha256 before and after."""
    _keys: list[pa.Table] = field(default_factory=list)
    _manifests: dict[str, Manifest] = field(default_factory=dict)

    def carry_out(self, stones: Tombstones) -> None:
        """Write the shards again that hold something, then what lists them."""
        parts = []
        for part in self.pack.manifest.parts:
            gone = self._gone(part, stones)
            parts.append(self._rewrite(part, gone) if gone else part)
        if self.rewritten:
            self._seal(self.pack, parts)
            self._seal(self.index, [self._list(parts)])

    @property
    def _data(self) -> str:
        """The kind of file that holds the samples."""
        return str(getattr(self.pack.stage, "data", "tars"))

    def _full(self, path: str) -> str:
        return store.join(self.root, path)

    def _relative(self, path: str) -> str:
        return path.removeprefix(self.root.rstrip("/") + "/")

    def _gone(self, part: Done, stones: Tombstones) -> set[str]:
        records = tables.read(self._full(_file(part, "sidecars").path), LOOKED_AT)
        return set(records["key"].filter(pa.array(stones.barred(as_pairs(records)))).to_pylist())

    def _rewrite(self, part: Done, gone: set[str]) -> Done:
        """Write a shard again, with its records, counts and row."""
        data, records, row = (_file(part, kind) for kind in (self._data, "sidecars", "shards"))
        without(self._full(data.path), self.change.file(data.path), gone)
        left = sidecar_without(self._full(records.path), self.change.file(records.path), gone)
        counts = self._counts(part, left)
        self._row(part, row, data, left)
        self._note(data, gone)
        return self._redone(self.pack, part, {data.path, records.path, row.path, *counts})

    def _counts(self, part: Done, left: int) -> list[str]:
        """Write img2dataset's counts of a shard, where the layout has them."""
        from witbuild.stages.shard.img2dataset import stats

        found = [file.path for file in part.files if file.kind == "stats"]
        for path in found:
            self.change.write(path, stats(left))
        return found

    def _row(self, part: Done, row: File, data: File, left: int) -> None:
        """Write what the table of shards says of a shard."""
        (old,) = tables.read(self._full(row.path)).to_pylist()
        size, digest = hashed(self.change.files[data.path])
        new = {**old, "samples": left, "bytes": size, "sha256": digest}
        tables.write(self.change.file(row.path), tables.from_rows([new], SHARDS), dropped=dict(part.dropped))
        self.rewritten.append({"path": data.path, "before": _numbers(old), "after": _numbers(new)})

    def _note(self, data: File, gone: set[str]) -> None:
        self.removed += len(gone)
        keys = pa.array(sorted(gone), pa.string())
        self._keys.append(pa.table([keys, pa.array([data.path] * len(gone), pa.string())], schema=_KEYS))

    def _list(self, parts: Iterable[Done]) -> Done:
        """Write the index again, by the step that wrote it, and return its task's record."""
        (old,) = self.index.manifest.parts
        rows = [_file(part, "shards").path for part in parts]
        staged = tuple(str(self.change.files.get(path) or self._full(path)) for path in rows)
        table = _file(old, "shards").path
        with tempfile.TemporaryDirectory() as scratch:
            part = self.index.stage.process(Task(0, {"shards": staged}, scratch=scratch))
            for kind, path in part.files.items():
                self.change.write(_file(old, kind).path, Path(path).read_bytes())
        tables.write(self.change.file(table), tables.conform(part.table, SHARDS), dropped=dict(old.dropped))
        return self._redone(self.index, old, {table, *(_file(old, kind).path for kind in part.files)})

    def _redone(self, made: Made, part: Done, changed: set[str]) -> Done:
        """Return a task's record with the digests of what changed, and write it."""
        files = tuple(self._again(file) if file.path in changed else file for file in part.files)
        new = replace(part, files=files)
        self.change.write(self._relative(made.folder.done_path(part.index)), dumps(asdict(new)))
        return new

    def _again(self, file: File) -> File:
        size, digest = hashed(self.change.files[file.path])
        return replace(file, bytes=size, sha256=digest)

    def _seal(self, made: Made, parts: Iterable[Done]) -> None:
        manifest = replace(made.manifest, parts=tuple(parts))
        self.change.write(self._relative(made.folder.manifest_path), manifest.to_json())
        self._manifests[made.folder.name] = manifest

    def prove(self, wanted: Iterable[Mapping[str, Any]], before: str) -> str:
        """Write what changed and what did not, and return the proof's path below the run.

        Args:
            wanted: rows of schema.TOMBSTONES.
            before: root of the run before.
        """
        number = sum(name.endswith(".json") for name in store.listdir(self._full(PROOFS))) + 1
        keys = f"{PROOFS}/{number:04d}.parquet"
        tables.write(self.change.file(keys), pa.concat_tables([_KEYS.empty_table(), *self._keys]), dropped={})
        touched = {row["path"] for row in self.rewritten}
        untouched = [(one.path, one.sha256) for one in self.pack.manifest.files(self._data) if one.path not in touched]
        proof = {
            "time": datetime.now(UTC).isoformat(timespec="seconds"),
            "tombstones": [dict(row) for row in wanted],
            "removed": self.removed,
            "keys": keys,
            "shards": self.rewritten,
            "unchanged": {"shards": len(untouched), "root": merkle_root(untouched)},
            "root": {"before": before, "after": self._root()},
        }
        self.change.write(f"{PROOFS}/{number:04d}.json", dumps(proof))
        return f"{PROOFS}/{number:04d}.json"

    def _root(self) -> str:
        """Return the root that the run will have."""
        found = [self._manifests.get(folder.name, manifest) for folder, manifest in Run(self.root).manifests()]
        return merkle_root(leaf for one in found if one.reproducible for leaf in one.leaves())


def _file(part: Done, kind: str) -> File:
    return next(file for file in part.files if file.kind == kind)


def _numbers(row: Mapping[str, Any]) -> dict[str, Any]:
    return {name: row[name] for name in ("samples", "bytes", "sha256")}
