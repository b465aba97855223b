"""Run the steps of a recipe in order: resume what is there, run what is missing, seal what is whole."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from witbuild.errors import EmptyError, RetryLaterError, VerificationError
from witbuild.io import redo, store
from witbuild.io.manifest import Manifest
from witbuild.io.run import RECIPE, TOMBSTONES, Run
from witbuild.runner.earlier import Earlier, adopt, digests, task_digest
from witbuild.runner.execute import Execute
from witbuild.runner.identity import begin, identify
from witbuild.runner.steps import Shelf, Step, check_order, expand, first_step, until

if TYPE_CHECKING:
    from collections.abc import Sequence

    from witbuild.engine import Engine
    from witbuild.io.manifest import Done, Identity
    from witbuild.io.run import StageFolder
    from witbuild.recipe import Recipe
    from witbuild.stage import Inputs, Stage, Task

_MUST_YIELD = ("queries", "pairs", "shards")


class Progress(Protocol):
    """Is told what happens; the command line draws it."""

    def begin(self, name: str, tasks: int, finished: int) -> None:
        """Say that a step begins, of so many tasks, some of which an earlier run finished."""

    def advance(self, done: Done) -> None:
        """Say that a task is done."""

    def end(self, manifest: Manifest) -> None:
        """Say that a step is whole."""


class Silent:
    """Progress that nobody sees."""

    def begin(self, name: str, tasks: int, finished: int) -> None:
        """Ignore it."""

    def advance(self, done: Done) -> None:
        """Ignore it."""

    def end(self, manifest: Manifest) -> None:
        """Ignore it."""


@dataclass(frozen=True, kw_only=True)
class Settings:
    """How a run is carried out; nothing here can change what comes out.

    `slice_index` of `slice_count` does only the tasks whose index leaves that remainder: one job of an array. `until`
    names the stage after which to stop, `restart_from` the stage that is deleted first, with all that follows it.
    `earlier` is another run, whose parts are taken over where they are made of the same.
    """

    progress: Progress = field(default_factory=Silent)
    slice_index: int = 0
    slice_count: int = 1
    until: str = ""
    restart_from: str = ""
    earlier: str = ""


def run_recipe(recipe: Recipe, root: str, engine: Engine, settings: Settings | None = None) -> Run:
    """Bring a run directory to where the recipe's last stage is whole, and return it.

    Raises:
        RunMismatchError: the directory was made from other parameters.
        EmptyError: a stage yielded nothing.
        RetryLaterError: this slice is done, other slices of the same stage are not.
    """
    redo.finish(root)
    settings, steps, run = settings or Settings(), expand(recipe.stages), Run(root)
    check_order(steps, recipe.inputs)
    for step in steps:
        step.stage.check()
    if settings.restart_from:
        run.remove_from(first_step(steps, settings.restart_from).number)
    shelf = Shelf()
    for kind, path in recipe.inputs.items():
        shelf.add_external(kind, path)
    if store.exists(path := store.join(root, TOMBSTONES)):
        shelf.add_tombstones(path)
    store.commit_bytes(store.join(root, RECIPE), recipe.to_yaml().encode())
    earlier = Earlier(settings.earlier) if settings.earlier else None
    runner = _Runner(run, shelf, engine, settings, earlier)
    for step in until(steps, settings.until) if settings.until else steps:
        runner.finish(step)
    run.sweep()
    return run


@dataclass(frozen=True)
class _Runner:
    """Brings one step after another to its end."""

    run: Run
    shelf: Shelf
    engine: Engine
    settings: Settings
    earlier: Earlier | None = None
    known: dict[str, str] = field(default_factory=dict)
    """Path -> sha256 of what the steps wrote, when there is an earlier run to compare with."""

    def finish(self, step: Step) -> None:
        """Run a step, again and again on its own output when it works in rounds."""
        rounds = step.stage.rounds
        for number in range(1, rounds + 1):
            round_number = number if rounds > 1 else 0
            folder = self.run.folder(step.number, step.stage.name, round_number)
            manifest = self.ensure(step.stage, folder, round_number)
            self.shelf.add(self.run, manifest, (step.stage.output, *step.stage.files))
            if self.earlier:
                self.known.update(digests(self.run, manifest))
            if step.stage.settled(manifest.rows, manifest.dropped):
                return
        raise VerificationError(f"stage {step.stage.name} did not settle in {rounds} rounds: a fault of the stage")

    def ensure(self, stage: Stage, folder: StageFolder, round_number: int) -> Manifest:
        """Return the manifest of a stage's folder, after doing what is missing."""
        inputs = self.shelf.inputs(stage)
        identity = identify(stage, self.shelf.upstream(inputs), round_number)
        begin(folder, identity)
        return folder.manifest() or self.make(stage, folder, identity, inputs)

    def make(self, stage: Stage, folder: StageFolder, identity: Identity, inputs: Inputs) -> Manifest:
        """Do the tasks that are missing and seal the stage."""
        tasks = _planned(stage, inputs)
        self.do_missing(stage, folder, tasks, identity)
        _check_whole(stage, folder, tasks)
        manifest = Manifest(
            identity=identity,
            output=stage.output,
            rows_in=self.shelf.rows.get(stage.reads[0]) if stage.reads else None,
            parts=folder.records(len(tasks)),
            reproducible=stage.reproducible,
        )
        _check_not_empty(stage, manifest)
        folder.seal(manifest)
        self.settings.progress.end(manifest)
        return manifest

    def do_missing(self, stage: Stage, folder: StageFolder, tasks: Sequence[Task], identity: Identity) -> None:
        """Do the tasks of this slice that no earlier attempt or run finished."""
        settings, finished = self.settings, folder.finished(stage.output)
        mine = [task for task in tasks if task.index % settings.slice_count == settings.slice_index]
        missing = [task for task in mine if task.index not in finished]
        missing = self.adopt(stage, folder, missing, identity)
        settings.progress.begin(folder.name, len(mine), len(mine) - len(missing))
        outputs = self.earlier.outputs(folder, identity) if self.earlier else {}
        for done in self.engine.map(Execute(stage, folder, outputs), missing):
            settings.progress.advance(done)

    def adopt(self, stage: Stage, folder: StageFolder, tasks: list[Task], identity: Identity) -> list[Task]:
        """Take over what the earlier run made of equal tasks, and return the other tasks."""
        parts = self.earlier.parts(folder) if self.earlier and tasks else {}
        left = []
        for task in tasks:
            found = parts.get(task_digest(identity, stage, task, self.known)) if parts else None
            if found is None:
                left.append(task)
            else:
                adopt(*found, folder)
        return left


def _planned(stage: Stage, inputs: Inputs) -> list[Task]:
    tasks = list(stage.plan(inputs))
    if [task.index for task in tasks] != list(range(len(tasks))):
        raise VerificationError(f"stage {stage.name} planned tasks that are not numbered 0, 1, 2, ... in order")
    return tasks


def _check_whole(stage: Stage, folder: StageFolder, tasks: Sequence[Task]) -> None:
    missing = sorted({task.index for task in tasks} - folder.finished(stage.output))
    if missing:
        raise RetryLaterError(
            f"{folder.path}: this slice is done; {len(missing)} of {len(tasks)} parts of other slices are not yet "
            f"there (first: {missing[0]}). Run the same command again when they are"
        )


def _check_not_empty(stage: Stage, manifest: Manifest) -> None:
    if manifest.rows or stage.may_be_empty or stage.output not in _MUST_YIELD:
        return
    dropped = ", ".join(f"{reason} {rows:,}" for reason, rows in manifest.dropped.items()) or "nothing"
    came = "" if manifest.rows_in is None else f" of {manifest.rows_in:,} rows in"
    raise EmptyError(
        f"stage {stage.name} yielded no {stage.output}{came}; dropped: {dropped}. Nothing was sealed: loosen its "
        f"parameters, give it other input or mend what stood in its way (a network that is down drops all as dns), "
        f"and run it again with --restart-from {stage.name.partition('.')[0]}"
    )
