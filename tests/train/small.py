"""A small model of open_clip's and batches for it; weights and batches are functions of their seeds."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from witbuild.train.batch import Batch
from witbuild.train.loop import Settings, Trainer
from witbuild.train.model import build
from witbuild.train.schedule import Optimisation
from witbuild.train.step import Contrastive, Objective
from witbuild.train.world import ALONE, World

CONFIG: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 32, "head_width": 16, "patch_size": 16},
    "text_cfg": {"context_length": 20, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2},
}
PLAN = Optimisation(lr=1e-3, wd=0.1, beta1=0.9, beta2=0.98, eps=1e-2, warmup=2)
"""With a large epsilon, so that gradients of nothing but rounding (of biases of keys) do not decide a weight."""
START, END = 49406, 49407


def model(seed: int = 0, config: dict[str, Any] = CONFIG) -> nn.Module:
    return build(config, seed).train()


def batch(count: int, seed: int = 0, size: int = 32, longest: int = 20) -> Batch:
    generator = torch.Generator().manual_seed(seed)
    lengths = torch.randint(3, longest + 1, (count,), generator=generator)
    tokens = torch.zeros(count, longest, dtype=torch.int64)
    for row, length in zip(tokens, lengths.tolist(), strict=True):
        row[:length] = torch.randint(1, 40_000, (length,), generator=generator)
        row[0], row[length - 1] = START, END
    pixels = torch.randint(0, 256, (count, size, size, 3), generator=generator, dtype=torch.uint8)
    return Batch(pixels, tokens[:, : int(lengths.max())], lengths)


class Drawn:
    """Data of so many steps an epoch, each batch drawn from its step."""

    def __init__(self, count: int, world: World = ALONE, steps: int = 8) -> None:
        self.count, self.world, self.steps_per_epoch = count, world, steps
        self.corrupt: set[int] = set()
        self.dropped: dict[str, int] = {}

    def batch(self, step: int) -> Batch:
        whole = batch(self.count, seed=step)
        rows = self.world.share(self.count)
        return Batch(whole.pixels[rows], whole.tokens[rows], whole.lengths[rows])

    def close(self) -> None: ...


def trainer(world: World = ALONE, objective: Objective | None = None, seed: int = 0, **settings: Any) -> Trainer:
    known: dict[str, Any] = {"epochs": 1, "seed": 0, "precision": "fp32"} | settings
    return Trainer(model(seed), objective or Contrastive(), PLAN, Settings(**known), world)


def gradients(of: nn.Module) -> dict[str, Tensor]:
    return {name: value.grad.clone() for name, value in of.named_parameters() if value.grad is not None}
