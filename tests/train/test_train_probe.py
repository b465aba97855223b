"""Linear probes: the minimum that independent optimisers find; the sweep; which images a few shots are."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

if TYPE_CHECKING:
    import numpy.typing as npt

torch = pytest.importorskip("torch")
torch.set_num_threads(1)
optimize = pytest.importorskip("scipy.optimize")
pytestmark = pytest.mark.train

from witbuild.train import fewshot, probe  # noqa: E402


def clouds(count: int, dim: int, classes: int, seed: int = 0) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Overlapping clouds of points, so that no line divides them and the minimum is inside."""
    random = np.random.default_rng(seed)
    labels = random.integers(0, classes, count)
    return random.normal(size=(classes, dim))[labels] + 1.5 * random.normal(size=(count, dim)), labels


def by_scipy(x: npt.NDArray[np.float64], y: npt.NDArray[np.int64], classes: int, strength: float) -> float:
    """The least value of the objective, by scipy's L-BFGS-B on numpy's formulas."""
    n, dim = x.shape

    def objective(flat: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        weights, biases = flat[: dim * classes].reshape(dim, classes), flat[dim * classes :]
        logits = x @ weights + biases
        logits -= logits.max(axis=1, keepdims=True)
        log_p = logits - np.log(np.exp(logits).sum(axis=1, keepdims=True))
        value = -log_p[np.arange(n), y].mean() + strength / 2 * (weights**2).sum() / n
        slope = (np.exp(log_p) - np.eye(classes)[y]) / n
        return value, np.concatenate([(x.T @ slope + strength * weights / n).ravel(), slope.sum(axis=0)])

    found = optimize.minimize(
        objective, np.zeros(dim * classes + classes), jac=True, method="L-BFGS-B",
        options={"maxiter": 5000, "ftol": 1e-15, "gtol": 1e-10},
    )  # fmt: skip
    return float(found.fun)


def value_of(found: probe.Probe, x: npt.NDArray[np.float64], y: npt.NDArray[np.int64], strength: float) -> float:
    scores = found.scores(torch.from_numpy(x))
    loss = torch.nn.functional.cross_entropy(scores, torch.from_numpy(y))
    return float(loss + strength / 2 * found.weights.square().sum() / len(x))


@pytest.mark.parametrize("strength", [1e-3, 1.0, 30.0, 1e5])
@pytest.mark.parametrize(("count", "dim", "classes"), [(120, 7, 4), (60, 30, 3)])
def test_the_minimum_is_the_one_scipy_finds(count: int, dim: int, classes: int, strength: float) -> None:
    x, y = clouds(count, dim, classes)
    found = probe.fit(torch.from_numpy(x), torch.from_numpy(y), classes, strength)
    least = by_scipy(x, y, classes, strength)
    assert value_of(found, x, y, strength) == pytest.approx(least, abs=2e-7)


def test_the_classifier_is_scikit_learns() -> None:
    linear_model = pytest.importorskip("sklearn.linear_model")
    x, y = clouds(150, 6, 3)
    theirs = linear_model.LogisticRegression(C=1 / 3.0, max_iter=5000, tol=1e-10).fit(x, y)
    found = probe.fit(torch.from_numpy(x), torch.from_numpy(y), 3, 3.0)
    np.testing.assert_allclose(found.weights.numpy().T, theirs.coef_, atol=1e-4)
    biases = found.biases.numpy() - found.biases.numpy().mean()
    np.testing.assert_allclose(biases, theirs.intercept_ - theirs.intercept_.mean(), atol=1e-4)


def test_a_strong_penalty_leaves_the_frequencies() -> None:
    x, y = clouds(90, 5, 3)
    found = probe.fit(torch.from_numpy(x), torch.from_numpy(y), 3, 1e9)
    expected = np.bincount(y, minlength=3) / len(y)
    np.testing.assert_allclose(found.biases.softmax(dim=0).numpy(), expected, atol=1e-4)


@given(st.integers(-48, 48), st.floats(0.5, 3.0))
def test_the_sweep_finds_the_peak_of_a_hill(peak: int, power: float) -> None:
    tried: list[float] = []

    def score(strength: float) -> float:
        tried.append(strength)
        return -(abs(math.log10(strength) * 8 - peak) ** power)

    assert probe.sweep(score) == pytest.approx(probe.strength_of(peak))
    assert len(tried) == len(set(tried)) <= 7 + 2 * 4


def test_the_scale_has_eight_steps_a_decade() -> None:
    values = [probe.strength_of(number) for number in range(-48, 49)]
    assert values[0] == pytest.approx(1e-6)
    assert values[-1] == pytest.approx(1e6)
    assert values[8] / values[0] == pytest.approx(10)


def test_the_swept_probe_is_fitted_on_everything() -> None:
    x, y = clouds(200, 20, 4)
    held = torch.from_numpy(np.arange(200) % 5 == 0)
    best, strength = probe.swept(torch.from_numpy(x), torch.from_numpy(y), 4, held, 50)
    again = probe.fit(torch.from_numpy(x), torch.from_numpy(y), 4, strength, 50)
    torch.testing.assert_close(best.weights, again.weights)
    fresh, labels = clouds(400, 20, 4)
    loose = probe.fit(torch.from_numpy(x), torch.from_numpy(y), 4, 1e-6, 50)
    score = best.accuracy(torch.from_numpy(fresh), torch.from_numpy(labels))
    assert score >= loose.accuracy(torch.from_numpy(fresh), torch.from_numpy(labels))
    assert 1e-6 < strength < 1e6


@given(st.lists(st.integers(0, 3), min_size=1, max_size=60), st.integers(1, 6), st.integers(0, 2))
def test_shots_are_so_many_of_each_class(labels: list[int], shots: int, draw: int) -> None:
    keys = [f"k{i}" for i in range(len(labels))]
    found = fewshot.drawn(keys, labels, shots, seed=0, draw=draw)
    for label in set(labels):
        assert sum(labels[place] == label for place in found) == min(shots, labels.count(label))
    assert set(found) <= set(fewshot.drawn(keys, labels, shots + 1, seed=0, draw=draw))


def test_a_draw_depends_on_keys_alone() -> None:
    keys = [f"k{i}" for i in range(40)]
    found = {keys[place] for place in fewshot.drawn(keys, [0] * 40, 5, seed=3, draw=0)}
    assert {keys[::-1][place] for place in fewshot.drawn(keys[::-1], [0] * 40, 5, seed=3, draw=0)} == found
    assert {keys[place] for place in fewshot.drawn(keys, [0] * 40, 5, seed=3, draw=1)} != found


def test_a_fifth_is_held_back() -> None:
    keys, labels = [f"k{i}" for i in range(31)], [0] * 20 + [1] * 10 + [2]
    held = fewshot.held_back(keys, labels, seed=0)
    assert [sum(h for h, label in zip(held, labels, strict=True) if label == c) for c in range(3)] == [4, 2, 0]
