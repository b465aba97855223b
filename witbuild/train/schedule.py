"""The learning rate of each step, and AdamW as CLIP used it (Radford et al. 2021, section 2.5 and table 18)."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch


@dataclass(frozen=True)
class Optimisation:
    """What AdamW and its schedule are told; rates are per step."""

    lr: float
    wd: float
    beta1: float
    beta2: float
    eps: float
    warmup: int


def paper_lr(model: str) -> float:
    """Return CLIP's peak learning rate for a model, 5e-4 for one that the paper has not (table 20).

    Example:
        >>> paper_lr("ViT-B-32"), paper_lr("ViT-L-14"), paper_lr("RN50x64")
        (0.0005, 0.0004, 0.00036)
    """
    name = model.removesuffix("-quickgelu")
    return {"RN50x16": 4e-4, "RN50x64": 3.6e-4, "ViT-L-14": 4e-4, "ViT-L-14-336": 2e-5}.get(name, 5e-4)


def paper_moments(model: str) -> tuple[float, float]:
    """Return CLIP's beta2 and epsilon: those of ResNets, or of everything else (table 18).

    Example:
        >>> paper_moments("RN50"), paper_moments("ViT-B-32")
        ((0.999, 1e-08), (0.98, 1e-06))
    """
    return (0.999, 1e-8) if model.startswith("RN") else (0.98, 1e-6)


def learning_rate(step: int, *, peak: float, warmup: int, steps: int) -> float:
    """Return the learning rate of a step: linear warm-up, then half a cosine down to 0.

    Example:
        >>> [round(learning_rate(step, peak=1.0, warmup=2, steps=6), 3) for step in range(6)]
        [0.5, 1.0, 1.0, 0.854, 0.5, 0.146]
    """
    if step < warmup:
        return peak * (step + 1) / warmup
    return peak * 0.5 * (1 + math.cos(math.pi * (step - warmup) / max(steps - warmup, 1)))


def decays(name: str, dimensions: int) -> bool:
    """Say whether weight decay applies to a parameter: not to gains, biases and the logit scale.

    Example:
        >>> decays("visual.conv1.weight", 4), decays("visual.ln_pre.weight", 1), decays("logit_scale", 0)
        (True, False, False)
    """
    return dimensions >= 2 and not name.endswith("bias")


def optimiser(model: torch.nn.Module, plan: Optimisation) -> torch.optim.Optimizer:
    """Return AdamW over a model's parameters, decoupled decay on weights only.

    Scalars are a group of their own: they stay whole where other parameters are spread over processes.
    """
    import torch

    trained = [(name, parameter) for name, parameter in model.named_parameters() if parameter.requires_grad]
    scalars = [parameter for _, parameter in trained if parameter.ndim == 0]
    others = [(decays(name, parameter.ndim), parameter) for name, parameter in trained if parameter.ndim]
    groups = [
        {"params": [parameter for decayed, parameter in others if decayed], "weight_decay": plan.wd},
        {"params": [parameter for decayed, parameter in others if not decayed], "weight_decay": 0.0},
        {"params": scalars, "weight_decay": 0.0},
    ]
    groups = [group for group in groups if group["params"]]
    return torch.optim.AdamW(groups, lr=plan.lr, betas=(plan.beta1, plan.beta2), eps=plan.eps, fused=True)
