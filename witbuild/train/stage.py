"""`train` as a stage: its parameters, its one task, calls into the modules beside this one.

RUN/dataset/data/*.tar ── train ──> metrics; model .safetensors, config .json, log .jsonl
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from witbuild.errors import MissingExtraError, RecipeError
from witbuild.stage import Part, Stage, Task, runtime

if TYPE_CHECKING:
    from collections.abc import Iterator

    from witbuild.stage import Inputs


def needs_torch(what: str) -> None:
    """Check that the extra is there, and let torch's idle threads sleep."""
    if any(importlib.util.find_spec(module) is None for module in ("torch", "open_clip", "safetensors")):
        raise MissingExtraError(f"witbuild {what}", "train")
    # Read when torch is loaded: threads that spin at barriers cost tenfold where cores are shared with other work.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")


class Train(Stage):
    """Train a CLIP on the tars with the contrastive loss; the defaults are the paper's recipe."""

    name: ClassVar = "train"
    reads: ClassVar = ("tars",)
    output: ClassVar = "metrics"
    files: ClassVar = {"model": ".safetensors", "config": ".json", "log": ".jsonl"}
    reproducible: ClassVar = False

    model: str = "ViT-B-32"
    """A model of open_clip by name, `tiny` for a demonstration on a CPU, or a JSON file in open_clip's form."""
    batch_size: int = Field(32_768, ge=2)
    """Pairs in a step, each one the others' negative."""
    epochs: int = Field(32, ge=1)
    """How often every pair is seen."""
    lr: float | None = Field(None, gt=0)
    """Peak learning rate; unset: the paper's for the model."""
    wd: float = Field(0.2, ge=0)
    """Decoupled weight decay, of weights only."""
    beta1: float = Field(0.9, ge=0, lt=1)
    """Decay of AdamW's first moment."""
    beta2: float | None = Field(None, ge=0, lt=1)
    """Decay of AdamW's second moment; unset: the paper's, 0.999 for ResNets and 0.98 for others."""
    eps: float | None = Field(None, gt=0)
    """AdamW's epsilon; unset: the paper's, 1e-8 for ResNets and 1e-6 for others."""
    warmup: int = Field(2_000, ge=0)
    """Steps over which the learning rate rises; half a cosine follows."""
    image_size: int | None = Field(None, ge=8)
    """Side of the square crops, pixels; unset: the model's own."""
    resize: int | None = Field(None, ge=8)
    """Shorter side of images before the crop, pixels; unset: 8/7 of image_size, as in 256 for 224."""
    precision: Literal["auto", "fp32", "amp_bf16"] = "auto"
    """Of the encoders; auto: amp_bf16 on CUDA, fp32 on a CPU."""
    seed: int = Field(0, ge=0, lt=1 << 32)
    """Of the first weights, the order of samples and the crops."""
    checkpoint_every: int = runtime(1_000, ge=1)
    """Steps between checkpoints; a killed run goes on from the last one."""
    device: str = runtime("auto")
    """auto, cpu, cuda or cuda:1; auto takes CUDA where there is some."""
    threads: int = runtime(0, ge=0)
    """CPU threads of the network; 0: as many as the process may use."""
    decode_threads: int = runtime(0, ge=0)
    """Threads that decode images; 0: as many as the process may use cores."""

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield the one task: all tars but those of the split val."""
        tars = tuple(path for path in tars_among(inputs["tars"]) if not is_val(path))
        if not tars:
            raise RecipeError("stage train: no tars to train on among its input `tars`")
        yield Task(0, {"tars": tars})

    def process(self, task: Task) -> Part:
        """Train, or go on training where a killed attempt stood."""
        needs_torch("train")
        from witbuild.io import tables
        from witbuild.schema import METRICS
        from witbuild.train import export, run

        trainer, dropped = run.train(self, task)
        paths = {kind: task.scratch_file(f"{kind}{extension}") for kind, extension in self.files.items()}
        export.write_weights(paths["model"], trainer.model)
        export.write_config(paths["config"], run.configuration(self), self.seed)
        rows = [row._asdict() for row in trainer.rows]
        return Part(tables.from_rows(rows, METRICS), dropped=dropped, files=paths)


def tars_among(paths: tuple[str, ...]) -> list[str]:
    """Return the tars among the files of a folder."""
    return [path for path in paths if path.endswith(".tar")]


def is_val(path: str) -> bool:
    """Say whether a tar is of the split val, which is never trained on."""
    return path.rsplit("/", 1)[-1].startswith("val-")
