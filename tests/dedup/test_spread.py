"""Hashes dealt into slices against sorting by the slice."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from witbuild.dedup.spread import spread
from witbuild.sample.order import slice_of


@given(st.lists(st.integers(0, 2**64 - 1), max_size=50), st.integers(1, 70_000))
def test_hashes_go_where_slice_of_says_in_their_order(values: list[int], slices: int) -> None:
    hashes, owners = np.array(values, np.uint64), np.arange(len(values)) // 2 * 3
    which = slice_of(hashes, slices)
    order = np.argsort(which, kind="stable")
    nodes, rows = np.arange(150, dtype=np.uint64) + np.uint64(2**63), np.arange(150) * 7
    cells = spread(hashes, owners, slices, nodes, rows)
    assert cells.band.tolist() == hashes[order].tolist()
    assert cells.node.tolist() == nodes[owners[order]].tolist()
    first = np.arange(len(values)) % 2 == 0
    assert cells.row.tolist() == np.where(first, -1 - rows[owners], rows[owners])[order].tolist()
    assert list(cells.sizes) == np.bincount(which, minlength=slices).tolist()
