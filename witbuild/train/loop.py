"""The training loop: from samples by offset to weights; after a kill it goes on at the step where it stood.

order ─> sample numbers ─> loader ─> uint8 crops ┐
                        └> captions ─> token ids ┴> towers ─> loss ─> AdamW     (one step)
"""

from __future__ import annotations

import json
import math
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import torch

from witbuild.train import checkpoints
from witbuild.train.device import casting
from witbuild.train.loss import contrastive_loss
from witbuild.train.model import normalised
from witbuild.train.pixels import corners
from witbuild.train.schedule import learning_rate, optimiser

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    import numpy as np
    import numpy.typing as npt
    from torch import Tensor, nn

    from witbuild.train.captions import Captions
    from witbuild.train.order import Order
    from witbuild.train.pixels import Loader
    from witbuild.train.schedule import Optimisation

MAX_SCALE = 100.0
"""The logit scale is clipped here (Radford et al. 2021, section 2.5)."""


class Row(NamedTuple):
    """A row of schema.METRICS."""

    step: int
    samples_seen: int
    loss: float
    scale: float
    learning_rate: float


@dataclass(frozen=True)
class Data:
    """What batches are made of."""

    order: Order
    loader: Loader
    captions: Captions
    length: int | None
    """Token ids of every caption; None: as many as the batch's longest needs."""

    def batch(self, step: int) -> tuple[Tensor, Tensor]:
        """Return a step's pixels, uint8 of shape (B, S, S, 3), and token ids, int64 of shape (B, L)."""
        numbers = self.order.batch(step)
        pixels, shown = self.loader.batch(numbers, corners(numbers, seed=self.order.seed, step=step))
        return _tensor(pixels), _tensor(self.captions.batch(shown, self.length))

    def batches(self, steps: range) -> Iterator[tuple[int, Tensor, Tensor]]:
        """Yield steps and their batches, each made while the one before it is used."""
        with ThreadPoolExecutor(1, "batch") as ahead:
            coming = ahead.submit(self.batch, steps.start)
            for step in steps:
                pixels, tokens = coming.result()
                if step + 1 < steps.stop:
                    coming = ahead.submit(self.batch, step + 1)
                yield step, pixels, tokens


def _tensor(array: npt.NDArray[np.generic]) -> Tensor:
    return torch.from_numpy(array)


class Trainer:
    """A model, its optimiser, and how far they are."""

    def __init__(self, model: nn.Module, plan: Optimisation, *, epochs: int, seed: int, precision: str) -> None:
        self.model, self.plan, self.epochs = model, plan, epochs
        self.optimiser = optimiser(model, plan)
        self.step = 0
        self.rows: list[Row] = []
        self._seed, self._precision = seed, precision
        self._device = next(model.parameters()).device

    def run(self, data: Data, folder: Path, checkpoint_every: int) -> None:
        """Train to the end; `folder` keeps the checkpoint and log.jsonl, and what a killed attempt left is used."""
        checkpoint, lines = folder / "checkpoint.pt", folder / "log.jsonl"
        self._restore(checkpoint, data)
        _keep_lines(lines, self.step)
        total = self.epochs * data.order.steps_per_epoch
        self.model.train()
        started, first = time.perf_counter(), self.step
        with lines.open("a", buffering=1) as log:
            for step, pixels, tokens in data.batches(range(self.step, total)) if self.step < total else ():
                row = self._advance(step, total, pixels, tokens)
                rate = (self.step - first) * len(pixels) / (time.perf_counter() - started)
                log.write(json.dumps(row._asdict() | {"samples_per_second": round(rate, 1)}) + "\n")
                if self.step % checkpoint_every == 0:
                    checkpoints.save(checkpoint, self._state(data))
        self.model.eval()

    def _advance(self, step: int, total: int, pixels: Tensor, tokens: Tensor) -> Row:
        """Do one step and return its row."""
        torch.manual_seed(self._seed * 1_000_003 + step)  # dropout, where a model has some, is a function of the step
        rate = learning_rate(step, peak=self.plan.lr, warmup=self.plan.warmup, steps=total)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        loss = self._loss(pixels.to(self._device), tokens.to(self._device))
        self.optimiser.zero_grad(set_to_none=True)
        loss.backward()
        self.optimiser.step()
        with torch.no_grad():
            self.model.logit_scale.clamp_(0, math.log(MAX_SCALE))
        self.step = step + 1
        seen = self.step * len(pixels)
        row = Row(self.step, seen, loss.item(), self.model.logit_scale.exp().item(), rate)
        self.rows.append(row)
        return row

    def _loss(self, pixels: Tensor, tokens: Tensor) -> Tensor:
        with casting(self._precision, self._device):
            images = self.model.encode_image(normalised(pixels), normalize=True)
            texts = self.model.encode_text(tokens, normalize=True)
        return contrastive_loss(images.float(), texts.float(), self.model.logit_scale.exp())

    def _state(self, data: Data) -> dict[str, object]:
        return {
            "step": self.step,
            "model": self.model.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "rows": [tuple(row) for row in self.rows],
            "corrupt": sorted(data.loader.corrupt),
        }

    def _restore(self, checkpoint: Path, data: Data) -> None:
        state = checkpoints.load(checkpoint)
        if state is None:
            return
        self.model.load_state_dict(state["model"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.step, self.rows = state["step"], [Row(*row) for row in state["rows"]]
        data.loader.corrupt.update(state["corrupt"])


def _keep_lines(log: Path, count: int) -> None:
    """Cut a log to its first lines: those that a killed attempt wrote after its last checkpoint will come again."""
    if log.exists():
        log.write_text("".join(log.read_text().splitlines(keepends=True)[:count]))
