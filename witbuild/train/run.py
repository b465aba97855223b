"""A training run out of the stage's parameters, in one process: which parts, made how.

The leading process leaves in the task's scratch folder what the stage publishes, and what a next attempt goes on from:

    SCRATCH/model.safetensors  config.json  log.jsonl  dropped.json
    SCRATCH/index/*.npy        step-*.pt
"""

from __future__ import annotations

import json
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from witbuild.errors import RecipeError
from witbuild.io import store
from witbuild.train import attention, checkpoints, export, objectives, report, start
from witbuild.train.data import Indexed
from witbuild.train.device import choose, cores, peak
from witbuild.train.flops import pair_flops
from witbuild.train.launch import LAST
from witbuild.train.loop import Settings, Trainer
from witbuild.train.model import architecture, build, context_length
from witbuild.train.order import Order
from witbuild.train.pixels import Loader
from witbuild.train.schedule import Optimisation, paper_lr, paper_moments
from witbuild.train.shelf import indexed
from witbuild.train.sources import is_stream, weights
from witbuild.train.state import whole_weights
from witbuild.train.stream import Streamed
from witbuild.train.world import joined
from witbuild.train.wrap import LARGE

if TYPE_CHECKING:
    from torch import nn

    from witbuild.stage import Task
    from witbuild.train.data import Data
    from witbuild.train.shelf import Index
    from witbuild.train.stage import Train
    from witbuild.train.world import World


def configuration(stage: Train) -> dict[str, Any]:
    """Return the model's configuration."""
    return objectives.configured(architecture(stage.model, stage.image_size), stage.objective, stage.vocabulary)


def optimisation(stage: Train) -> Optimisation:
    """Return the optimiser's settings, the paper's where none are given."""
    beta2, eps = paper_moments(stage.model)
    return Optimisation(
        lr=stage.lr or paper_lr(stage.model),
        wd=stage.wd,
        beta1=stage.beta1,
        beta2=beta2 if stage.beta2 is None else stage.beta2,
        eps=stage.eps or eps,
        warmup=stage.warmup,
    )


def train(stage: Train, task: Task) -> None:
    """Train to the end, with the processes that torchrun started beside this one if it did."""
    device = choose(stage.device, stage.threads)
    with joined(device) as world:
        trainer, data = assembled(stage, task, world, device)
        with closing(data):
            _go(stage, task, trainer, data)
        _leave(stage, task, trainer, data)


def assembled(stage: Train, task: Task, world: World, device: torch.device) -> tuple[Trainer, Data]:
    """Return a trainer that stands before its first step, and its data, which is to be closed."""
    data = _streamed(stage, task, world) if _is_streamed(stage, task) else _indexed(stage, task, world)
    return _trainer(stage, data, world, device), data


def _crops(stage: Train) -> tuple[int, int]:
    """Return the side of the crops, and of the images' shorter sides before."""
    size = int(configuration(stage)["vision_cfg"]["image_size"])
    return size, max(size, stage.resize or round(size * 8 / 7))


def _indexed(stage: Train, task: Task, world: World) -> Indexed:
    """Return data by an index: the leading process makes it, then all look into it."""
    folder, length = Path(task.scratch) / "index", context_length(configuration(stage))

    def look() -> Index:
        return indexed(
            task.sources["tars"],
            folder,
            context_length=length,
            caption_key=stage.caption_key,
            label_key=stage.label_key if stage.objective == "unicl" else "",
            workers=cores(),
        )

    index = look() if world.leads else None
    world.agreed(None)
    index = index or look()
    counts = index.counts([count for _, count in sorted(task.arguments.items(), key=_number)])
    factors = weights(stage.train_data_upsampling_factors, len(counts))
    order = Order(tuple(counts), stage.batch_size, stage.seed, factors, stage.train_num_samples)
    size, side = _crops(stage)
    loader = Loader(index.images, size=size, side=side, workers=_decoders(stage, world))
    return Indexed(order, loader, index.captions, world, index.dropped, index.labels)


def _streamed(stage: Train, task: Task, world: World) -> Streamed:
    size, side = _crops(stage)
    return Streamed(
        task.sources["tars"],
        stage.batch_size,
        stage.train_num_samples,
        stage.seed,
        size,
        side,
        context_length(configuration(stage)),
        stage.caption_key,
        world,
        _decoders(stage, world),
    )


def _is_streamed(stage: Train, task: Task) -> bool:
    streams = [path for path in task.sources["tars"] if is_stream(path)]
    if streams and (stage.train_data_upsampling_factors or stage.objective in objectives.PREDICTIVE):
        raise RecipeError(
            f"stage train: {streams[0]} is a stream, which has no index; upsampling factors and the objectives bow, "
            "caption and virtex need one: train on plain tars"
        )
    return bool(streams)


def _decoders(stage: Train, world: World) -> int:
    return stage.decode_threads or max(1, cores() // world.size)


def _number(argument: tuple[str, int]) -> int:
    return int(argument[0].rpartition(" ")[2])


def _trainer(stage: Train, data: Data, world: World, device: torch.device) -> Trainer:
    config = configuration(stage)
    model = build(config, stage.seed)
    captions = data.captions if isinstance(data, Indexed) else None
    if captions is not None:
        objectives.prepare(model, captions)
    if stage.pretrained:
        start.load(model, stage.pretrained)
    large = sum(parameter.numel() for parameter in model.parameters()) >= LARGE
    settings = Settings(
        epochs=stage.epochs,
        seed=stage.seed,
        precision=stage.precision,
        micro_batch=stage.micro_batch,
        clip_norm=stage.grad_clip_norm,
        moving_average=stage.ema,
        spread=world.size > 1 and (stage.fsdp == "always" or (stage.fsdp == "auto" and large)),
        pair_flops=pair_flops(model, config["vision_cfg"]["image_size"], captions.mean_length() if captions else 0),
        peak_flops=peak(device),
    )
    prepared = _prepared(stage, model.to(device))
    objective = objectives.OBJECTIVES[stage.objective](stage.image_weight)
    return Trainer(prepared, objective, optimisation(stage), settings, world)


def _prepared(stage: Train, model: nn.Module) -> nn.Module:
    """Return a model with what makes it quicker or smaller and changes no result."""
    attention.look_back(model)
    if any(isinstance(module, torch.nn.Conv2d) and module.kernel_size[0] < 8 for module in model.modules()):
        model = model.to(memory_format=torch.channels_last)
    if stage.grad_checkpointing:
        start.checkpoint_activations(model)
    if stage.torchcompile:
        start.compile_encoders(model)
    return model


def _go(stage: Train, task: Task, trainer: Trainer, data: Data) -> None:
    world, scratch = trainer.world, Path(task.scratch)
    kept = checkpoints.Checkpoints(
        stage.checkpoints or task.scratch,
        every_steps=stage.checkpoint_every,
        every_seconds=60 * stage.checkpoint_minutes,
        keep=stage.keep_checkpoints,
        keep_every=stage.keep_every,
    )
    state = None
    if stage.resume not in ("latest", "none"):
        state = checkpoints.load(stage.resume)
    elif stage.resume == "latest":
        state = kept.latest()
    if state is not None:
        trainer.restore(state, data)
    total, shown = stage.epochs * data.steps_per_epoch, stage.model_dump(mode="json")
    logs = report.logs(scratch, trainer.rows, total, stage.report_to, shown) if world.leads else []
    try:
        trainer.run(data, kept, logs)
    finally:
        for log in logs:
            log.close()


def _leave(stage: Train, task: Task, trainer: Trainer, data: Data) -> None:
    """Write what the stage publishes; all processes take part."""
    found = whole_weights(trainer.model, trainer.average)
    corrupt = set[int]().union(*trainer.world.all(data.corrupt))
    dropped = data.dropped | ({"corrupt_image": len(corrupt)} if corrupt else {})
    if trainer.world.leads:
        export.write_weights(task.scratch_file("model.safetensors"), found)
        export.write_config(task.scratch_file("config.json"), configuration(stage), stage.seed)
        store.commit_bytes(str(task.scratch_file(LAST)), json.dumps(dropped).encode())
