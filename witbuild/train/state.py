"""What a checkpoint holds of a training: whole tensors by name, whatever number of processes they were spread over.

weights     name of a parameter or buffer -> tensor
moments     name of a parameter -> {"step", "exp_avg", "exp_avg_sq"}
average     name of a parameter -> tensor, when a moving average is kept
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch

from witbuild.errors import InputError
from witbuild.train.wrap import whole

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor, nn

    from witbuild.train.average import MovingAverage


def captured(module: nn.Module, optimiser: torch.optim.Optimizer, average: MovingAverage | None) -> dict[str, Any]:
    """Return weights, moments and the moving average, on the CPU; all processes must ask."""
    moments = {name: optimiser.state.get(parameter, {}) for name, parameter in module.named_parameters()}
    return {
        "weights": _on_cpu(module.state_dict()),
        "moments": {name: _on_cpu(values) for name, values in moments.items()},
        "average": _on_cpu(average.values) if average else {},
    }


@torch.no_grad()
def restored(
    module: nn.Module, optimiser: torch.optim.Optimizer, average: MovingAverage | None, state: Mapping[str, Any]
) -> None:
    """Put back what was captured.

    Raises:
        InputError: it is of another model.
    """
    own = module.state_dict()
    if own.keys() != state["weights"].keys() or any(own[n].shape != v.shape for n, v in state["weights"].items()):
        raise InputError("the checkpoint is of another model; remove it, or train the model that it is of")
    for name, value in state["weights"].items():
        own[name].copy_(like(value, own[name]))
    for name, parameter in module.named_parameters():
        moments = state["moments"][name]
        optimiser.state[parameter] = {key: like(value, parameter) for key, value in moments.items()}
    for name, value in average.values.items() if average else ():
        value.copy_(like(state["average"][name], value))


def like(value: Tensor, parameter: Tensor) -> Tensor:
    """Return a whole tensor on a parameter's device, and spread as that is; a counter stays whole."""
    if not hasattr(parameter, "full_tensor") or value.shape != parameter.shape:
        return value.to(parameter.device, copy=True)
    from torch.distributed.tensor import DTensor, distribute_tensor

    assert isinstance(parameter, DTensor)  # noqa: S101 nothing else has full_tensor
    return distribute_tensor(value.to(parameter.device), parameter.device_mesh, parameter.placements)


def _on_cpu(values: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: whole(value.detach()).cpu() for name, value in values.items()}


def whole_weights(model: nn.Module, average: MovingAverage | None) -> dict[str, Tensor]:
    """Return the weights of a trained model, of its moving average if there is one; all processes must ask."""
    return _on_cpu(model.state_dict() | (average.values if average else {}))
