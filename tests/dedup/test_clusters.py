"""Rounds of large-star and small-star over slices give the connected components."""

from __future__ import annotations

import math
from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.clusters import Edges, both_ways, large_star, small_star, star
from witbuild.sample.coins import mix

Pairs = list[tuple[int, int]]


def components(pairs: Pairs) -> dict[int, int]:
    """Plain Python: node -> smallest node of its component."""
    root = {node: node for pair in pairs for node in pair}
    changed = True
    while changed:
        changed = False
        for one, two in pairs:
            low = min(root[one], root[two])
            changed |= root[one] != low or root[two] != low
            root[one] = root[two] = low
    return root


def edges(pairs: Pairs) -> Edges:
    array = np.array(pairs, np.uint64).reshape(-1, 2)
    return Edges(array[:, 0].copy(), array[:, 1].copy())


def cut(rows: Edges, slices: int) -> list[Edges]:
    place = (mix(rows.node) % np.uint64(slices)).astype(int)
    return [Edges(rows.node[place == i], rows.other[place == i]) for i in range(slices)]


def join(parts: list[Edges]) -> Edges:
    return Edges(np.concatenate([part.node for part in parts]), np.concatenate([part.other for part in parts]))


def settle(pairs: Pairs, slices: int) -> tuple[dict[int, int], int, int]:
    """Rounds as the stage does them: the roots, the number of rounds, the largest number of edges on the way."""
    rows, most = both_ways(edges(pairs)), len(set(pairs))
    for rounds in range(1, 200):
        done = [large_star(part) for part in cut(rows, slices)]
        rows = join([part for part, _ in done])
        if not sum(unsettled for _, unsettled in done):
            stars = [star(part) for part in cut(rows, slices)]
            return {n: r for part in stars for n, r in zip(*map(np.ndarray.tolist, part), strict=True)}, rounds, most
        smaller = join([small_star(part) for part in cut(rows, slices)])
        most = max(most, smaller.node.size)
        rows = join([both_ways(Edges(smaller.node, smaller.other))])
    raise AssertionError("the rounds did not settle")


GRAPH = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 30)), max_size=60)


@given(GRAPH, st.integers(1, 7))
def test_components_are_those_of_plain_python_whatever_the_slices(pairs: Pairs, slices: int) -> None:
    proper = [(a, b) for a, b in pairs if a != b]
    roots, _, most = settle(pairs, slices)
    assert roots == components(proper)
    assert most <= max(len({frozenset(pair) for pair in proper}), len(set(pairs)))


@pytest.mark.parametrize("shape", ["ascending", "shuffled", "zigzag"])
def test_a_long_chain_takes_few_rounds(shape: str) -> None:
    count = 4096
    names = np.arange(count)
    if shape == "shuffled":
        names = np.argsort(mix(names.astype(np.uint64)))
    if shape == "zigzag":
        names = np.where(names % 2, names, count - names)
    pairs = [(int(a), int(b)) for a, b in pairwise(names)]
    roots, rounds, most = settle(pairs, 4)
    assert set(roots.values()) == {int(names.min())}
    assert rounds <= math.log2(count) + 1
    assert most <= len(pairs)


def test_a_large_star_settles_at_once() -> None:
    roots, rounds, _ = settle([(0, i) for i in range(1, 5000)], 8)
    assert rounds == 1
    assert set(roots.values()) == {0}


def test_no_edges_are_settled() -> None:
    assert settle([], 3)[:2] == ({}, 1)


def test_a_node_of_two_clusters_is_refused() -> None:
    with pytest.raises(ValueError, match="not settled"):
        star(edges([(3, 1), (3, 2)]))
