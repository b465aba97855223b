"""Small heads on the features of images: stacks of linear layers, from a state dict.

LAION publishes such heads on CLIP's features: a linear one and a linear stack for looks (github.com/LAION-AI/
aesthetic-predictor, christophschuhmann/improved-aesthetic-predictor), a stack with ReLUs for safety
(github.com/LAION-AI/CLIP-based-NSFW-Detector). Their files name the weights `weight` and `bias`, or
`layers.0.weight`, `layers.3.weight`, ...; what lies between the layers does not stand in the file.
"""

from __future__ import annotations

import io
import pickle
import re
import warnings
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from witbuild.errors import InputError
from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Mapping

    from torch import Tensor

_WRONG = (RuntimeError, ValueError, EOFError, LookupError, AttributeError, TypeError, pickle.UnpicklingError)
"""What a reader of weights says of a file that holds none."""


def read_head(path: str, features: int, *, relu: bool, sigmoid: bool) -> nn.Sequential:
    """Return a head from its file: features of shape (n, features) become scores of shape (n, 1).

    Args:
        path: `.safetensors`, or what torch.save wrote of a state dict.
        features: that the model gives.
        relu: put a ReLU after each layer but the last.
        sigmoid: the last layer gives logits.

    Raises:
        InputError: not such a file, or layers that do not fit.
    """
    layers = linear_layers(_state_dict(path), path)
    _check_widths(layers, features, path)
    modules: list[nn.Module] = []
    for weight, bias in layers:
        layer = nn.Linear(weight.shape[1], weight.shape[0])
        layer.load_state_dict({"weight": weight, "bias": bias})
        modules += [layer, nn.ReLU()] if relu else [layer]
    modules = modules[:-1] if relu else modules
    return nn.Sequential(*modules, *([nn.Sigmoid()] if sigmoid else [])).eval().requires_grad_(requires_grad=False)


def linear_layers(state: Mapping[str, Any], path: str) -> list[tuple[Tensor, Tensor]]:
    """Return weight and bias of each layer, in the order of their numbers.

    Example:
        >>> state = {f"layers.{i}.{kind}": torch.zeros(1, 1)[: 1 if kind == "weight" else 0]
        ...          for i in (10, 9) for kind in ("weight", "bias")}
        >>> linear_layers({**state, "layers.9.weight": torch.ones(1, 1)}, "x.pt")[0][0].item()
        1.0
    """
    names = {name.rpartition(".")[0] for name in state}
    out = []
    for name in sorted(names, key=_numbers):
        prefix = f"{name}." if name else ""
        weight, bias = state.get(f"{prefix}weight"), state.get(f"{prefix}bias")
        if not (isinstance(weight, torch.Tensor) and isinstance(bias, torch.Tensor) and weight.ndim == 2):
            found = ", ".join(sorted(one for one in state if one.rpartition(".")[0] == name))
            raise InputError(f"{path}: {found}: not a linear layer; a head is a stack of weight and bias")
        out.append((weight.float(), bias.float()))
    return out


def _numbers(name: str) -> tuple[list[int], str]:
    """Order names by their numbers, so that layer 10 follows layer 9."""
    return [int(digits) for digits in re.findall(r"\d+", name)], name


def _check_widths(layers: list[tuple[Tensor, Tensor]], features: int, path: str) -> None:
    widths = [tuple(reversed(weight.shape)) for weight, _ in layers]
    before = [features, *(wide for _, wide in widths)]
    if not widths or any(into != wide for (into, _), wide in zip(widths, before, strict=False)) or widths[-1][1] != 1:
        shown = ", ".join(f"{into} to {out}" for into, out in widths) or "none"
        raise InputError(f"{path}: layers of {shown}; expected some that lead from {features} features to 1 score")


def _state_dict(path: str) -> Mapping[str, Any]:
    """Return the tensors of a file by name; what a trainer wrapped them in is taken off."""
    body = store.read_bytes(path)
    if path.endswith(".safetensors"):
        from safetensors import SafetensorError
        from safetensors.torch import load

        try:
            tensors: dict[str, Any] = load(body)
        except SafetensorError as error:
            raise InputError(f"{path}: not readable as safetensors ({error})") from error
        return tensors
    try:
        with warnings.catch_warnings(action="ignore"):  # of what another version wrote
            found = torch.load(io.BytesIO(body), map_location="cpu", weights_only=True)
        state: Mapping[str, Any] = dict(found.get("state_dict", found))
    except _WRONG as error:
        raise InputError(f"{path}: not a state dict of torch ({error})") from error
    return state
