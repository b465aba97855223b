"""Shingles against plain Python, signatures and bands against datasketch."""

from __future__ import annotations

from functools import partial
from itertools import permutations as permuted

import datasketch
import numpy as np
import pyarrow as pa
import pytest
from datasketch.lsh import _optimal_param
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.folding import fold, fold_one
from witbuild.dedup.lsh import optimum, share_probability
from witbuild.dedup.minhash import EMPTY, band_keys, permutations, shingle_hash, signatures, text_band_keys
from witbuild.dedup.shingles import Unit, _distinct, _Room, shingle, shingle_one
from witbuild.dedup.strings import Strings, strings

CAPTIONS = st.lists(st.text("ab cdé東京", max_size=30) | st.text(max_size=30), max_size=8)
CUTS: list[tuple[Unit, int]] = [("words", 1), ("words", 2), ("words", 3), ("characters", 3), ("characters", 5)]


def folded(captions: list[str]) -> Strings:
    return fold(pa.array(captions, pa.string()))


def theirs(shingles: set[str], unit: Unit, num_perm: int, seed: int) -> datasketch.MinHash:
    sketch = datasketch.MinHash(num_perm, seed=seed, hashfunc=partial(shingle_hash, unit=unit), scheme="affine32")
    sketch.update_batch([one.encode() for one in shingles])
    return sketch


@pytest.mark.parametrize(("unit", "size"), CUTS)
@given(captions=CAPTIONS)
def test_shingles_are_those_of_plain_python(unit: Unit, size: int, captions: list[str]) -> None:
    values, offsets = shingle(folded(captions), unit, size)
    for i, caption in enumerate(captions):
        texts = pa.array(sorted(shingle_one(fold_one(caption), unit, size)), pa.string())
        expected = [shingle_hash(text.encode(), unit) for text in texts.to_pylist()]
        found = values[offsets[i] : offsets[i + 1]].tolist()
        assert sorted(value & 0xFFFFFFFF for value in found) == sorted(expected)
        assert found == sorted(set(found))


@given(st.lists(st.text("abc", min_size=1), min_size=1, max_size=5))
def test_the_order_of_words_counts(words: list[str]) -> None:
    hashes = {order: shingle_hash(" ".join(order).encode()) for order in set(permuted(words))}
    assert len(set(hashes.values())) == len(hashes)


@pytest.mark.parametrize(("unit", "size"), CUTS)
@given(captions=CAPTIONS)
def test_bands_in_one_pass_are_those_of_the_sets(unit: Unit, size: int, captions: list[str]) -> None:
    texts, order = folded(captions), permutations(128, 1)
    sets = shingle(texts, unit, size)
    for shape in [(9, 13), (16, 8), (128, 1)]:
        assert (text_band_keys(texts, unit, size, order, shape) == band_keys(sets, order, *shape)).all()


@given(st.lists(st.integers(0, 20) | st.integers(0, 2**64 - 1), max_size=60))
def test_a_set_is_sorted_whatever_its_values_are(values: list[int]) -> None:
    """Hashes are even; small numbers all have the same highest bits."""
    found = np.array([7, *values], np.uint64)
    end = _distinct(found, 1, found.size, _Room(np.empty(60, np.uint64), np.empty(120, np.int64)))
    assert found[:end].tolist() == [7, *sorted(set(values))]


@given(CAPTIONS)
def test_repeats_and_order_do_not_matter_to_signatures(captions: list[str]) -> None:
    order = permutations(16, 1)
    sets, runs = shingle(folded(captions)), shingle(folded(captions), distinct=False)
    assert (signatures(sets, order) == signatures(runs, order)).all()


@pytest.mark.parametrize("unit", ["words", "characters"])
@given(captions=CAPTIONS, seed=st.integers(0, 2**32 - 1), num_perm=st.sampled_from([1, 16, 128]))
def test_signatures_are_bit_equal_to_datasketch(unit: Unit, captions: list[str], seed: int, num_perm: int) -> None:
    ours = signatures(shingle(folded(captions), unit, 2), permutations(num_perm, seed))
    for row, caption in enumerate(captions):
        expected = theirs(shingle_one(fold_one(caption), unit, 2), unit, num_perm, seed)
        assert (ours[row] == expected.hashvalues).all()


@given(CAPTIONS)
def test_two_share_a_band_key_where_datasketch_shares_a_band(captions: list[str]) -> None:
    bands, rows = 9, 4
    keys = band_keys(shingle(folded(captions)), permutations(128, 1), bands, rows)
    full = signatures(shingle(folded(captions)), permutations(128, 1))
    for i in range(len(captions)):
        for j in range(i):
            same = [bool((full[i] == full[j])[band * rows : (band + 1) * rows].all()) for band in range(bands)]
            assert (keys[i] == keys[j]).tolist() == same


def test_an_empty_set_has_the_empty_signature() -> None:
    assert (signatures(shingle(strings(pa.array([""]))), permutations(8, 1)) == EMPTY).all()


@pytest.mark.parametrize("num_perm", [2, 16, 64, 128, 200])
@pytest.mark.parametrize("threshold", [0.1, 0.3, 0.5, 0.7, 0.8, 0.85, 0.9, 0.95, 1.0])
@pytest.mark.parametrize("weight", [0.5, 0.8])
def test_bands_and_rows_are_datasketchs(threshold: float, num_perm: int, weight: float) -> None:
    expected = _optimal_param(threshold, num_perm, 1.0 - weight, weight)
    assert optimum(threshold, num_perm, weight) == expected


def test_sharing_a_band_happens_as_often_as_the_formula_says() -> None:
    """400 pairs of sets of similarity 10/16, four bands of two: 1 - (1 - s^2)^4 = 0.86, give or take four sigma."""
    alike = [" ".join(f"s{i}x{n}" for n in range(10)) for i in range(400)]
    owns = [(f"a{i} b{i} c{i} d{i} e{i}", f"v{i}") for i in range(400)]  # else one word's luck would be that of all
    sets = shingle(
        folded([f"{own} {same}" for same, both in zip(alike, owns, strict=True) for own in both]), "words", 1
    )
    keys = band_keys(sets, permutations(8, 3), 4, 2)
    shared = (keys[::2] == keys[1::2]).any(axis=1).mean()
    expected = float(share_probability(10 / 16, 4, 2))
    assert abs(shared - expected) < 4 * (expected * (1 - expected) / 400) ** 0.5
