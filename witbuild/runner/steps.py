"""From a list of stages to numbered steps, and from what a run holds to the inputs of the next step."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from witbuild.errors import InputError, RecipeError
from witbuild.io import store
from witbuild.io.manifest import digest_paths, dumps
from witbuild.io.run import RECIPE, Run
from witbuild.schema import TABLES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from witbuild.io.manifest import Manifest
    from witbuild.stage import Inputs, Stage


ROLES = {"against": "pairs"}
"""Kind of input -> the kind of table that another run has for it, where the names differ."""


_MAGIC = (b"PAR1", b"ARROW1")


@dataclass(frozen=True)
class Step:
    """A stage in its place: `item` counts the recipe's lines, `number` the folders."""

    number: int
    item: int
    stage: Stage


def expand(stages: Iterable[Stage]) -> list[Step]:
    """Return the steps of a recipe's stages, numbered from 1."""
    flat = [(item, step) for item, stage in enumerate(stages) for step in stage.steps()]
    return [Step(number, item, stage) for number, (item, stage) in enumerate(flat, 1)]


@dataclass
class Shelf:
    """The newest parts of every kind, and the fingerprint and rows of what made them."""

    paths: dict[str, tuple[str, ...]] = field(default_factory=dict)
    fingerprints: dict[str, str] = field(default_factory=dict)
    rows: dict[str, int] = field(default_factory=dict)

    def add(self, run: Run, manifest: Manifest, kinds: Iterable[str]) -> None:
        """Put what a whole stage made on the shelf, in place of what lay there of the same kinds."""
        for kind in kinds:
            self.paths[kind] = run.paths(manifest, kind)
            self.fingerprints[kind] = manifest.fingerprint
        self.rows[manifest.output] = manifest.rows

    def add_external(self, kind: str, path: str) -> None:
        """Put another run's, or a folder's or file's, parts on the shelf."""
        if store.exists(store.join(path, RECIPE)):
            other = Run(path)
            made = ROLES.get(kind, kind)
            manifest = other.newest(made)[1]
            self.paths[kind], self.fingerprints[kind] = other.paths(manifest, made), manifest.fingerprint
            return
        found = store.expand(path)
        if not found:
            raise InputError(f"input {kind}: {path}: no such run, folder or file")
        if kind in TABLES:
            _check_tables(kind, found)
        self.paths[kind] = tuple(found)
        self.fingerprints[kind] = hashlib.sha256(dumps(digest_paths(path))).hexdigest()

    def add_tombstones(self, path: str) -> None:
        """Put the run's own tombstones on the shelf, beside any from elsewhere.

        They have no fingerprint: a takedown changes what a finished run holds, not what it was asked to make, and the
        root says so.
        """
        self.paths["tombstones"] = (path, *self.paths.get("tombstones", ()))

    def inputs(self, stage: Stage) -> Inputs:
        """Return what a stage reads.

        Raises:
            RecipeError: something that it needs is not there.
        """
        for kind in stage.reads:
            if kind not in self.paths:
                raise RecipeError(
                    f"stage {stage.name} reads {kind}, and nothing before it makes {kind}; "
                    f"put a stage that does before it, or name one: --{kind} PATH (`inputs: {{{kind}: PATH}}`)"
                )
        return {kind: self.paths[kind] for kind in (*stage.reads, *stage.optional) if kind in self.paths}

    def upstream(self, inputs: Inputs) -> Mapping[str, str]:
        """Return the fingerprints of what made some inputs."""
        return {kind: self.fingerprints[kind] for kind in inputs if kind in self.fingerprints}


def _check_tables(kind: str, paths: Iterable[str]) -> None:
    """Refuse files from elsewhere that are no tables, before any work; a text list of queries is the usual one."""
    for path in paths:
        with store.open_read(path) as stream:
            if stream.read(6).startswith(_MAGIC):
                continue
        made = (
            "; `witbuild queries --lists FILE --out queries.parquet` makes one of a text" if kind == "queries" else ""
        )
        raise InputError(f"input {kind}: {path}: not a table of witbuild, which is a parquet file{made}")


def check_order(steps: Sequence[Step], given: Iterable[str]) -> None:
    """Refuse, before any work, what can not work: a stage that reads what nothing before it makes, or stands twice."""
    names = [step.stage.name for step in steps if step.stage.once]
    for name in {name for name in names if names.count(name) > 1}:
        raise RecipeError(f"stage {name} stands {names.count(name)} times; a run can have it once only")
    shelf = Shelf(paths=dict.fromkeys(given, ()))
    for step in steps:
        shelf.inputs(step.stage)
        shelf.paths.update(dict.fromkeys((step.stage.output, *step.stage.files), ()))


def first_step(steps: Sequence[Step], name: str) -> Step:
    """Return the first step of the first stage of a name; `dedup` finds `dedup.bands`.

    Raises:
        RecipeError: there is none.
    """
    for step in steps:
        if name in {step.stage.name, step.stage.name.split(".", 1)[0]}:
            return step
    names = dict.fromkeys(step.stage.name.split(".", 1)[0] for step in steps)
    raise RecipeError(f"there is no stage {name!r} in this recipe; it has {', '.join(names)}")


def until(steps: Sequence[Step], name: str) -> list[Step]:
    """Return the steps up to and with the last stage of a name."""
    first_step(steps, name)
    last = max(step.item for step in steps if step.stage.name.split(".", 1)[0] == name)
    return [step for step in steps if step.item <= last]
