"""Effective robustness: what a model has under a shift beyond what its accuracy elsewhere lets one expect.

    rho = accuracy(shifted) - beta(accuracy(reference)),     logit beta(x) = slope * logit(x) + offset

with slope and offset fitted by least squares to other models (Taori et al. 2020, "Measuring robustness to natural
distribution shifts in image classification", section 2; CLIP's section 3.3).
"""

from __future__ import annotations

import csv
import io
import math
from typing import TYPE_CHECKING, NamedTuple

from witbuild.errors import InputError
from witbuild.io import store

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

_COLUMNS = ("model", "task", "accuracy")
_NEAREST = 1e-4
"""To 0 and to 1, so that a logit is finite."""


class Trend(NamedTuple):
    """The line that other models lie on, in logits."""

    slope: float
    offset: float

    def expected(self, reference: float) -> float:
        """Return the accuracy under the shift of a model with some accuracy on the reference.

        Example:
            >>> Trend(1.0, 0.0).expected(0.8)
            0.8
        """
        return round(1 / (1 + math.exp(-(self.slope * logit(reference) + self.offset))), 12)


def logit(share: float) -> float:
    """Return the log odds of a share.

    Example:
        >>> logit(0.5)
        0.0
    """
    inside = min(max(share, _NEAREST), 1 - _NEAREST)
    return math.log(inside / (1 - inside))


def trend(points: Sequence[tuple[float, float]]) -> Trend:
    """Return the line through (reference, shifted) accuracies of some models, by least squares of logits.

    Raises:
        InputError: there are fewer than two different reference accuracies.

    Example:
        >>> line = trend([(0.5, 0.5), (0.75, 0.75), (0.9, 0.9)])
        >>> round(line.slope, 6), round(line.offset, 6)
        (1.0, 0.0)
    """
    pairs = [(logit(x), logit(y)) for x, y in points]
    if len({x for x, _ in pairs}) < 2:
        raise InputError(f"a line needs models of two different reference accuracies at least; found {len(pairs)}")
    mean_x, mean_y = (sum(values) / len(pairs) for values in zip(*pairs, strict=True))
    slope = sum((x - mean_x) * (y - mean_y) for x, y in pairs) / sum((x - mean_x) ** 2 for x, _ in pairs)
    return Trend(slope, mean_y - slope * mean_x)


def read_baselines(path: str) -> dict[str, dict[str, float]]:
    """Return task -> model -> accuracy, out of a CSV of the columns model, task and accuracy (0 to 1).

    Raises:
        InputError: a column is missing, or an accuracy is no share.
    """
    rows = csv.DictReader(io.StringIO(store.read_bytes(path).decode("utf-8-sig")))
    if not set(_COLUMNS) <= set(rows.fieldnames or ()):
        raise InputError(f"{path}: columns {rows.fieldnames}; expected {', '.join(_COLUMNS)}")
    out: dict[str, dict[str, float]] = {}
    for number, row in enumerate(rows, start=2):
        try:
            accuracy = float(row["accuracy"])
        except (TypeError, ValueError):
            accuracy = -1.0
        if not 0 <= accuracy <= 1:
            raise InputError(f"{path}: line {number}: accuracy {row['accuracy']!r}; expected a number from 0 to 1")
        out.setdefault(row["task"], {})[row["model"]] = accuracy
    return out


def effective(
    baselines: Mapping[str, Mapping[str, float]], names: tuple[str, str], accuracies: tuple[float, float]
) -> float:
    """Return the effective robustness of a model.

    Args:
        baselines: task -> model -> accuracy, of other models.
        names: of the reference set and of the shifted one.
        accuracies: of the model on the two.

    Raises:
        InputError: fewer than two models have both.
    """
    reference, shifted = (baselines.get(name, {}) for name in names)
    points = [(reference[model], shifted[model]) for model in sorted(reference.keys() & shifted.keys())]
    try:
        line = trend(points)
    except InputError as error:
        raise InputError(f"baselines on {names[0]!r} and {names[1]!r}: {error}") from error
    return accuracies[1] - line.expected(accuracies[0])
