"""What an earlier run did, taken over where a task is the same: same stage, same parameters, same bytes to read.

A part is a pure function of its task (witbuild.stage), so what an equal task made need not be made again. Tasks are
told by digests of what they read, not by names or fingerprints: one more file at the end of a harvest leaves the tasks
over the others as they were, and so the parts of all that reads only those.
"""

from __future__ import annotations

import hashlib
from dataclasses import asdict
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING

from witbuild.io import store
from witbuild.io.manifest import Done, digest_paths, dumps
from witbuild.runner.replay import replay

if TYPE_CHECKING:
    from collections.abc import Mapping

    from witbuild.io.manifest import Identity, Manifest
    from witbuild.io.run import Run, StageFolder
    from witbuild.runner.replay import Made
    from witbuild.stage import Inputs, Stage, Task


def digests(run: Run, manifest: Manifest) -> dict[str, str]:
    """Return path -> sha256 of every file that a whole step wrote."""
    return {store.join(run.root, path): digest for path, digest in manifest.leaves()}


def task_digest(identity: Identity, stage: Stage, task: Task, known: Mapping[str, str]) -> str:
    """Return one hash of all that can change what a task makes.

    Args:
        identity: of the step; what is upstream of it does not count, as the digests of what is read say more.
        stage: of the step.
        task: planned by it.
        known: path -> sha256 of tables and files of the run; other files are hashed here.
    """
    parameters = {name: value for name, value in identity.parameters.items() if name not in stage.told_by_tasks}
    sources = {kind: [known.get(path) or _outside(path) for path in paths] for kind, paths in task.sources.items()}
    what = [identity.name, identity.version, parameters, task.index, dict(task.arguments), sources]
    return hashlib.sha256(dumps(what)).hexdigest()


def _outside(path: str) -> list[list[str]]:
    """Return names and digests of files that no run made; a URL stands for itself."""
    if store.is_remote(path) or not store.exists(path):
        return [[path, ""]]
    return _hashed(path, Path(path).stat().st_mtime_ns)


@lru_cache(maxsize=65_536)
def _hashed(path: str, _changed: int) -> list[list[str]]:
    return digest_paths(path)


class Earlier:
    """The parts of an earlier run, by what they were made from; each step's tasks are planned when it is asked for.

    Args:
        root: of the run. What its tombstones took away is never taken over: tasks that obey some are done anew.
    """

    def __init__(self, root: str) -> None:
        self._steps = {made.folder.name: made for made in replay(root, tombstones=False)}
        self._known: dict[str, str] = {}
        for made in self._steps.values():
            self._known |= digests(made.run, made.manifest)

    def parts(self, folder: StageFolder) -> dict[str, tuple[Run, Done]]:
        """Return the parts of the step of the same folder name, by the digest of their task."""
        made = self._steps.get(folder.name)
        if made is None or dict(made.manifest.identity.upstream) != dict(made.upstream):
            return {}
        tasks = list(made.stage.plan(made.inputs))
        if len(tasks) != len(made.manifest.parts):  # files that it was made from are gone, or there are more
            return {}
        return {
            task_digest(made.manifest.identity, made.stage, task, self._known): (made.run, part)
            for task, part in zip(tasks, made.manifest.parts, strict=True)
            if self._unchanged(made, task)
        }

    def _unchanged(self, made: Made, task: Task) -> bool:
        """Say whether the files that a task read are still those that its step's identity tells of."""
        told = dumps([made.manifest.identity.parameters.get(name) for name in made.stage.told_by_tasks])
        outside = (path for paths in task.sources.values() for path in paths if path not in self._known)
        found = (digest for path in outside for _, digest in _outside(path))
        return not made.stage.told_by_tasks or all(digest.encode() in told for digest in found)

    def outputs(self, folder: StageFolder, identity: Identity) -> Inputs:
        """Return what the step of the same folder name wrote, where its parameters are the same: kind -> paths."""
        made = self._steps.get(folder.name)
        if made is None or not _alike(made, identity):
            return {}
        return {kind: made.paths(kind) for kind in (made.stage.output, *made.stage.files)}


def _alike(made: Made, identity: Identity) -> bool:
    old = made.manifest.identity
    return (old.name, old.version, old.parameters) == (identity.name, identity.version, dict(identity.parameters))


def adopt(run: Run, part: Done, folder: StageFolder) -> Done:
    """Take a part of another run over into a step's folder, the record first and the table last.

    Files on one disk become links to the same bytes; nothing ever writes into a finished file.
    """
    store.commit_bytes(folder.done_path(part.index), dumps(asdict(part)))
    for file in part.files:
        _link(store.join(run.root, file.path), store.join(folder.run, file.path))
    return part


def _link(source: str, target: str) -> None:
    with store.commit(target) as partial:
        store.link(source, partial)
