"""What a run did, step by step, with what each step read: told from the recipe and the manifests, doing nothing."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.io.run import TOMBSTONES, Run
from witbuild.runner.append import recorded
from witbuild.runner.steps import Shelf, expand

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from witbuild.io.manifest import Manifest
    from witbuild.io.run import StageFolder
    from witbuild.stage import Inputs, Stage


@dataclass(frozen=True, kw_only=True)
class Made:
    """A whole step of a run, or one round of it."""

    stage: Stage
    run: Run
    folder: StageFolder
    manifest: Manifest
    inputs: Inputs
    """Kind -> paths of the parts that it read."""
    upstream: Mapping[str, str]
    """Kind -> fingerprint of what lies there now; another than the manifest's where something was replaced."""

    def paths(self, kind: str = "") -> tuple[str, ...]:
        """Return the paths of its table's parts, or of its side files of a kind, in order."""
        return self.run.paths(self.manifest, kind or self.stage.output)


def replay(root: str, *, tombstones: bool = True) -> Iterator[Made]:
    """Yield the whole steps of a run in their order, up to the first that is not.

    Args:
        root: of the run.
        tombstones: count the run's own among what a step reads.

    Raises:
        InputError: the folder holds no run.
    """
    recipe, run, shelf = recorded(root), Run(root), Shelf()
    if recipe is None:
        raise InputError(f"{root}: not a run directory (it has no recipe.yaml)")
    for kind, path in recipe.inputs.items():
        shelf.add_external(kind, path)
    if tombstones and store.exists(path := store.join(root, TOMBSTONES)):
        shelf.add_tombstones(path)
    for step in expand(recipe.stages):
        rounds = step.stage.rounds
        for number in range(1, rounds + 1):
            folder = run.folder(step.number, step.stage.name, number if rounds > 1 else 0)
            manifest = folder.manifest()
            if manifest is None:
                return
            inputs = shelf.inputs(step.stage)
            upstream = shelf.upstream(inputs)
            yield Made(stage=step.stage, run=run, folder=folder, manifest=manifest, inputs=inputs, upstream=upstream)
            shelf.add(run, manifest, (step.stage.output, *step.stage.files))
            if step.stage.settled(manifest.rows, manifest.dropped):
                break
