"""The training loop: from batches to weights; after a kill it goes on at the step where it stood.

order ─> sample numbers ─> loader ─> uint8 crops ┐
                        └> captions ─> token ids ┴> towers ─> rows ─> loss ─> gradients ─> AdamW     (one step)
"""

from __future__ import annotations

import functools
import math
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import torch

from witbuild.train import wrap
from witbuild.train.average import MovingAverage
from witbuild.train.data import feed
from witbuild.train.device import Later, casting, halves
from witbuild.train.report import Row
from witbuild.train.schedule import learning_rate, optimiser
from witbuild.train.state import captured, restored
from witbuild.train.step import Encoder, Gradients
from witbuild.train.world import ALONE

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn

    from witbuild.train.checkpoints import Checkpoints
    from witbuild.train.data import Data, Fed
    from witbuild.train.report import Log
    from witbuild.train.schedule import Optimisation
    from witbuild.train.step import Objective
    from witbuild.train.world import World

MAX_SCALE = 100.0
"""The logit scale is clipped here (Radford et al. 2021, section 2.5)."""
ASK_EVERY = 10
"""Steps between looks at the clock."""


@dataclass(frozen=True)
class Settings:
    """How a training goes, beside its optimiser.

    Attributes:
        epochs: passes over the data.
        seed: of what is drawn in a step (dropout).
        precision: see `device.halves`.
        micro_batch: pairs that a process encodes at once; 0: all of its own.
        clip_norm: gradients longer than this are made this long; 0: left alone.
        moving_average: decay of the average of weights; 0: none is kept.
        spread: whether weights are spread over the processes.
        pair_flops: see `flops.pair_flops`; 0: not known.
        peak_flops: of the device, a second; 0: not known.
    """

    epochs: int
    seed: int
    precision: str = "auto"
    micro_batch: int = 0
    clip_norm: float = 0
    moving_average: float = 0
    spread: bool = False
    pair_flops: float = 0
    peak_flops: float = 0


class Trainer:
    """A model, its optimiser, and how far they are."""

    def __init__(
        self, model: nn.Module, objective: Objective, plan: Optimisation, settings: Settings, world: World = ALONE
    ) -> None:
        self.model, self.plan, self.settings, self.world = model, plan, settings, world
        self._device = next(model.parameters()).device
        self._module = Encoder(model, objective)
        half = halves(settings.precision, self._device)
        wrapped = wrap.spread(self._module, halves=half) if settings.spread else wrap.replicated(self._module, world)
        self.optimiser = optimiser(self._module, plan)
        self.average = MovingAverage(model, settings.moving_average) if settings.moving_average else None
        cast_ = functools.partial(casting, settings.precision, self._device)
        self._gradients = Gradients(wrapped, objective, world, cast_)
        self.step = 0
        self.rows: list[Row] = []

    def run(self, data: Data, checkpoints: Checkpoints | None = None, logs: Sequence[Log] = ()) -> None:
        """Train to the end from the step that is reached; logs and checkpoints are the leading process's."""
        total = self.settings.epochs * data.steps_per_epoch
        self.model.train()
        clock = _Clock(self.settings)
        before: tuple[Later, Row] | None = None
        for fed in feed(data, range(self.step, total), self._device):
            now = self._advance(fed, total)
            # a step's numbers are read while the device does the next one, so that it never waits for them
            self._note(before, clock, logs)
            before = now
            clock.count(fed)
            if checkpoints is not None and self._due(checkpoints):
                self._note(before, clock, logs)
                before = None
                self.save(checkpoints, data)
        self._note(before, clock, logs)
        self.model.eval()

    def _due(self, checkpoints: Checkpoints) -> bool:
        # the time is asked for now and then only: to agree on it costs several processes a wait for their devices
        if checkpoints.due(self.step) or not checkpoints.every_seconds or self.step % ASK_EVERY:
            return checkpoints.due(self.step)
        return self.world.agreed(checkpoints.late())

    def _advance(self, fed: Fed, total: int) -> tuple[Later, Row]:
        """Do one step; return its loss, scale and gradient's norm, still on the device, and the row they go into."""
        step, batch = fed.step, fed.batch
        # dropout, where a model has some, is a function of the step
        torch.manual_seed((self.settings.seed * 1_000_003 + step) * 4_096 + self.world.rank)
        rate = learning_rate(step, peak=self.plan.lr, warmup=self.plan.warmup, steps=total)
        for group in self.optimiser.param_groups:
            group["lr"] = rate
        self.optimiser.zero_grad(set_to_none=True)
        share = self._gradients.add(list(batch.pieces(self.settings.micro_batch or len(batch))))
        norm = self._norm()
        self.optimiser.step()
        scale = self._clipped_scale()
        if self.average is not None:
            self.average.update()
        self.step = step + 1
        seen = self.step * len(batch) * self.world.size
        values = torch.stack([self.world.total(share).float(), scale.float(), norm])
        return Later(values), Row(self.step, seen, math.nan, None, rate, math.nan)

    def _norm(self) -> Tensor:
        """Return the norm of the gradient, as it was before it is clipped."""
        if self.settings.spread:
            wrap.mean_of_scalars(self._module, self.world)
        parameters = list(self._module.parameters())
        norm = wrap.gradient_norm(parameters)
        if self.settings.clip_norm:
            factor = (self.settings.clip_norm / (norm + 1e-6)).clamp(max=1)
            for parameter in parameters:
                if parameter.grad is not None:
                    parameter.grad.mul_(factor)
        return norm

    @torch.no_grad()
    def _clipped_scale(self) -> Tensor:
        """Clip the logit scale and return its exponential; nan for a model without one."""
        scale = getattr(self.model, "logit_scale", None)
        if scale is None:
            return torch.tensor(math.nan, device=self._device)
        return cast("Tensor", scale.clamp_(0, math.log(MAX_SCALE)).exp())

    def _note(self, done: tuple[Later, Row] | None, clock: _Clock, logs: Sequence[Log]) -> None:
        """Read the numbers of a step from the device, and log them."""
        if done is None:
            return
        loss, scale, norm = done[0].read()
        row = done[1]._replace(loss=loss, scale=None if math.isnan(scale) else scale, gradient_norm=norm)
        self.rows.append(row)
        for log in logs:
            log.write(row._asdict() | clock.rates())

    def save(self, checkpoints: Checkpoints, data: Data) -> None:
        """Write a checkpoint; every process takes part, the leading one writes."""
        corrupt = sorted(set[int]().union(*self.world.all(data.corrupt)))
        state = captured(self._module, self.optimiser, self.average)
        rows = torch.tensor([[math.nan if v is None else v for v in row] for row in self.rows], dtype=torch.float64)
        if self.world.leads:
            checkpoints.save(self.step, state | {"step": self.step, "rows": rows, "corrupt": corrupt})

    def restore(self, state: dict[str, Any], data: Data) -> None:
        """Go back to a checkpoint, of any number of processes."""
        restored(self._module, self.optimiser, self.average, state)
        self.step = state["step"]
        self.rows = [_row(values) for values in state["rows"].tolist()]
        data.corrupt.update(state["corrupt"])


def _row(values: list[float]) -> Row:
    step, seen, loss, scale, rate, norm = values
    return Row(int(step), int(seen), loss, None if math.isnan(scale) else scale, rate, norm)


class _Clock:
    """Samples a second, the share of time spent waiting for data, and how much of the device's peak is used."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._started = self._last = time.perf_counter()
        self._samples = 0
        self._waited = 0.0
        self._seconds = 0.0

    def count(self, fed: Fed) -> None:
        """Count a step of this process."""
        now = time.perf_counter()
        self._seconds, self._last = now - self._last, now
        self._samples, self._waited = len(fed.batch), fed.waited

    def rates(self) -> dict[str, float | None]:
        """Return what the last step's were."""
        seconds = max(self._seconds, 1e-9)
        rate = self._samples / seconds
        peak, each = self._settings.peak_flops, self._settings.pair_flops
        return {
            "samples_per_second": round(rate, 1),
            "data_wait": round(min(1.0, self._waited / seconds), 4),
            "mfu": round(rate * each / peak, 4) if peak and each else None,
        }
