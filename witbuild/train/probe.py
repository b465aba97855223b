"""Linear probes: logistic regression on frozen features, its regularisation swept as in CLIP's appendix A.3.

    minimise over W, b:   1/n * ( sum of cross-entropies of (x W + b) + lambda / 2 * |W|^2 )

by full-batch L-BFGS; scikit-learn's LogisticRegression with C = 1 / lambda has the same minimum. The sweep looks at 8
values of lambda a decade from 1e-6 to 1e6: first at every 16th of them, then at half that step on both sides of the
best, and so on down to neighbours.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import torch
from torch.nn import functional

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import Tensor

ITERATIONS = 1_000
"""Most iterations of L-BFGS, as in the paper."""
PER_DECADE = 8
_LARGEST = 6 * PER_DECADE
_FIRST_STEP = 2 * PER_DECADE


@dataclass(frozen=True)
class Probe:
    """A linear classifier: weights (D, C) and biases (C,)."""

    weights: Tensor
    biases: Tensor

    def scores(self, features: Tensor) -> Tensor:
        """Return a score for each class, (n, C)."""
        return features.to(self.weights.dtype) @ self.weights + self.biases

    def accuracy(self, features: Tensor, labels: Tensor) -> float:
        """Return the share of features that are classified right."""
        return (self.scores(features).argmax(dim=1) == labels).double().mean().item()


def fit(features: Tensor, labels: Tensor, classes: int, strength: float, iterations: int = ITERATIONS) -> Probe:
    """Return the classifier that is best on some features.

    Args:
        features: (n, D).
        labels: int64 of shape (n,), below `classes`.
        classes: C of them.
        strength: lambda, of the penalty on weights; biases have none.
        iterations: at most so many.

    Example:
        >>> features = torch.tensor([[-1.0], [-2.0], [1.0], [2.0]])
        >>> fit(features, torch.tensor([0, 0, 1, 1]), 2, 1e-2).accuracy(features, torch.tensor([0, 0, 1, 1]))
        1.0
    """
    known = features.detach().double() if features.device.type == "cpu" else features.detach().float()
    weights = known.new_zeros(known.shape[1], classes).requires_grad_()
    biases = known.new_zeros(classes).requires_grad_()
    search = torch.optim.LBFGS(
        [weights, biases],
        max_iter=iterations,
        max_eval=2 * iterations,
        tolerance_grad=1e-6,
        tolerance_change=1e-12,
        line_search_fn="strong_wolfe",
    )

    def closure() -> float:
        search.zero_grad()
        with torch.enable_grad():
            penalty = strength / 2 * weights.square().sum() / len(known)
            loss = functional.cross_entropy(known @ weights + biases, labels) + penalty
            loss.backward()
        value: float = loss.item()
        return value

    search.step(closure)
    return Probe(weights.detach(), biases.detach())


def strength_of(number: int) -> float:
    """Return the lambda of a number on the sweep's scale.

    Example:
        >>> strength_of(-48), strength_of(0), round(strength_of(4), 3)
        (1e-06, 1.0, 3.162)
    """
    return float(10.0 ** (number / PER_DECADE))


def sweep(score: Callable[[float], float]) -> float:
    """Return the lambda that scores best, found from coarse to fine; of equal ones the stronger.

    Example:
        >>> import math
        >>> tried = []
        >>> def score(strength):
        ...     tried.append(strength)
        ...     return -abs(math.log10(strength) - 1.4)
        >>> round(math.log10(sweep(score)), 3), len(tried)
        (1.375, 15)
    """
    scores: dict[int, float] = {}

    def at(number: int) -> float:
        if number not in scores:
            scores[number] = score(strength_of(number))
        return scores[number]

    best = max(range(-_LARGEST, _LARGEST + 1, _FIRST_STEP), key=lambda number: (at(number), number))
    step = _FIRST_STEP // 2
    while step:
        near = [number for number in (best - step, best, best + step) if abs(number) <= _LARGEST]
        best = max(near, key=lambda number: (at(number), number))
        step //= 2
    return strength_of(best)


def swept(
    features: Tensor, labels: Tensor, classes: int, held: Tensor, iterations: int = ITERATIONS
) -> tuple[Probe, float]:
    """Return the probe on all features, and its lambda: the one that does best on those held back meanwhile.

    Args:
        features: (n, D).
        labels: int64 of shape (n,).
        classes: how many there are.
        held: bool of shape (n,): which are held back to choose lambda by.
        iterations: of each fit, at most.
    """

    def score(strength: float) -> float:
        probe = fit(features[~held], labels[~held], classes, strength, iterations)
        return probe.accuracy(features[held], labels[held])

    strength = sweep(score)
    return fit(features, labels, classes, strength, iterations), strength
