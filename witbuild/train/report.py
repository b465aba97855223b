"""What a training says while it runs: log.jsonl always, TensorBoard and Weights & Biases where they are asked for.

A line a step; those of schema.METRICS are the same after a kill, the others are of this attempt:

    {"step": 7, "samples_seen": 3584, "loss": 5.1, "scale": 14.2, "learning_rate": 1e-4, "gradient_norm": 0.8,
     "samples_per_second": 1200.5, "data_wait": 0.02, "mfu": 0.41}
"""

from __future__ import annotations

import importlib.util
import json
import math
import time
from typing import TYPE_CHECKING, Any, NamedTuple, Protocol

from witbuild.errors import MissingExtraError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

MEASURED = {
    "samples_per_second": "of this process",
    "data_wait": "share of the step's time spent waiting for its batch, 0 to 1",
    "mfu": "useful operations a second over what the device could do at its peak; null where that is not known",
}
"""What a line of the log has beside a row of schema.METRICS: floats, of this attempt."""


class Row(NamedTuple):
    """A row of schema.METRICS."""

    step: int
    samples_seen: int
    loss: float
    scale: float | None
    learning_rate: float
    gradient_norm: float


class Log(Protocol):
    """Something that takes lines."""

    def write(self, values: Mapping[str, Any]) -> None:
        """Take the values of a step."""

    def close(self) -> None:
        """Finish."""


class JsonLines:
    """A file of one JSON object a line; lines that a killed attempt wrote after its last checkpoint are cut off."""

    def __init__(self, path: Path, rows: Sequence[Row]) -> None:
        kept = path.read_text().splitlines(keepends=True)[: len(rows)] if path.exists() else []
        if len(kept) < len(rows):  # the checkpoint came from elsewhere
            kept = [json.dumps(row._asdict()) + "\n" for row in rows]
        path.write_text("".join(kept))
        self._stream = path.open("a", buffering=1)

    def write(self, values: Mapping[str, Any]) -> None:
        """Write a line."""
        self._stream.write(json.dumps(values) + "\n")

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


class Progress:
    """A file that tells the command line, which draws it, how far the training is; written anew about once a second."""

    def __init__(self, path: Path, total: int) -> None:
        self._path, self._total, self._told = path, total, -math.inf

    def write(self, values: Mapping[str, Any]) -> None:
        """Tell of a step."""
        now = time.monotonic()
        if now - self._told < 1:
            return
        self._told = now
        told = {
            "done": values["step"],
            "total": self._total,
            "statuses": {"samples": values["samples_seen"]},
            "hosts": [],
        }
        partial = self._path.with_suffix(".partial")
        partial.write_text(json.dumps(told))
        partial.replace(self._path)

    def close(self) -> None:
        """Leave the file: it goes with the scratch folder."""


class TensorBoard:
    """Scalars for TensorBoard, which comes with `pip install tensorboard`."""

    def __init__(self, folder: Path) -> None:
        from torch.utils.tensorboard import SummaryWriter

        self._writer: Any = SummaryWriter(str(folder))

    def write(self, values: Mapping[str, Any]) -> None:
        """Write every number under `train/`."""
        for name, value in _numbers(values).items():
            self._writer.add_scalar(f"train/{name}", value, values["step"])

    def close(self) -> None:
        """Flush."""
        self._writer.close()


class WeightsAndBiases:
    """A run of Weights & Biases, which comes with `pip install wandb` and is configured by its own variables."""

    def __init__(self, folder: Path, parameters: Mapping[str, Any]) -> None:
        import wandb  # type: ignore[import-not-found, unused-ignore]

        self._run: Any = wandb.init(dir=str(folder), config=dict(parameters), resume="allow")

    def write(self, values: Mapping[str, Any]) -> None:
        """Log every number under `train/`."""
        self._run.log({f"train/{name}": value for name, value in _numbers(values).items()}, step=values["step"])

    def close(self) -> None:
        """Finish the run."""
        self._run.finish()


def logs(folder: Path, rows: Sequence[Row], total: int, report_to: str, parameters: Mapping[str, Any]) -> list[Log]:
    """Return the logs of a training.

    Args:
        folder: of log.jsonl and what else is written.
        rows: of the steps that are done.
        total: steps in all.
        report_to: tensorboard, wandb, both with a comma between, or "".
        parameters: of the training, for the logs that show them.

    Raises:
        MissingExtraError: what is asked for is not installed.
    """
    wanted = [name for name in report_to.replace(" ", "").split(",") if name]
    for name in wanted:
        if importlib.util.find_spec(name) is None:
            raise MissingExtraError(f"report_to {name}", name)
    out: list[Log] = [JsonLines(folder / "log.jsonl", rows), Progress(folder / "progress.json", total)]
    out += [TensorBoard(folder / "tensorboard")] if "tensorboard" in wanted else []
    out += [WeightsAndBiases(folder, parameters)] if "wandb" in wanted else []
    return out


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    return {name: value for name, value in values.items() if name != "step" and value is not None}
