"""A checkpoint: all that the next step depends on, whole or not there."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Any

import torch

if TYPE_CHECKING:
    from pathlib import Path


def save(path: Path, state: dict[str, Any]) -> None:
    """Write a state; a kill at any moment leaves the one before it."""
    partial = path.with_name(f"{path.name}.partial")
    with partial.open("wb") as stream:
        torch.save(state, stream)
        stream.flush()
        os.fsync(stream.fileno())
    partial.replace(path)


def load(path: Path) -> dict[str, Any] | None:
    """Return the state, tensors on the CPU, or None when there is none; nothing in the file is executed."""
    if not path.exists():
        return None
    state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    return state
