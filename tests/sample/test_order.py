"""The global order: slices and cuts never change it."""

from __future__ import annotations

import numpy as np
import pyarrow as pa
from hypothesis import given
from hypothesis import strategies as st

from witbuild.sample import order
from witbuild.sample.coins import coins

COINS = st.lists(st.integers(0, 2**64 - 1), max_size=50).map(lambda values: np.array(values, np.uint64))
SIZES = st.lists(st.integers(1, 100), max_size=60)


@given(COINS, st.integers(1, 300))
def test_slices_behind_each_other_are_the_whole_order(values: np.ndarray, count: int) -> None:
    slices = order.slice_of(values, count)
    assert ((slices >= 0) & (slices < count)).all()
    joined = np.concatenate([np.sort(values[slices == i]) for i in range(count)])
    assert (joined == np.sort(values)).all()


def greedy(sizes: list[int], samples: int, size: int | None) -> list[tuple[int, int]]:
    """Plain Python: one sample after another."""
    out: list[tuple[int, int]] = []
    taken = 0
    for i, one in enumerate(sizes):
        if out and i - out[-1][0] < samples and (size is None or taken + one <= size):
            out[-1], taken = (out[-1][0], i + 1), taken + one
        else:
            out.append((i, i + 1))
            taken = one
    return out


@given(SIZES, st.integers(1, 12), st.none() | st.integers(1, 400), st.lists(st.integers(0, 60), max_size=4))
def test_cuts_are_greedy_whatever_the_pieces(sizes: list[int], samples: int, size: int | None, ends: list[int]) -> None:
    pieces = np.split(np.array(sizes, np.int64), sorted(min(end, len(sizes)) for end in ends))
    assert list(order.cut(pieces, samples=samples, size=size)) == greedy(sizes, samples, size)


@given(st.lists(st.integers(0, 6), max_size=8), st.data())
def test_spans_are_the_range(rows: list[int], data: st.DataObject) -> None:
    start = data.draw(st.integers(0, sum(rows)))
    stop = data.draw(st.integers(start, sum(rows)))
    everything = [(part, row) for part, count in enumerate(rows) for row in range(count)]
    found = [(part, row) for part, first, last in order.spans(rows, start, stop) for row in range(first, last)]
    assert found == everything[start:stop]


def keys(count: int) -> list[str]:
    return [f"{i:032x}" for i in range(count)]


def test_the_split_has_about_its_fraction_and_follows_the_image() -> None:
    images = [f"{i // 2:032x}" * 2 if i % 3 else None for i in range(20_000)]
    table = pa.table({"key": keys(20_000), "pixel_sha256": images, "cluster": pa.nulls(20_000, pa.string())})
    held = order.held_out(table, seed=3, fraction=0.1)
    assert abs(held.mean() - 0.1) < 0.01
    by_image: dict[str, set[bool]] = {}
    for image, is_held in zip(images, held.tolist(), strict=True):
        if image is not None:
            by_image.setdefault(image, set()).add(is_held)
    assert all(len(splits) == 1 for splits in by_image.values())


def test_the_split_follows_the_cluster_before_the_image() -> None:
    clusters = [f"{i // 50:032x}" for i in range(1000)]
    table = pa.table({"key": keys(1000), "pixel_sha256": [f"{i:064x}" for i in range(1000)], "cluster": clusters})
    held = order.held_out(table, seed=1, fraction=0.3).reshape(20, 50)
    assert (held.all(1) | ~held.any(1)).all()
    assert held.any() and not held.all()


def test_order_and_split_are_tossed_apart() -> None:
    unknown = pa.nulls(10_000, pa.string())
    table = pa.table({"key": keys(10_000), "pixel_sha256": unknown, "cluster": unknown})
    held = order.held_out(table, seed=0, fraction=0.5)
    first_half = coins(table["key"], seed=0, what="order") < 2**63
    assert abs((held == first_half).mean() - 0.5) < 0.03
