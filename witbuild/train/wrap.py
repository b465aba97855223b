"""An encoder over several processes: replicated (DDP), or with its weights spread over them (FSDP2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn

if TYPE_CHECKING:
    from collections.abc import Iterable

    from torch import Tensor

    from witbuild.train.world import World

LARGE = 300_000_000
"""Parameters from which a model is spread: ViT-L/14 has 428 million, ViT-B/16 has 150."""


def replicated(encoder: nn.Module, world: World) -> nn.Module:
    """Return an encoder whose gradients are the mean over processes, exchanged while backward still runs.

    Running statistics of batch norm stay each process's own; those of the leading one are saved.
    """
    if world.size == 1:
        return encoder
    from torch.nn.parallel import DistributedDataParallel

    return DistributedDataParallel(encoder, broadcast_buffers=False, gradient_as_bucket_view=True)


def spread(encoder: nn.Module, *, halves: bool) -> nn.Module:
    """Return an encoder whose weights, gradients and moments are spread over processes, block by block (FSDP2).

    Scalars (scale, bias) stay whole in each process; `mean_of_scalars` keeps them equal.

    Args:
        encoder: in place.
        halves: whether blocks are gathered in bfloat16.
    """
    from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard

    half = torch.bfloat16 if halves else None
    policy = MixedPrecisionPolicy(param_dtype=half, reduce_dtype=torch.float32, cast_forward_inputs=False)
    for block in blocks(encoder):
        fully_shard(block, mp_policy=policy)
    fully_shard(encoder, mp_policy=policy, ignored_params=set(scalars(encoder)))
    return encoder


def blocks(encoder: nn.Module) -> list[nn.Module]:
    """Return the repeated blocks of an encoder: what is gathered at a time."""
    lists = [module for name, module in encoder.named_modules() if name.endswith(("resblocks", "blocks"))]
    return [block for found in lists if isinstance(found, nn.ModuleList | nn.Sequential) for block in found]


def scalars(encoder: nn.Module) -> list[nn.Parameter]:
    """Return the parameters of no dimension."""
    return [parameter for parameter in encoder.parameters() if parameter.ndim == 0]


def mean_of_scalars(encoder: nn.Module, world: World) -> None:
    """Let all processes have the mean of the scalars' gradients, as they have of all others."""
    for parameter in scalars(encoder):
        if parameter.grad is not None:
            parameter.grad = world.total(parameter.grad) / world.size


def whole(value: Tensor) -> Tensor:
    """Return a tensor that is spread over processes as a whole one; all processes must ask."""
    spread_value: Any = value
    return spread_value.full_tensor() if hasattr(value, "full_tensor") else value


def gradient_norm(parameters: Iterable[nn.Parameter]) -> Tensor:
    """Return the Euclidean norm of all gradients as one vector, fp32, spread over processes or not."""
    found = [parameter.grad for parameter in parameters if parameter.grad is not None]
    kinds = [[g for g in found if hasattr(g, "full_tensor")], [g for g in found if not hasattr(g, "full_tensor")]]
    norms = [whole(torch.nn.utils.get_total_norm(kind)) for kind in kinds if kind]
    return torch.stack([norm.float() for norm in norms]).norm()
