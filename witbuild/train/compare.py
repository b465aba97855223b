"""A training that is measured on its way: accuracy over samples seen and CPU seconds, those of measuring left out."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any

import torch

from witbuild.stage import Task
from witbuild.train import labelled
from witbuild.train.device import choose
from witbuild.train.encoder import Encoder
from witbuild.train.evaluate import TEMPLATE
from witbuild.train.features import BATCH
from witbuild.train.heads import CaptionHead
from witbuild.train.run import assembled, configuration
from witbuild.train.world import ALONE
from witbuild.train.zeroshot import hits_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

    from witbuild.train.comparison import Objectives
    from witbuild.train.loop import Trainer
    from witbuild.train.stage import Train


class Watch:
    """A log of a training that measures every so many steps, and keeps what it found."""

    def __init__(self, stage: Objectives, trainer: Trainer, encoder: Encoder) -> None:
        self.points: list[dict[str, Any]] = []
        self._every, self._trainer, self._encoder = stage.evaluate_every, trainer, encoder
        data = labelled.read(stage.data, labelled.lines(stage.classes) if stage.classes else [])
        (self._pixels,), numbers = encoder.over(data.images, lambda pixels: pixels)
        self._labels = torch.from_numpy(data.labels[numbers]).to(encoder.device)
        self._names = data.names
        self._templates = labelled.lines(stage.templates) if stage.templates else [TEMPLATE]
        self._spent, self._since = 0.0, time.process_time()

    def write(self, values: Mapping[str, Any]) -> None:
        """Measure when it is time."""
        if self._trainer.step >= self._due():
            self.measure(values["loss"])

    def close(self) -> None:
        """Do nothing."""

    def measure(self, loss: float) -> None:
        """Measure, the clock of the training standing still."""
        self._spent += time.process_time() - self._since
        step = self._trainer.step
        point = {"step": step, "seconds": self._spent, "loss": loss, "accuracy": self._accuracy()}
        self.points.append(point)
        self._since = time.process_time()

    def _due(self) -> int:
        return self._every * (1 + (self.points[-1]["step"] // self._every if self.points else 0))

    @torch.no_grad()
    def _accuracy(self) -> float:
        model = self._encoder.model.eval()
        judge = self._encoder.judge(self._names, self._forms())
        scores: Tensor = torch.cat([judge(pixels) for pixels in self._pixels.split(BATCH)])
        model.train()
        return hits_of(scores, self._labels, (1,))[0]

    def _forms(self) -> list[str]:
        """Return the templates; for caption models the first alone, as each costs them a pass over all images."""
        captions = isinstance(getattr(self._encoder.model, "head", None), CaptionHead)
        return self._templates[:1] if captions else self._templates


def curve(stage: Objectives, train: Train, task: Task) -> list[dict[str, Any]]:
    """Train to the end and return the points of the curve: step, samples_seen, seconds, loss, accuracy."""
    one = Task(0, task.sources, {"source 0": len(task.sources["tars"])}, task.scratch)
    trainer, data = assembled(train, one, ALONE, choose(train.device, train.threads))
    watch = Watch(stage, trainer, Encoder(trainer.model, configuration(train), stage.decode_threads))
    try:
        trainer.run(data, logs=[watch])
    finally:
        data.close()
    if watch.points[-1]["step"] < trainer.step:
        watch.measure(trainer.rows[-1].loss)
    return [point | {"samples_seen": point["step"] * train.batch_size} for point in watch.points]
