"""Where the work runs and how its numbers are held: the device, its precision, the threads."""

from __future__ import annotations

import os
from contextlib import nullcontext
from typing import TYPE_CHECKING

import torch

from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager


def choose(device: str, threads: int) -> torch.device:
    """Return a device, for "auto" CUDA where there is some, and let torch use so many threads.

    Args:
        device: auto, cpu, cuda, cuda:1, ...
        threads: of the CPU; 0: as many as this process may use.
    """
    torch.set_num_threads(threads or cores())
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    try:
        return torch.device(name)
    except RuntimeError as error:
        raise RecipeError(f"device {device!r}: no such device; use auto, cpu or cuda") from error


def cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def casting(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context that a forward pass runs in.

    Args:
        precision: fp32, amp_bf16, or auto: amp_bf16 on CUDA, fp32 on a CPU, where half precision is slower.
        device: of the model.
    """
    half = precision == "amp_bf16" or (precision == "auto" and device.type == "cuda")
    return torch.autocast(device.type, torch.bfloat16) if half else nullcontext()
