"""The stage `frequency` against a plain reference, over any parts, slices, order and workers."""

from __future__ import annotations

import tempfile
from collections import Counter, defaultdict
from itertools import pairwise
from pathlib import Path
from random import Random
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from tests.global_steps import Row, deal, dropped, kept, pair, play
from witbuild.sample.frequency import floor
from witbuild.stages.frequency import Frequency
from witbuild.stages.frequency.parameters import REASONS
from witbuild.text.tokens import tokens

WORDS = ["dog", "cat", "red", "Red", "of", "zzyzx"]
CAPTIONS = st.lists(st.sampled_from(WORDS), max_size=4).map(" ".join)
PAIRS = st.lists(st.tuples(CAPTIONS, st.integers(0, 5)), min_size=1, max_size=30)
LIMITS = st.fixed_dictionaries(
    {
        "max_images_per_caption": st.integers(0, 3),
        "max_pairs_per_caption": st.integers(0, 4),
        "max_captions_per_image": st.integers(0, 3),
        "frequent_ngrams": st.integers(0, 12),
        "ngram_size": st.integers(1, 2),
    }
).filter(lambda limits: any(limits[name] for name in REASONS))


def ngrams(caption: str, size: int) -> list[tuple[str, ...]]:
    words = tokens(caption)
    return [(word,) for word in words] + ([*pairwise(words)] if size == 2 else [])


def judge(rows: list[Row], limits: dict[str, int]) -> list[str]:
    """Return the reason of each row's drop, or an empty text."""
    images: dict[str, set[str]] = defaultdict(set)
    captions: dict[str, set[str]] = defaultdict(set)
    for row in rows:
        images[row["caption"]].add(row["url"])
        captions[row["url"]].add(row["caption"])
    pairs = Counter(row["caption"] for row in rows)
    words = Counter(gram for row in rows for gram in ngrams(row["caption"], limits["ngram_size"]))
    frequent = frequent_of(words, limits["frequent_ngrams"])

    def why(row: Row) -> str:
        broken = {
            "max_images_per_caption": len(images[row["caption"]]) > limits["max_images_per_caption"],
            "max_pairs_per_caption": pairs[row["caption"]] > limits["max_pairs_per_caption"],
            "max_captions_per_image": len(captions[row["url"]]) > limits["max_captions_per_image"],
            "frequent_ngrams": not set(ngrams(row["caption"], limits["ngram_size"])) <= frequent,
        }
        return next((REASONS[name] for name in REASONS if limits[name] and broken[name]), "")

    return [why(row) for row in rows]


def frequent_of(words: Counter[tuple[str, ...]], most: int) -> set[tuple[str, ...]]:
    """The largest set of n-grams, of at most so many, that leaves out none as frequent as one that it has."""
    least = next((n for n in range(1, max(words.values(), default=0) + 2) if at_least(words, n) <= most), 1)
    return {gram for gram, count in words.items() if count >= least}


def at_least(words: Counter[tuple[str, ...]], least: int) -> int:
    return sum(count >= least for count in words.values())


def run_on(rows: list[Row], stage: Frequency, parts: int, workers: int = 1) -> tuple[list[str], Counter[str]]:
    with tempfile.TemporaryDirectory() as folder:
        run = play(Path(folder), stage, [*deal(rows, parts), [pair("http://kept.test/", "")]], workers=workers)
        return kept(run), dropped(run)


def rows_of(pairs: list[tuple[str, int]]) -> list[Row]:
    return [pair(f"http://a.test/{image}.jpg", caption) for caption, image in pairs]


@settings(max_examples=10)
@given(PAIRS, LIMITS, st.integers(1, 3), st.integers(1, 4))
def test_what_is_dropped_is_what_the_reference_drops(
    pairs: list[tuple[str, int]], limits: dict[str, int], parts: int, slices: int
) -> None:
    one_more = pair("http://kept.test/", "")
    rows = rows_of(pairs)
    reasons = judge([*rows, one_more], limits)
    if reasons[-1]:  # nothing would be left, which the runner takes for an error
        return
    keys, counts = run_on(rows, Frequency(**limits, slices=slices), min(parts, len(rows)))
    assert keys == sorted(row["key"] for row, why in zip([*rows, one_more], reasons, strict=True) if not why)
    assert counts == Counter(why for why in reasons if why)


def crowd(count: int) -> list[Row]:
    """Captions and images as unequal as they are on the web."""
    random = Random(4)
    captions = [
        f"{random.choice(WORDS)} {random.choice(WORDS)} {min(int(random.paretovariate(0.8)), 60)}" for _ in range(count)
    ]
    return rows_of([(caption, min(int(random.paretovariate(0.5)), 200)) for caption in captions])


def test_parts_slices_order_and_workers_change_nothing() -> None:
    rows, limits = crowd(500), {"max_images_per_caption": 4, "max_captions_per_image": 30, "frequent_ngrams": 40}
    one = run_on(rows, Frequency(**limits, slices=1), 1)
    assert set(one[1]) == {"caption_of_many_images", "image_of_many_captions", "rare_ngram"}
    assert run_on(rows[::-1], Frequency(**limits, slices=5), 4) == one
    assert run_on(Random(1).sample(rows, 500), Frequency(**limits, slices=2), 3, workers=2) == one


def test_align_counts_images_and_coyo_counts_pairs() -> None:
    same = [pair("http://a.test/1.jpg", "a dog", page_url=f"http://p.test/{number}") for number in range(3)]
    assert run_on(same, Frequency(max_images_per_caption=2), 2)[1] == {}
    assert run_on(same, Frequency(max_pairs_per_caption=2), 2)[1] == {"caption_of_many_pairs": 3}
    assert run_on(same, Frequency(max_pairs_per_caption=3), 2)[1] == {}


def test_once_fetched_an_image_is_its_pixels() -> None:
    rows = [pair(f"http://a.test/{number}.jpg", f"caption {number}", pixel_sha256="ab" * 32) for number in range(3)]
    assert run_on(rows, Frequency(max_captions_per_image=2), 1)[1] == {"image_of_many_captions": 3}
    assert run_on([{**row, "pixel_sha256": None} for row in rows], Frequency(max_captions_per_image=2), 1)[1] == {}


def test_one_address_written_in_two_ways_is_one_image() -> None:
    rows = [pair(url, "a dog") for url in ("http://a.test/1.jpg", "HTTP://A.test:80/1.jpg#x", "http://a.test/2.jpg")]
    assert run_on(rows, Frequency(max_images_per_caption=2), 1)[1] == {}


@given(st.lists(st.tuples(st.integers(1, 9), st.integers(1, 5)), max_size=8), st.integers(0, 30))
def test_the_floor_lets_in_as_many_as_fit_and_no_more(levels: list[tuple[int, int]], most: int) -> None:
    table = pa.table(
        {"count": pa.array([c for c, _ in levels], pa.int64()), "ngrams": pa.array([n for _, n in levels], pa.int64())}
    )

    def admitted(least: int) -> int:
        return sum(many for count, many in levels if count >= least)

    least = floor(table, most)
    assert admitted(least) <= most
    assert least == 1 or admitted(least - 1) > most


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({}, "nothing to do; give at least one of max_images"),
        ({"ngram_size": 3}, "1 or 2"),
        ({"frequent_ngrams": -1}, "greater than or equal to 0"),
    ],
)
def test_what_cannot_be_asked(values: dict[str, Any], message: str) -> None:
    with pytest.raises(ValidationError, match=message):
        Frequency(**values)
