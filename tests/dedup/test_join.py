"""The join against plain Python: buckets of any size, whatever the order of rows."""

from __future__ import annotations

from itertools import combinations
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup import join
from witbuild.dedup.digits import number_hash_one, number_hashes
from witbuild.dedup.join import Bands, link
from witbuild.dedup.lsh import optimum
from witbuild.dedup.minhash import permutations
from witbuild.dedup.shingles import shingle
from witbuild.dedup.strings import strings
from witbuild.dedup.verify import Records, Rule, jaccard

CUT = Bands(permutations(128, 1), *optimum(0.5, 128, 0.9))
WORDS = [*"abcdefghi", "1", "27", "wi7"]
CAPTION = st.lists(st.sampled_from(WORDS), max_size=5).map(" ".join)
RECORD = st.tuples(st.integers(0, 3), st.none() | st.integers(0, 15), CAPTION)
RULE = st.builds(
    Rule, st.booleans(), st.integers(-1, 2), st.booleans(), st.sampled_from([0.3, 0.5, 0.8, 1.0]), cosine=st.just(0.0)
)
Row = tuple[int, int | None, str]


def records(rows: list[Row]) -> Records:
    urls, images, captions = zip(*rows, strict=True) if rows else ((), (), ())
    texts = strings(pa.array(captions, pa.string()))
    sets = shingle(texts, "words", 1)
    seen = np.array([image is not None for image in images], np.bool_)
    return Records(
        np.array(urls, np.uint64), np.array([i or 0 for i in images], np.uint64), seen, *sets, number_hashes(texts)
    )


def alike(one: Row, two: Row, rule: Rule) -> bool:
    a, b = set(one[2].split()), set(two[2].split())
    known = rule.distance >= 0 and one[1] is not None and two[1] is not None
    near = known and ((one[1] or 0) ^ (two[1] or 0)).bit_count() <= rule.distance
    if rule.image and one[0] != two[0] and not near:
        return False
    if rule.caption and number_hash_one(one[2]) != number_hash_one(two[2]):
        return False
    return not rule.caption or (len(a & b) / len(a | b) if a | b else 1.0) >= rule.threshold


def reference(bands: list[tuple[int, int]], rows: list[Row], rule: Rule) -> list[int]:
    """Plain Python: link all pairs of one band that are alike, then follow the links."""
    root = list(range(len(rows)))
    for (band, i), (other, j) in combinations(sorted(set(bands)), 2):
        if band == other and alike(rows[i], rows[j], rule):
            low, high = sorted((root[i], root[j]))
            root = [low if one == high else one for one in root]
    return root


@given(st.lists(RECORD, min_size=1, max_size=14), st.data(), RULE)
def test_small_buckets_are_joined_exactly(rows: list[Row], data: st.DataObject, rule: Rule) -> None:
    row = st.tuples(st.integers(0, 2), st.integers(0, len(rows) - 1))
    bands = data.draw(st.lists(row, max_size=30))
    keys, members = np.array(bands, np.int64).reshape(-1, 2).T.copy()
    roots = link(keys.astype(np.uint64), members, records(rows), rule, CUT)
    assert roots.tolist() == reference(bands, rows, rule)


@given(st.lists(RECORD, min_size=1, max_size=24), RULE)
def test_images_in_huge_buckets_are_joined_exactly(rows: list[Row], rule: Rule) -> None:
    """Also captions, as long as one of two groups of near images is small."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(join, "LIMIT", 0 if not rule.caption else len(rows))
        found, rule = records(rows), rule._replace(image=True)  # captions alone go to representatives
        roots = np.arange(len(rows))
        join._link_huge(np.arange(len(rows)), found, rule, CUT, roots)
    assert join._roots(roots).tolist() == reference([(0, i) for i in range(len(rows))], rows, rule)


@pytest.mark.timeout(90)
def test_a_huge_bucket_of_captions_is_linear_and_finds_near_all() -> None:
    """60,000 captions in one bucket, in pairs that are alike; comparing all would be 1.8 billion tests."""
    count = 30_000
    captions = [" ".join(f"{kind}{i}" for kind in "abcdefghi") for i in range(count)]
    rows: list[Row] = [(0, None, caption + more) for caption in captions for more in ("", " more")]
    rule = Rule(image=True, distance=0, caption=True, threshold=0.8)
    roots = link(np.zeros(len(rows), np.uint64), np.arange(len(rows)), records(rows), rule, CUT)
    found = (roots[::2] == roots[1::2]).mean()
    assert found > 0.99
    assert np.unique(roots).size == count + round((1 - found) * count)


@pytest.mark.parametrize("image", [True, False])
def test_equal_captions_in_a_huge_bucket_go_to_representatives(*, image: bool) -> None:
    rows: list[Row] = [(0, i, "a b c d e f" if i % 2 else "u v w x y z") for i in range(2_000)]
    rule = Rule(image=image, distance=0, caption=True, threshold=0.8)
    roots = link(np.zeros(len(rows), np.uint64), np.arange(len(rows)), records(rows), rule, CUT)
    assert roots.tolist() == [i % 2 for i in range(2_000)]


@given(st.sets(st.integers(0, 30)), st.sets(st.integers(0, 30)))
def test_jaccard_is_shared_over_all(one: set[int], two: set[int]) -> None:
    found = jaccard(*(np.array(sorted(values), np.uint64) for values in (one, two)))
    assert found == (len(one & two) / len(one | two) if one | two else 1.0)


def test_any_order_of_rows_gives_the_same_links() -> None:
    rng = np.random.default_rng(7)
    rows: list[Row] = [
        (int(rng.integers(50)), int(rng.integers(16)), " ".join(rng.choice(WORDS, 4))) for _ in range(900)
    ]
    bands, members = rng.integers(0, 3, 2_000).astype(np.uint64), rng.integers(0, 900, 2_000)
    rule = Rule(image=True, distance=1, caption=True, threshold=0.5)
    arguments: tuple[Any, ...] = (records(rows), rule, CUT)
    first = link(bands, members, *arguments)
    for _ in range(3):
        order = rng.permutation(2_000)
        assert (link(bands[order], members[order], *arguments) == first).all()
