"""Vectors, their bands and their cosine against NumPy's floating point and against the formula."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.vectors import (
    Planes,
    as_bytes,
    found_share,
    from_column,
    plane_keys,
    planes,
    squares,
    sum_of_directions,
    to_column,
)
from witbuild.dedup.verify import Records, Rule, alike

RULE = Rule(image=True, distance=-1, caption=False, threshold=0.8, cosine=0.9)


def drawn(count: int, size: int, seed: int = 1) -> npt.NDArray[np.float32]:
    return np.random.default_rng(seed).normal(size=(count, size)).astype(np.float32)


def apart(features: npt.NDArray[np.float32], cosine: float, seed: int = 2) -> npt.NDArray[np.float32]:
    """Vectors at a given cosine from others."""
    unit = features / np.linalg.norm(features, axis=1, keepdims=True)
    other = drawn(len(features), features.shape[1], seed)
    other -= (other * unit).sum(axis=1, keepdims=True) * unit
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    return (cosine * unit + (1 - cosine**2) ** 0.5 * other).astype(np.float32)


def records(vectors: npt.NDArray[np.int8]) -> Records:
    count = len(vectors)
    numbers, offsets = np.zeros(count, np.uint64), np.zeros(count + 1, np.int64)
    seen = np.ones(count, np.bool_)
    return Records(
        np.arange(count).astype(np.uint64), numbers, seen, numbers[:0], offsets, numbers, vectors, squares(vectors)
    )


@given(st.integers(0, 10_000), st.floats(0.5, 1.0))
def test_two_are_alike_from_the_cosine_on(seed: int, cosine: float) -> None:
    one = drawn(1, 32, seed)
    vectors = as_bytes(np.concatenate((one, apart(one, cosine, seed + 1))))
    wide = vectors.astype(np.float64)
    exact = wide[0] @ wide[1] / (np.linalg.norm(wide[0]) * np.linalg.norm(wide[1]))
    assert abs(exact - cosine) < 0.02
    if abs(exact - RULE.cosine) > 1e-9:
        assert alike(0, 1, records(vectors), RULE) == (exact >= RULE.cosine)


def test_an_image_that_was_not_seen_is_like_none_but_by_its_url() -> None:
    found = records(as_bytes(drawn(1, 8).repeat(3, axis=0)))
    found.seen[1] = False
    found.url[2] = found.url[1]
    assert not alike(0, 1, found, RULE)
    assert alike(1, 2, found, RULE)
    assert alike(0, 2, found, RULE)


@pytest.mark.parametrize("cosine", [0.7, 0.9, 0.98])
def test_tables_find_the_share_that_the_formula_says(cosine: float) -> None:
    features = drawn(2_000, 48)
    cut = Planes(4, 10, 7, np.zeros(48, np.int64))
    one, other = (plane_keys(as_bytes(some), cut) for some in (features, apart(features, cosine)))
    found, expected = (one == other).any(axis=1).mean(), found_share(cosine, 4, 10)
    assert abs(found - expected) < 4 * (expected * (1 - expected) / 2_000) ** 0.5 + 0.02


def test_what_all_have_in_common_is_taken_off() -> None:
    """In a narrow cone nearly all share a key; with the centre taken off few do, and those that are near still do."""
    features = drawn(1_000, 48) + 3
    vectors = as_bytes(np.concatenate((features, features + 0.05 * drawn(1_000, 48, 3))))
    keys = {}
    for name, middle in {"none": np.zeros(48, np.int64), "mean": sum_of_directions(vectors) // 2_000}.items():
        keys[name] = plane_keys(vectors, Planes(8, 8, 1, middle))
    alone = {name: np.unique(found[:1_000, 0]).size for name, found in keys.items()}
    assert alone["mean"] > 5 * alone["none"]
    assert (keys["mean"][:1_000] == keys["mean"][1_000:]).any(axis=1).mean() > 0.98


@given(st.integers(0, 100), st.integers(0, 20))
def test_sums_add_up_over_any_parts(seed: int, split: int) -> None:
    vectors = as_bytes(drawn(20, 16, seed))
    assert (sum_of_directions(vectors) == sum_of_directions(vectors[:split]) + sum_of_directions(vectors[split:])).all()
    cut = Planes(3, 9, seed, sum_of_directions(vectors) // 20)
    assert (plane_keys(vectors, cut)[split:] == plane_keys(vectors[split:], cut)).all()


def test_planes_are_whole_numbers_drawn_evenly_to_both_sides() -> None:
    normals = planes(512, 64, 1)
    assert (normals == np.rint(normals)).all()
    assert np.abs(normals).max() <= 127
    assert abs(normals.mean()) < 4 * normals.std() / normals.size**0.5
    assert not (planes(512, 64, 2) == normals).all(axis=0).any()


def test_columns_are_read_as_they_were_written() -> None:
    vectors, seen = as_bytes(drawn(5, 7)), np.array([True, False, True, True, False])
    found, known = from_column(to_column(vectors, seen))
    assert (known == seen).all()
    assert (found == np.where(seen[:, None], vectors, 0)).all()
    assert from_column(pa.nulls(3, pa.binary()))[0].shape == (3, 0)
    with pytest.raises(ValueError, match="different models"):
        from_column(pa.array([b"12", b"123"]))
