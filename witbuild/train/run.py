"""A training run out of the stage's parameters: which parts, made how."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING, Any

from witbuild.train.captions import tokenise
from witbuild.train.device import choose, cores
from witbuild.train.index import read_pairs
from witbuild.train.loop import Data, Trainer
from witbuild.train.model import architecture, build, context_length, padded
from witbuild.train.order import Order
from witbuild.train.pixels import Loader
from witbuild.train.schedule import Optimisation, paper_lr, paper_moments

if TYPE_CHECKING:
    from witbuild.stage import Task
    from witbuild.train.index import Pairs
    from witbuild.train.stage import Train


def configuration(stage: Train) -> dict[str, Any]:
    """Return the model's configuration."""
    return architecture(stage.model, stage.image_size)


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


def train(stage: Train, task: Task) -> tuple[Trainer, dict[str, int]]:
    """Train to the end and return the trainer, and the samples left out by reason."""
    device = choose(stage.device, stage.threads)
    pairs = read_pairs(task.sources["tars"])
    model = build(configuration(stage), stage.seed).to(device)
    trainer = Trainer(model, optimisation(stage), epochs=stage.epochs, seed=stage.seed, precision=stage.precision)
    folder = Path(task.scratch)
    folder.mkdir(parents=True, exist_ok=True)
    data = _data(stage, pairs)
    with closing(data.loader):
        trainer.run(data, folder, stage.checkpoint_every)
    corrupt = {"corrupt_image": len(data.loader.corrupt)} if data.loader.corrupt else {}
    return trainer, pairs.dropped | corrupt


def _data(stage: Train, pairs: Pairs) -> Data:
    config = configuration(stage)
    size, length = config["vision_cfg"]["image_size"], context_length(config)
    side = stage.resize or round(size * 8 / 7)
    return Data(
        order=Order(len(pairs.captions), stage.batch_size, stage.seed),
        loader=Loader(pairs.images, size=size, side=max(side, size), workers=stage.decode_threads or cores()),
        captions=tokenise(pairs.captions, length),
        length=length if padded(config) else None,
    )
