"""`train` as a stage: its parameters, its one task, calls into the modules beside this one.

RUN/dataset/data/*.tar ── train ──> metrics; model .safetensors, config .json, log .jsonl
"""

from __future__ import annotations

import importlib.util
import os
from typing import TYPE_CHECKING, ClassVar, Literal

from pydantic import Field

from witbuild.errors import MissingExtraError, RecipeError
from witbuild.stage import Part, Stage, Task, digested, runtime

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
    reads: ClassVar[tuple[str, ...]] = ("tars",)
    output: ClassVar = "metrics"
    files: ClassVar = {"model": ".safetensors", "config": ".json", "log": ".jsonl"}
    reproducible: ClassVar = False

    model: str = "ViT-B-32"
    """A model of open_clip by name, `tiny` for a demonstration on a CPU, or a JSON file in open_clip's form."""
    objective: Literal["clip", "siglip", "unicl", "bow", "caption", "virtex"] = "clip"
    """What is learned: which pairs belong together (clip, siglip; unicl: all under one caption do), or the captions."""
    image_weight: float = Field(0.5, ge=0, le=1)
    """Weight of naming an image's text in clip and unicl, the rest is of naming a text's image; ConVIRT: 0.75."""
    vocabulary: int = Field(10_000, ge=3, le=49_408)
    """Words that bow, caption and virtex predict: the token ids most frequent in the captions."""
    pretrained: list[str] = digested([])
    """Weights to begin with, .safetensors of the same model, of any image_size; of several the mean (a model soup)."""
    train_data: str = ""
    """Tars instead of the run's: sources with :: between, each with braces, globs or a folder, or streams (`pipe:`)."""
    train_data_upsampling_factors: str = ""
    """How often a pair of each source is seen, numbers with :: between; unset: all alike."""
    train_num_samples: int = Field(0, ge=0)
    """Pairs in an epoch; 0: as many as there are. Streams have no count of their own and need one."""
    caption_key: str = ""
    """Field of the member json that holds the caption; unset: the member txt, or else the field caption or text."""
    label_key: str = ""
    """Member (such as cls) or field of json that labels a pair, for unicl: all of one label are pairs; unset: none."""
    batch_size: int = Field(32_768, ge=2)
    """Pairs in a step, over all processes, each one the others' negative."""
    micro_batch: int = runtime(0, ge=0)
    """Pairs that a process encodes at once, the loss still over all of the step; 0: all of its part."""
    epochs: int = Field(32, ge=0)
    """How often every pair is seen; 0 leaves the model as it begins."""
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
    grad_clip_norm: float = Field(0, ge=0)
    """A gradient longer than this is made this long; 0: none is, as in the paper."""
    ema: float = Field(0, ge=0, lt=1)
    """Decay of a moving average of the weights, which is then the model written, such as 0.999; 0: none."""
    image_size: int | None = Field(None, ge=8)
    """Side of the square crops, pixels; unset: the model's own."""
    resize: int | None = Field(None, ge=8)
    """Shorter side of images before the crop, pixels; unset: 8/7 of image_size, as in 256 for 224."""
    precision: Literal["auto", "fp32", "amp_bf16"] = "auto"
    """Of the encoders; auto: amp_bf16 on CUDA, fp32 on a CPU."""
    seed: int = Field(0, ge=0, lt=1 << 32)
    """Of the first weights, the order of samples and the crops."""
    resume: str = runtime("latest")
    """Go on from the `latest` checkpoint there is, from `none`, or from one by its path."""
    checkpoints: str = runtime("")
    """Folder or object store's URL of checkpoints, which then outlive the run; unset: beside the unfinished result."""
    checkpoint_every: int = runtime(1_000, ge=1)
    """Steps between checkpoints; a killed run goes on from the last one."""
    checkpoint_minutes: float = runtime(0, ge=0)
    """Minutes after which there is a checkpoint in any case; 0: by steps alone."""
    keep_checkpoints: int = runtime(1, ge=1)
    """How many of the newest checkpoints stay."""
    keep_every: int = runtime(0, ge=0)
    """Checkpoints of multiples of so many steps stay for good; 0: none."""
    report_to: str = runtime("")
    """Logs beside log.jsonl: tensorboard, wandb, or both with a comma between."""
    device: str = runtime("auto")
    """auto, cpu, cuda or cuda:1; auto takes CUDA where there is some."""
    processes: int = runtime(0, ge=0)
    """Processes that train together on this machine, by torchrun; 0: one for each CUDA device, one on a CPU."""
    fsdp: Literal["auto", "always", "never"] = runtime("auto")
    """Whether several processes spread the weights among themselves; auto: from 300 million parameters, as ViT-L."""
    torchcompile: bool = runtime(default=False)
    """Compile the encoders: slow to start, then faster."""
    grad_checkpointing: bool = runtime(default=False)
    """Compute activations of the encoders again backward instead of keeping them."""
    threads: int = runtime(0, ge=0)
    """CPU threads of the network; 0: as many as the process may use."""
    decode_threads: int = runtime(0, ge=0)
    """Threads that decode images; 0: as many as the process may use cores."""

    def steps(self) -> tuple[Stage, ...]:
        """Return this stage, as one that reads nothing of the run when it has train_data."""
        return (TrainElsewhere(**self.model_dump()),) if self.train_data else (self,)

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        """Yield the one task, all tars but those of the split val: source by source, `source 0`, ... are how many."""
        from witbuild.train.sources import sources

        own = [path for path in tars_among(inputs.get("tars", ())) if not is_val(path)]
        found = sources(self.train_data) if self.train_data else [own]
        if not found[0]:
            raise RecipeError(
                "stage train: no tars to train on among its input `tars`; put shard before it, or name some: "
                "--tars PATH, or train_data"
            )
        counts = {f"source {number}": len(tars) for number, tars in enumerate(found)}
        yield Task(0, {"tars": tuple(path for tars in found for path in tars)}, counts)

    def process(self, task: Task) -> Part:
        """Train, or go on training where a killed attempt stood."""
        needs_torch("train")
        from witbuild.train import launch

        return launch.train(self, task)


class TrainElsewhere(Train):
    """Train on tars that are no input of the run."""

    reads: ClassVar[tuple[str, ...]] = ()


def tars_among(paths: tuple[str, ...]) -> list[str]:
    """Return the tars among the files of a folder."""
    return [path for path in paths if path.endswith(".tar")]


def is_val(path: str) -> bool:
    """Say whether a tar is of the split val, which is never trained on."""
    return path.rsplit("/", 1)[-1].startswith("val-")
