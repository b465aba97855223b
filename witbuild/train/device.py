"""Where the work runs and how its numbers are held: the device, its precision, the threads."""

from __future__ import annotations

import ctypes
import os
import sys
from contextlib import nullcontext, suppress
from typing import TYPE_CHECKING

import torch

from witbuild.errors import RecipeError

if TYPE_CHECKING:
    from contextlib import AbstractContextManager

PEAKS = {"H200": 989e12, "H100": 989e12, "A100": 312e12, "L40S": 362e12, "RTX 4090": 165e12, "V100": 125e12}
"""Dense half-precision operations a second that a device's maker names, by a part of the device's name."""

_MMAP_MAX, _TRIM_THRESHOLD = -4, -1
"""M_MMAP_MAX and M_TRIM_THRESHOLD of malloc.h (GNU C library)."""


def choose(device: str, threads: int) -> torch.device:
    """Return a device, for "auto" CUDA where there is some, and let torch use so many threads.

    Under torchrun a process takes the device of its local rank, and its part of the threads.

    Args:
        device: auto, cpu, cuda, cuda:1, ...
        threads: of the CPU, for this process; 0: its part of as many as it may use.
    """
    beside = int(os.environ.get("LOCAL_WORLD_SIZE", "1"))
    torch.set_num_threads(threads or max(1, cores() // beside))
    name = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    if name == "cuda" and "LOCAL_RANK" in os.environ:
        name = f"cuda:{os.environ['LOCAL_RANK']}"
    try:
        found = torch.device(name)
    except RuntimeError as error:
        raise RecipeError(f"device {device!r}: no such device; use auto, cpu or cuda") from error
    if found.type == "cuda" and not torch.cuda.is_available():
        raise RecipeError(f"device {device!r}: torch {torch.__version__} finds no CUDA device here; use auto or cpu")
    if found.type == "cuda":
        torch.cuda.set_device(found)
        torch.set_float32_matmul_precision("high")  # TF32
        torch.backends.cudnn.benchmark = True
    else:
        keep_memory()
    return found


class Later:
    """Numbers of a device that are read when they are there: work queued after them is not waited for.

    Example:
        >>> Later(torch.tensor([1.0, 2.0])).read()
        [1.0, 2.0]
    """

    def __init__(self, values: torch.Tensor) -> None:
        self._values, self._copied = values, None
        if values.is_cuda:
            self._values = torch.empty_like(values, device="cpu", pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._copied = torch.cuda.current_stream(values.device).record_event()

    def read(self) -> list[float]:
        """Return the numbers."""
        if self._copied is not None:
            self._copied.synchronize()
        return [float(value) for value in self._values.tolist()]


def keep_memory() -> None:
    """Let the C library of Linux keep memory that was freed, for this process.

    Otherwise every large tensor on a CPU is new memory, which the system clears page by page: a quarter of the time of
    a step of a small model. Nothing is done where the C library has no mallopt.
    """
    if sys.platform == "linux":
        with suppress(AttributeError):
            library = ctypes.CDLL(None)
            library.mallopt(_MMAP_MAX, 0)
            library.mallopt(_TRIM_THRESHOLD, (1 << 31) - 1)


def cores() -> int:
    """Return how many CPU cores this process may use."""
    return len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1


def count(device: str) -> int:
    """Return how many devices of a kind this machine lends: all its CUDA devices, or one.

    Example:
        >>> count("cpu"), count("cuda:1")
        (1, 1)
    """
    return max(1, torch.cuda.device_count()) if device in ("auto", "cuda") else 1


def halves(precision: str, device: torch.device) -> bool:
    """Say whether the encoders compute in bfloat16.

    Args:
        precision: fp32, amp_bf16, or auto: amp_bf16 on CUDA, fp32 on a CPU, where half precision is slower.
        device: of the model.
    """
    return precision == "amp_bf16" or (precision == "auto" and device.type == "cuda")


def casting(precision: str, device: torch.device) -> AbstractContextManager[object]:
    """Return the context that a forward pass runs in; precision as in `halves`."""
    return torch.autocast(device.type, torch.bfloat16) if halves(precision, device) else nullcontext()


def peak(device: torch.device) -> float:
    """Return the half-precision operations a second that a device could do at best, 0 where that is not known."""
    name = torch.cuda.get_device_name(device) if device.type == "cuda" else ""
    return next((value for part, value in PEAKS.items() if part in name), 0.0)
