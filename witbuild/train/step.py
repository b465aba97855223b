"""One step's loss and gradients: an objective over the towers, by pieces of the batch when it does not fit whole.

The loss of a batch is one number over all its pairs, so those of pieces cannot be added up. GradCache (Gao et al. 2021,
"Scaling deep contrastive learning batch size under memory limited setup", section 3) has it exactly:

    1  pieces ─ towers, nothing kept ─> rows          (an image's and a text's features, say)
    2  rows of all pieces, of all processes ─> loss ─> the gradient of every row
    3  pieces ─ towers again, with the same random numbers ─> back from the gradients of the rows
"""

from __future__ import annotations

from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol, cast

import torch
from torch import nn
from torch.nn import functional
from torch.nn.modules.batchnorm import _BatchNorm

from witbuild.train.loss import contrastive_loss
from witbuild.train.model import normalised
from witbuild.train.texts import encode_texts

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from contextlib import AbstractContextManager

    from torch import Tensor

    from witbuild.train.batch import Batch
    from witbuild.train.world import World


class Objective(Protocol):
    """What is learnt. It is a torch module: heads that it needs beside the towers are its own parameters."""

    def rows(self, model: nn.Module, batch: Batch) -> tuple[Tensor, ...]:
        """Return what the loss is made of: tensors whose row i is of pair i, of this piece of the batch alone."""

    def shared(self, model: nn.Module) -> tuple[Tensor, ...]:
        """Return what the loss needs beside the rows, once a step: the scale, say."""

    def loss(self, rows: tuple[Tensor, ...], shared: tuple[Tensor, ...], world: World) -> Tensor:
        """Return this process's share of the loss of the whole batch: the shares of all processes add up to it."""


class Contrastive(nn.Module):
    """The objective of CLIP; an `image_weight` other than 0.5 is ConVIRT's."""

    def __init__(self, image_weight: float = 0.5) -> None:
        super().__init__()
        self.image_weight = image_weight

    def rows(self, model: nn.Module, batch: Batch) -> tuple[Tensor, ...]:
        """Return unit features of images and of texts."""
        encoder: Any = model
        return unit(encoder.encode_image(normalised(batch.pixels))), unit(encode_texts(model, batch))

    def shared(self, model: nn.Module) -> tuple[Tensor, ...]:
        """Return what cosines are multiplied by."""
        clip: Any = model
        return (clip.logit_scale.exp(),)

    def loss(self, rows: tuple[Tensor, ...], shared: tuple[Tensor, ...], world: World) -> Tensor:
        """Return the exact loss over the pairs of all processes."""
        (images, texts), (scale,) = rows, shared
        return contrastive_loss(images, texts, scale, image_weight=self.image_weight, world=world)


def unit(features: Tensor) -> Tensor:
    """Return features as unit rows: normalised in fp32, kept in their own precision."""
    return functional.normalize(features.float(), dim=-1).to(features.dtype)


class Encoder(nn.Module):
    """Towers and objective as one module, so that what wraps modules (DDP, FSDP) sees every parameter."""

    def __init__(self, model: nn.Module, objective: Objective) -> None:
        super().__init__()
        self.model = model
        self.objective = cast("nn.Module", objective)

    def forward(self, batch: Batch) -> tuple[tuple[Tensor, ...], tuple[Tensor, ...]]:
        """Return the rows of some pairs, and what all of the step share."""
        objective = cast("Objective", self.objective)
        return objective.rows(self.model, batch), objective.shared(self.model)


class Gradients(NamedTuple):
    """How the gradients of a step are made.

    Attributes:
        encoder: an Encoder, or what wraps one.
        objective: of it.
        world: of processes.
        casting: makes the context of a forward pass.
    """

    encoder: nn.Module
    objective: Objective
    world: World
    casting: Callable[[], AbstractContextManager[object]] = nullcontext

    def add(self, pieces: Sequence[Batch]) -> Tensor:
        """Add the gradients of a batch to those of the parameters, and return this process's share of the loss.

        What wraps the encoder takes the mean over processes, so each one's share counts as often as there are any.

        Args:
            pieces: of this process's part of the batch; more than one are done by GradCache.
        """
        if len(pieces) > 1:
            return self._cached(pieces).detach()
        with self.casting():
            rows, shared = self.encoder(pieces[0])
        return self._back(rows, shared).detach()

    def _back(self, rows: tuple[Tensor, ...], shared: tuple[Tensor, ...]) -> Tensor:
        share = self.objective.loss(rows, shared, self.world)
        (share * self.world.size).backward()
        return share

    def _cached(self, pieces: Sequence[Batch]) -> Tensor:
        device = pieces[0].pixels.device
        states, seen = [], []
        with torch.no_grad(), self.casting():
            for piece in pieces:
                states.append(_random_state(device))
                seen.append(self.encoder(piece))
        rows = tuple(_leaf(torch.cat(column)) for column in zip(*(rows for rows, _ in seen), strict=True))
        shared = tuple(_leaf(value) for value in seen[0][1])
        share = self._back(rows, shared)
        with _statistics_kept(self.encoder), torch.random.fork_rng([device] if device.type == "cuda" else []):
            start = 0
            for piece, state in zip(pieces, states, strict=True):
                _set_random_state(device, state)
                stop, last = start + len(piece), piece is pieces[-1]
                with _exchange(self.encoder, last=last):
                    with self.casting():
                        again = self.encoder(piece)
                    slopes = [row.grad if row.grad is None else row.grad[start:stop] for row in rows]
                    _replay(again[0] + again[1], slopes + [_slope(value, last=last) for value in shared])
                start = stop
        return share


def _leaf(value: Tensor) -> Tensor:
    """Return a tensor that collects a gradient; whole numbers have none."""
    return value.detach().requires_grad_(value.is_floating_point())


def _slope(shared: Tensor, *, last: bool) -> Tensor | None:
    """Return the gradient of what the pieces share: all of it comes with the last of them."""
    return shared.grad if last or shared.grad is None else torch.zeros_like(shared.grad)


def _replay(outputs: Sequence[Tensor], slopes: Sequence[Tensor | None]) -> None:
    known = [(out, slope) for out, slope in zip(outputs, slopes, strict=True) if slope is not None]
    torch.autograd.backward([out for out, _ in known], [slope.to(out.dtype) for out, slope in known])


def _random_state(device: torch.device) -> tuple[Tensor, Tensor | None]:
    return torch.get_rng_state(), torch.cuda.get_rng_state(device) if device.type == "cuda" else None


def _set_random_state(device: torch.device, state: tuple[Tensor, Tensor | None]) -> None:
    torch.set_rng_state(state[0])
    if state[1] is not None:
        torch.cuda.set_rng_state(state[1], device)


@contextmanager
def _statistics_kept(encoder: nn.Module) -> Iterator[None]:
    """Undo what the second pass does to the running statistics of batch norm."""
    norms = [module for module in encoder.modules() if isinstance(module, _BatchNorm)]
    buffers = [buffer for norm in norms for buffer in norm.buffers()]
    before = [buffer.clone() for buffer in buffers]
    yield
    for buffer, value in zip(buffers, before, strict=True):
        buffer.copy_(value)


@contextmanager
def _exchange(encoder: Any, *, last: bool) -> Iterator[None]:
    """Let processes exchange gradients with the last piece only."""
    if hasattr(encoder, "set_requires_gradient_sync"):  # FSDP
        encoder.set_requires_gradient_sync(last)
    with encoder.no_sync() if hasattr(encoder, "no_sync") and not last else nullcontext():  # DDP
        yield
