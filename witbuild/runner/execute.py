"""One task in a worker: process it, check the laws, publish record, files and table, in that order."""

from __future__ import annotations

import time
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING

from witbuild.errors import VerificationError
from witbuild.io import memory, store, tables
from witbuild.io.manifest import Done, File, dumps, sha256_file
from witbuild.stage import MapStage

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from witbuild.io.run import StageFolder
    from witbuild.stage import Inputs, Part, Stage, Task


@dataclass(frozen=True)
class Execute:
    """Does a task of a stage and leaves its part in the stage's folder; picklable."""

    stage: Stage
    folder: StageFolder
    earlier: Inputs = field(default_factory=dict)
    """What the same step of an earlier run wrote."""

    @property
    def preload(self) -> tuple[str, ...]:
        """Modules that the stage's tasks need, for the engine."""
        return self.stage.preload

    def __call__(self, task: Task) -> Done:
        """Do the task; nothing is seen of it until everything is."""
        started = time.perf_counter()
        task = replace(task, scratch=self.folder.scratch_path(task.index))
        memory.keep(kept=self.stage.keeps_memory)
        try:
            if self.earlier:
                self.stage.recall(task, self.earlier)
            part = self.stage.process(task)
            check_rows(self.stage, task, part)
            done = self._publish(task, part, started)
        except BaseException as error:
            error.add_note(f"in stage {self.stage.name}, task {task.index}, which reads {_shown(task)}")
            raise
        store.remove(task.scratch)
        return done

    def _publish(self, task: Task, part: Part, started: float) -> Done:
        """Publish the record, the side files and last the table, whose being there says that the task is done."""
        local = {self._path(kind, task): (kind, path) for kind, path in sorted(part.files.items())}
        table_path, table = self.folder.table_path(self.stage.output, task.index), self._write(task, part)
        local[table_path] = (self.stage.output, table)
        files = tuple(self._file(kind, path, file, part.digests) for path, (kind, file) in local.items())
        seconds = round(time.perf_counter() - started, 4)
        done = Done(task.index, part.table.num_rows, _counted(part.dropped), seconds, files)
        self._record(task, done)
        store.settle([file for _, file in local.values()], table_path)
        for path, (_, file) in local.items():
            store.publish(file, path, wait=False)
        return done

    def _record(self, task: Task, done: Done) -> None:
        """Publish the record without waiting for the disk: a task whose record is lost is done again."""
        local = task.scratch_file("done.json")
        local.write_bytes(dumps(asdict(done)))
        store.publish(local, self.folder.done_path(task.index), wait=False)

    def _file(self, kind: str, path: str, local: Path, digests: Mapping[str, str]) -> File:
        """Describe a file that is about to be published; what the stage hashed is not hashed again."""
        relative = path.removeprefix(self.folder.run.rstrip("/") + "/")
        return File(kind, relative, local.stat().st_size, digests.get(kind) or sha256_file(str(local)))

    def _path(self, kind: str, task: Task) -> str:
        home = self.stage.homes.get(kind, f"{self.folder.name}/{kind}")
        return store.join(self.folder.run, home, self.stage.file_name(kind, task))

    def _write(self, task: Task, part: Part) -> Path:
        path = self.folder.table_path(self.stage.output, task.index)
        local = task.scratch_file(path.rpartition("/")[2])
        table = tables.conform(part.table, self.stage.table_schema())
        tables.write(local, table, dropped=_counted(part.dropped), row_groups=part.row_groups)
        return local


def _counted(dropped: Mapping[str, int]) -> dict[str, int]:
    """Return the reasons that dropped something, in the order of their names."""
    return {reason: rows for reason, rows in sorted(dropped.items()) if rows}


def check_rows(stage: Stage, task: Task, part: Part) -> None:
    """Hold a part to what its stage promised.

    Raises:
        VerificationError: rows of a MapStage were lost, or its side files are not those declared.
    """
    if set(part.files) != set(stage.files):
        raise VerificationError(f"stage {stage.name} wrote files {sorted(part.files)}, declared {sorted(stage.files)}")
    if isinstance(stage, MapStage):
        rows_in = tables.Footer(task.sources[stage.reads[0]][0]).rows
        rows_out, dropped = part.table.num_rows, sum(part.dropped.values())
        if rows_in != rows_out + dropped:
            raise VerificationError(
                f"stage {stage.name}, task {task.index}: {rows_in} rows in, {rows_out} out, {dropped} dropped; "
                f"{abs(rows_in - rows_out - dropped)} unaccounted for (a fault of the stage, nothing was written)"
            )


def _shown(task: Task) -> str:
    paths = [path for paths in task.sources.values() for path in paths]
    return ", ".join(paths[:3]) + (f" and {len(paths) - 3} more" if len(paths) > 3 else "") if paths else "nothing"
