"""Are two records alike? The exact tests behind the candidates, and what links records that pass them.

A *record* stands for all pairs of one evidence (same folded caption, URL, image hash: what the scope looks at). Links
go into a union-find forest (record -> its parent; a root is its own, and the smallest of its tree), so a bucket's
links are its connected components, however they were found.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.dedup.hamming import bits
from witbuild.text.kernels import kernel

if TYPE_CHECKING:
    import numpy.typing as npt

REPRESENTATIVES = 64
"""So many members of a huge bucket are each compared with all others."""


class Records(NamedTuple):
    """n records."""

    url: npt.NDArray[np.uint64]
    """uint64 of shape (n,): hash of the canonical URL."""
    image: npt.NDArray[np.uint64]
    """uint64 of shape (n,): hash of the image."""
    seen: npt.NDArray[np.bool_]
    """bool of shape (n,): whether the image's hash is known."""
    values: npt.NDArray[np.uint64]
    """uint64: shingle hashes, each record's ascending without repeats."""
    offsets: npt.NDArray[np.int64]
    """int64 of shape (n + 1,): where each record's shingles start."""
    numbers: npt.NDArray[np.uint64]
    """uint64 of shape (n,): hash of the caption's numbers; captions with other ones are not alike."""
    vectors: npt.NDArray[np.int8] = np.zeros((0, 0), np.int8)
    """int8 of shape (n, D): what a model sees in the image, by a rule with a cosine."""
    squares: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    """int64 of shape (n,): of the vectors' lengths."""


class Buckets(NamedTuple):
    """Records grouped: bucket i is ``members[starts[i]:starts[i + 1]]``."""

    starts: npt.NDArray[np.int64]
    """int64 of shape (buckets + 1,)."""
    members: npt.NDArray[np.int64]
    """int64: records, each bucket's ascending without repeats."""


class Rule(NamedTuple):
    """What must agree for two records to be alike: the image, the caption, or both."""

    image: bool
    """The images must be the same: equal URLs, or hashes within `distance`."""
    distance: int
    """Bits in which image hashes may differ; -1: images are never compared, URLs alone are."""
    caption: bool
    """The captions' shingles must have a Jaccard similarity of `threshold` or more."""
    threshold: float
    """0 to 1."""
    cosine: float = 0.0
    """Images are the same when their vectors have this cosine or more; 0: hashes are compared instead."""


@kernel
def jaccard(one: npt.NDArray[np.uint64], two: npt.NDArray[np.uint64]) -> float:
    """Return the Jaccard similarity of two ascending sets; two empty ones are alike.

    Example:
        >>> jaccard(np.array([1, 2, 3], np.uint64), np.array([2, 3, 4], np.uint64))
        0.5
    """
    i = j = shared = 0
    while i < one.size and j < two.size:
        shared += one[i] == two[j]
        step_i, step_j = one[i] <= two[j], two[j] <= one[i]
        i += step_i
        j += step_j
    union = one.size + two.size - shared
    return shared / union if union else 1.0


@kernel
def _same_direction(records: Records, i: int, j: int, cosine: float) -> bool:
    """Say whether the vectors of two records have a cosine or more: their product is a whole number, so exactly."""
    product = np.int64(0)
    for d in range(records.vectors.shape[1]):
        product += np.int64(np.int32(records.vectors[i, d]) * np.int32(records.vectors[j, d]))
    lengths = np.sqrt(np.float64(records.squares[i]) * np.float64(records.squares[j]))
    return product >= cosine * lengths - 1e-6


@kernel
def _same_image(i: int, j: int, records: Records, rule: Rule) -> bool:
    """Say whether the images of two records are the same by the rule."""
    if records.url[i] == records.url[j]:
        return True
    if not (records.seen[i] and records.seen[j]):
        return False
    if rule.cosine > 0:
        return _same_direction(records, i, j, rule.cosine)
    return rule.distance >= 0 and bits(records.image[i] ^ records.image[j]) <= rule.distance


@kernel
def alike(i: int, j: int, records: Records, rule: Rule) -> bool:
    """Say whether two records are alike by the rule, exactly."""
    if rule.image and not _same_image(i, j, records, rule):
        return False
    if not rule.caption:
        return True
    if records.numbers[i] != records.numbers[j]:
        return False
    one = records.values[records.offsets[i] : records.offsets[i + 1]]
    two = records.values[records.offsets[j] : records.offsets[j + 1]]
    small, large = min(one.size, two.size), max(one.size, two.size)
    if small < rule.threshold * large - 1e-9:  # the similarity is at most small / large
        return False
    return jaccard(one, two) >= rule.threshold


@kernel
def find(forest: npt.NDArray[np.int64], i: int) -> int:
    """Return the root of a record's tree, halving the way to it."""
    while forest[i] != i:
        forest[i] = forest[forest[i]]
        i = forest[i]
    return i


@kernel
def unite(forest: npt.NDArray[np.int64], i: int, j: int) -> None:
    """Join two trees under the smaller root."""
    one, two = find(forest, i), find(forest, j)
    if one < two:
        forest[two] = one
    else:
        forest[one] = two


@kernel
def link_all(buckets: Buckets, records: Records, rule: Rule, forest: npt.NDArray[np.int64], limit: int) -> None:
    """Compare all pairs of each bucket of at most `limit` members; pairs that are linked already need no test."""
    for bucket in range(buckets.starts.size - 1):
        first, last = buckets.starts[bucket], buckets.starts[bucket + 1]
        if last - first > limit:
            continue
        for one in range(first, last):
            for two in range(one + 1, last):
                i, j = buckets.members[one], buckets.members[two]
                if find(forest, i) != find(forest, j) and alike(i, j, records, rule):
                    unite(forest, i, j)


@kernel
def link_across(
    few: npt.NDArray[np.int64],
    many: npt.NDArray[np.int64],
    records: Records,
    rule: Rule,
    forest: npt.NDArray[np.int64],
) -> None:
    """Compare each of a few records with each of many."""
    for i in few:
        for j in many:
            if find(forest, i) != find(forest, j) and alike(i, j, records, rule):
                unite(forest, i, j)


@kernel
def link_to_representatives(
    members: npt.NDArray[np.int64], records: Records, rule: Rule, forest: npt.NDArray[np.int64]
) -> None:
    """Link each member to the first representative that it is like; one that is like none becomes one itself.

    The work is linear: there are at most REPRESENTATIVES. Which links are found depends on the members and their
    order alone, never on links found elsewhere.
    """
    chosen = np.empty(REPRESENTATIVES, np.int64)
    count = 0
    for i in members:
        place = 0
        while place < count and not alike(chosen[place], i, records, rule):
            place += 1
        if place < count:
            unite(forest, chosen[place], i)
        elif count < REPRESENTATIVES:
            chosen[count] = i
            count += 1
