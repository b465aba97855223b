"""`eval` as a stage: its parameters and its one task; what it measures is in evaluate.py.

model, config, labelled sets, tars of pairs ── eval ──> scores
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from pydantic import Field

from witbuild.errors import RecipeError
from witbuild.stage import Part, Stage, Task, digested, runtime
from witbuild.train.stage import is_val, needs_torch, tars_among

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.stage import Inputs


class Eval(Stage):
    """Measure a model: zero-shot, by retrieval, by probes, under shifts, group by group."""

    name: ClassVar = "eval"
    version: ClassVar = 2
    reads: ClassVar = ("model",)
    optional: ClassVar = ("config", "tars")
    output: ClassVar = "scores"
    reproducible: ClassVar = False

    data: list[str] = digested([])
    """Labelled sets: tars with a member cls, or folders with a folder of images for each class."""
    classes: str = digested("")
    """File of class names, a line each, in the order of their numbers; unset: the names in the data."""
    templates: str = digested("")
    """File of prompts, a line each, {} standing for the class; unset: "a photo of a {}."."""
    retrieval: list[str] = digested([])
    """Tars of pairs to find each other; unset: the split val of the run, when it has one."""
    fit: list[str] = digested([])
    """Labelled sets that probes are fitted on, one for all of `data` or one for each; none: no probes."""
    probe_iterations: int = Field(1_000, ge=1)
    """Most iterations of L-BFGS in a probe."""
    shots: tuple[int, ...] = (1, 2, 4, 8, 16)
    """Images of each class in few-shot probes; a number that some class has not is left out."""
    draws: int = Field(3, ge=1)
    """How often the images of a few-shot probe are drawn; their mean and deviation is told."""
    shifted: list[str] = digested([])
    """Labelled sets of the first set's classes under a shift, to be compared with it."""
    baselines: str = digested("")
    """CSV of model, task, accuracy of other models: effective robustness is told against their line."""
    label_sets: list[str] = digested([])
    """Files of labels, a line each and a category after a tab; `data` is classified among each of them too."""
    groups: str = digested("")
    """CSV of samples' keys and columns to group by: accuracies and categories are told group by group too."""
    seed: int = Field(0, ge=0)
    """Of what probes draw and hold back."""
    device: str = runtime("auto")
    """auto, cpu, cuda or cuda:1; auto takes CUDA where there is some."""
    threads: int = runtime(0, ge=0)
    """CPU threads of the network; 0: as many as the process may use."""
    decode_threads: int = runtime(0, ge=0)
    """Threads that decode images; 0: as many as the process may use cores."""

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield the one task."""
        held = tuple(path for path in tars_among(inputs.get("tars", ())) if is_val(path))
        if not (self.data or self.retrieval or held):
            raise RecipeError(
                "stage eval: nothing to evaluate on; name labelled sets (`data`), tars of pairs (`retrieval`), "
                "or let shard hold some pairs back (`val_fraction`)"
            )
        self._check()
        sources = model_files(inputs)
        yield Task(0, {**sources, "tars": held} if held else sources)

    def _check(self) -> None:
        if len(self.fit) not in {0, 1, len(self.data)}:
            raise RecipeError(
                f"stage eval: {len(self.fit)} sets in `fit` for {len(self.data)} in `data`; name one each"
            )
        if self.shifted and not self.data:
            raise RecipeError("stage eval: `shifted` needs the set to compare with first in `data`")

    def process(self, task: Task) -> Part:
        """Measure."""
        needs_torch("eval")
        from witbuild.io import tables
        from witbuild.schema import SCORES
        from witbuild.train.evaluate import evaluate

        return Part(tables.from_rows(evaluate(self, task.sources), SCORES))


def model_files(inputs: Inputs) -> dict[str, tuple[str, ...]]:
    """Return the one file of weights and the one of its configuration, of a run or of a released model's folder.

    Example:
        >>> model_files({"model": ("m/README.md", "m/open_clip_config.json", "m/open_clip_model.safetensors")})
        {'model': ('m/open_clip_model.safetensors',), 'config': ('m/open_clip_config.json',)}
        >>> model_files({"model": ("run/model/0.safetensors",), "config": ("run/config/0.json",)})
        {'model': ('run/model/0.safetensors',), 'config': ('run/config/0.json',)}
    """
    weights = [path for path in inputs["model"] if path.endswith(".safetensors")]
    # a released model's own configuration counts, not that of the run which it is measured in
    configs = [path for path in inputs["model"] if path.endswith("_config.json")] or list(inputs.get("config", ()))
    weights = [path for path in weights if path.endswith("open_clip_model.safetensors")] or weights
    if not weights:
        raise RecipeError("stage eval: no weights (.safetensors) among the files of the input `model`")
    if not configs:
        raise RecipeError(
            "stage eval: no open_clip_config.json among the files of the input `model`; name one: --config"
        )
    return {"model": (weights[-1],), "config": (configs[-1],)}
