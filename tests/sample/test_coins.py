"""Coins depend on seed, key and what is decided, on nothing else, and are uniform."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.sample.coins import coins, key_halves, mix
from witbuild.text.keys import pair_key

KEYS = st.lists(st.integers(0, 2**128 - 1).map(lambda value: f"{value:032x}"), max_size=20)


@given(KEYS, st.integers(0, 5))
def test_halves_are_the_numbers_that_keys_spell(keys: list[str], skip: int) -> None:
    column = pa.chunked_array([pa.array(keys[:3], pa.string()), pa.array(keys[3:], pa.string())])[skip:]
    expected = [list(divmod(int(key, 16), 2**64)) for key in keys[skip:]]
    assert key_halves(column).tolist() == expected


@pytest.mark.parametrize("wrong", ["", "0" * 31, "0" * 33, "g" * 32, "A" * 32, None])
def test_what_is_no_key_is_refused(wrong: str | None) -> None:
    with pytest.raises(ValueError, match="32"):
        key_halves(pa.array(["0" * 32, wrong]))
    with pytest.raises(ValueError, match="32"):
        key_halves(pa.array(["0" * 31, "0" * 33]))


@given(KEYS, st.integers(0, 9), st.randoms())
def test_a_coin_does_not_know_its_neighbours(keys: list[str], seed: int, random: object) -> None:
    together = coins(pa.array(keys, pa.string()), seed=seed, what="order")
    alone = [int(coins(pa.array([key]), seed=seed, what="order")[0]) for key in keys]
    assert together.tolist() == alone


def test_seeds_decisions_and_objects_are_independent() -> None:
    keys = pa.array([pair_key(f"http://a.test/{i}", "") for i in range(4_000)])
    objects = np.arange(4_000, dtype=np.uint64)
    thrown = [
        coins(keys, seed=1, what="order"),
        coins(keys, seed=2, what="order"),
        coins(keys, seed=1, what="split"),
        coins(keys, seed=1, what="order", objects=objects),
        coins(keys, seed=1, what="order", objects=objects + np.uint64(1)),
    ]
    unit = np.array([one / 2.0**64 for one in thrown])
    assert (abs(unit.mean(axis=1) - 0.5) < 4 * (1 / 12 / 4_000) ** 0.5).all()
    assert (abs(np.corrcoef(unit) - np.eye(5)) < 4 / 4_000**0.5).all()


@given(st.integers(0, 2**64 - 1))
def test_mix_can_be_undone(value: int) -> None:
    """So it is one to one: invert each step of the finaliser."""
    mask, out = 2**64 - 1, int(mix(np.array([value], np.uint64))[0])
    out ^= (out >> 31) ^ (out >> 62)
    out = out * pow(0x94D049BB133111EB, -1, 2**64) & mask
    out ^= (out >> 27) ^ (out >> 54)
    out = out * pow(0xBF58476D1CE4E5B9, -1, 2**64) & mask
    out ^= (out >> 30) ^ (out >> 60)
    assert out == value
