"""The order of samples: a permutation of every epoch, and a function of (seed, epoch, step) alone."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.errors import RecipeError
from witbuild.train.order import Order, permuted


@given(st.integers(1, 3000), st.integers(0, 2**64), st.integers(0, 5))
def test_every_place_once(size: int, seed: int, epoch: int) -> None:
    out = permuted(np.arange(size), size, seed, "epoch", epoch)
    assert np.array_equal(np.sort(out), np.arange(size))


@given(st.integers(2, 2000), st.data())
def test_places_can_be_asked_for_alone(size: int, data: st.DataObject) -> None:
    places = np.array(data.draw(st.lists(st.integers(0, size - 1), min_size=1, max_size=20)))
    assert np.array_equal(permuted(places, size, 3), permuted(np.arange(size), size, 3)[places])


def test_neighbours_are_scattered_and_epochs_differ() -> None:
    first, second = (permuted(np.arange(10_000), 10_000, 0, "epoch", epoch) for epoch in (0, 1))
    assert (first == second).mean() < 0.001
    assert abs(np.corrcoef(np.arange(10_000), first)[0, 1]) < 0.05
    assert abs(np.corrcoef(first, second)[0, 1]) < 0.05
    # the mean distance of two random places is a third of the range
    assert abs(np.abs(np.diff(first)).mean() / 10_000 - 1 / 3) < 0.01


def test_a_number_beyond_32_bits_of_samples_works() -> None:
    size = 5_000_000_000
    out = permuted(np.arange(1000), size, 0)
    assert len(set(out.tolist())) == 1000
    assert out.min() >= 0 and out.max() < size


def test_an_epoch_shows_no_sample_twice() -> None:
    order = Order((103,), batch_size=10, seed=5)
    for epoch in range(3):
        steps = range(epoch * order.steps_per_epoch, (epoch + 1) * order.steps_per_epoch)
        seen = np.concatenate([order.batch(step) for step in steps])
        assert len(set(seen.tolist())) == 100


def test_too_few_samples_for_a_batch() -> None:
    with pytest.raises(RecipeError, match="batch_size is 64 and there are 10 samples"):
        Order((10,), batch_size=64, seed=0)
