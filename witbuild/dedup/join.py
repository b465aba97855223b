"""Join: records that share a band are compared, those that are alike are linked.

A bucket (all records of one band) of up to LIMIT members is compared pair by pair, so nothing that shares a band is
missed there. A larger one is never compared so:

    bucket ─> groups of one image ─> pairs of groups with near images ─┬─ one has <= LIMIT members: each with each
                                                                       └─ else: caption bands within the two
                                                                            ├─ <= LIMIT: each with each
                                                                            └─ else: with 64 representatives

With a cosine, or where captions alone are compared, a huge bucket goes to the representatives at once: what shares it
shares other bands, in other buckets.

What is linked depends on the bucket's content alone: not on slices, parts, or the order of rows.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.dedup.hamming import near_pairs
from witbuild.dedup.minhash import Permutations, band_keys
from witbuild.dedup.repeats import ranking
from witbuild.dedup.shingles import Sets
from witbuild.dedup.verify import (
    Buckets,
    Records,
    Rule,
    link_across,
    link_all,
    link_to_representatives,
    unite,
)
from witbuild.sample.coins import mix

if TYPE_CHECKING:
    from collections.abc import Iterator

    import numpy.typing as npt

LIMIT = 256
"""Largest bucket that is compared pair by pair."""


class Bands(NamedTuple):
    """How captions are cut into bands."""

    order: Permutations
    bands: int
    rows: int
    numbers: bool = False
    """Captions that share a band have the same numbers."""


def link(
    bands: npt.NDArray[np.uint64], members: npt.NDArray[np.int64], records: Records, rule: Rule, cut: Bands
) -> npt.NDArray[np.int64]:
    """Return the smallest record that each record is linked to, int64 of shape (n,).

    Args:
        bands: uint64 of shape (m,).
        members: int64 of shape (m,), the record that has the band; (band, member) may repeat.
        records: n of them, in an order that depends on nothing but themselves.
        rule: when two are alike.
        cut: bands of captions within a huge bucket.
    """
    forest = np.arange(records.url.size, dtype=np.int64)
    buckets = _buckets(bands, members)
    link_all(buckets, records, rule, forest, LIMIT)
    for huge in _huge(buckets):
        _link_huge(huge, records, rule, cut, forest)
    return _roots(forest)


def _roots(forest: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Follow all parents to the end; a parent is never larger, so a few rounds of doubling do."""
    while True:
        further = forest[forest]
        if np.array_equal(further, forest):
            return forest
        forest = further


def _buckets(bands: npt.NDArray[np.uint64], members: npt.NDArray[np.int64]) -> Buckets:
    """Group distinct (band, member) by band, in the bands' order.

    Bands are numbered first, so that number and member make one number to sort by: that is quicker than by two.
    """
    order = ranking(bands)
    ranked = bands[order]
    number = np.cumsum(np.append(False, ranked[1:] != ranked[:-1])[: ranked.size])
    both = np.sort((number << 32) | members[order])
    both = both[np.append(True, both[1:] != both[:-1])[: both.size]]
    starts = np.searchsorted(both >> 32, np.arange(number[-1] + 2 if number.size else 1))
    return Buckets(starts, both & 0xFFFFFFFF)


def _huge(buckets: Buckets) -> Iterator[npt.NDArray[np.int64]]:
    """Yield the members of each bucket that is too large to compare pair by pair."""
    starts = buckets.starts
    for bucket in np.flatnonzero(np.diff(starts) > LIMIT):
        yield buckets.members[starts[bucket] : starts[bucket + 1]]


def _link_huge(
    members: npt.NDArray[np.int64], records: Records, rule: Rule, cut: Bands, forest: npt.NDArray[np.int64]
) -> None:
    if rule.cosine > 0 or not rule.image:
        link_to_representatives(members, records, rule, forest)
        return
    for one, two in _alike_groups(members, records, rule):
        if not rule.caption:
            for group in (one, two):
                link_across(group[:1], group[1:], records, rule, forest)
            unite(forest, one[0], two[0])
        elif min(one.size, two.size) <= LIMIT:
            few, many = sorted((one, two), key=len)
            link_across(few, many, records, rule, forest)
        else:
            _link_by_caption(np.union1d(one, two), records, rule, cut, forest)


def _alike_groups(
    members: npt.NDArray[np.int64], records: Records, rule: Rule
) -> Iterator[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Yield all pairs of groups of members (a group with itself, too) whose images are the same by the rule."""
    yield from ((group, group) for group in _groups(members, records.url[members]) if group.size > 1)
    known = members[records.seen[members]]
    if rule.distance < 0 or known.size == 0:
        return
    groups = _groups(known, records.image[known])
    hashes = np.array([records.image[group[0]] for group in groups], np.uint64)
    yield from ((group, group) for group in groups if group.size > 1)
    for i, j in near_pairs(hashes, rule.distance):
        yield groups[i], groups[j]


def _groups(members: npt.NDArray[np.int64], by: npt.NDArray[np.uint64]) -> list[npt.NDArray[np.int64]]:
    order = np.argsort(by, kind="stable")
    cuts = np.flatnonzero(np.diff(by[order])) + 1
    return np.split(members[order], cuts)


def _link_by_caption(
    members: npt.NDArray[np.int64], records: Records, rule: Rule, cut: Bands, forest: npt.NDArray[np.int64]
) -> None:
    """Cut a huge group by bands of its captions; the huge buckets that remain go to representatives."""
    keys = band_keys(_sets(records, members), cut.order, cut.bands, cut.rows)
    keys ^= mix(records.numbers[members])[:, None]
    inner = _buckets(keys.ravel(), np.repeat(members, cut.bands))
    link_all(inner, records, rule, forest, LIMIT)
    for huge in _huge(inner):
        link_to_representatives(huge, records, rule, forest)


def _sets(records: Records, members: npt.NDArray[np.int64]) -> Sets:
    sizes = records.offsets[members + 1] - records.offsets[members]
    offsets = np.concatenate(([0], np.cumsum(sizes)))
    places = np.repeat(records.offsets[members] - offsets[:-1], sizes) + np.arange(offsets[-1])
    return Sets(records.values[places], offsets)
