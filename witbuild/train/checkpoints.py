"""Checkpoints: all that the next step depends on, whole or not there, kept by rule, on a disk or an object store.

FOLDER/step-000001000.pt     removed once newer ones are there, but for those of every so manieth step
FOLDER/step-000002000.pt
"""

from __future__ import annotations

import io
import re
import time
from dataclasses import dataclass, field
from typing import Any

import torch

from witbuild.errors import InputError
from witbuild.io import store

_NAME = re.compile(r"step-(\d{9,})\.pt")


@dataclass
class Checkpoints:
    """Where checkpoints lie, when they are written and which of them stay.

    Attributes:
        folder: a local folder or an object store's URL.
        every_steps: one is due after so many,
        every_seconds: or so long after the last one; 0: by steps alone.
        keep: so many of the newest stay,
        keep_every: and those of multiples of so many steps; 0: none else.
    """

    folder: str
    every_steps: int
    every_seconds: float = 0
    keep: int = 1
    keep_every: int = 0
    _saved: float = field(default_factory=time.monotonic)

    def due(self, step: int) -> bool:
        """Say whether a checkpoint is to be written after a step, whatever the time."""
        return step % self.every_steps == 0 or bool(self.keep_every and step % self.keep_every == 0)

    def late(self) -> bool:
        """Say whether the last one is too long ago; processes have to agree on the time."""
        return bool(self.every_seconds) and time.monotonic() - self._saved >= self.every_seconds

    def save(self, step: int, state: dict[str, Any]) -> None:
        """Write a state; a kill at any moment leaves those before it."""
        with store.commit(self.path(step)) as partial:
            torch.save(state, partial)
        self._saved = time.monotonic()
        for old in self.superseded():
            store.remove(self.path(old))

    def path(self, step: int) -> str:
        """Return where the checkpoint of a step lies."""
        return store.join(self.folder, f"step-{step:09d}.pt")

    def steps(self) -> list[int]:
        """Return the steps of which there are checkpoints, ascending."""
        matches = (_NAME.fullmatch(name) for name in store.listdir(self.folder))
        return sorted(int(match[1]) for match in matches if match)

    def superseded(self) -> list[int]:
        """Return the steps whose checkpoints the rule does not keep."""
        old = self.steps()[: -max(1, self.keep)]
        return [step for step in old if not (self.keep_every and step % self.keep_every == 0)]

    def latest(self) -> dict[str, Any] | None:
        """Return the newest state, or None when there is none."""
        steps = self.steps()
        return load(self.path(steps[-1])) if steps else None


def load(path: str) -> dict[str, Any]:
    """Return a state, tensors on the CPU; nothing in the file is executed.

    Raises:
        InputError: the file is missing or holds no state.
    """
    try:
        state: dict[str, Any] = torch.load(io.BytesIO(store.read_bytes(path)), map_location="cpu", weights_only=True)
    except (RuntimeError, EOFError, ValueError, torch.serialization.pickle.UnpicklingError) as error:
        raise InputError(f"{path}: no checkpoint that can be read: {error}; remove it to go on from another") from error
    return state
