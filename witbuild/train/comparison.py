"""`objectives` as a stage: one training a task, and how soon each gets how good; the work is in compare.py.

tars ── objective 1, seed 0 ──┐
     ── objective 1, seed 1 ──┼─> curves: samples, seconds, accuracy
     ── objective 2, seed 0 ──┘
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from pydantic import Field

from witbuild.errors import RecipeError
from witbuild.stage import Part, Stage, Task, digested, runtime
from witbuild.train.stage import Train, is_val, needs_torch, tars_among

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from witbuild.stage import Inputs


class Objectives(Stage):
    """Train by several objectives on the same tars and follow their zero-shot accuracy, as in CLIP's figure 2."""

    name: ClassVar = "objectives"
    reads: ClassVar = ("tars",)
    output: ClassVar = "curves"
    reproducible: ClassVar = False

    arms: dict[str, dict[str, Any]] = Field(min_length=1)
    """What is compared: a name -> parameters of `train` that are its own."""
    common: dict[str, Any] = {}  # noqa: RUF012 pydantic copies it
    """Parameters of `train` that all have."""
    seeds: tuple[int, ...] = (0, 1, 2)
    """Of first weights, order and crops; each is a training of each arm."""
    evaluate_every: int = Field(50, ge=1)
    """Steps between measurements."""
    data: str = digested("")
    """The labelled set to measure on: tars with a member cls, or a folder with a folder of images for each class."""
    classes: str = digested("")
    """File of class names, a line each, in the order of their numbers; unset: the names in the data."""
    templates: str = digested("")
    """File of prompts, a line each, {} standing for the class; unset: "a photo of a {}."."""
    decode_threads: int = runtime(1, ge=1)
    """Threads that decode images."""

    def training(self, arm: str, seed: int) -> Train:
        """Return the training of an arm."""
        return Train(**{**self.common, **self.arms[arm], "seed": seed, "decode_threads": self.decode_threads})

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield a task for each arm and seed."""
        tars = tuple(path for path in tars_among(inputs["tars"]) if not is_val(path))
        if not tars or not self.data:
            raise RecipeError("stage objectives: it needs tars to train on and a labelled set to measure on (`data`)")
        for number, arm in enumerate(self.arms):
            self.training(arm, 0)  # what is wrong with an arm is said before anything is trained
            for place, seed in enumerate(self.seeds):
                yield Task(number * len(self.seeds) + place, {"tars": tars}, {"arm": number, "seed": seed})

    def process(self, task: Task) -> Part:
        """Train one arm with one seed, measuring it on its way."""
        needs_torch("objectives")
        from witbuild.io import tables
        from witbuild.schema import CURVES
        from witbuild.train.compare import curve

        arm, seed = list(self.arms)[task.arguments["arm"]], task.arguments["seed"]
        stage = self.training(arm, seed)
        shared: Mapping[str, object] = {"arm": arm, "objective": stage.objective, "model": stage.model, "seed": seed}
        return Part(tables.from_rows([{**shared, **point} for point in curve(self, stage, task)], CURVES))
