"""Pictures told apart: those with captions alike must not look alike, unless one is planted as a copy of another.

A picture is painted small and hashed as `dedup` will hash it; where two pictures with captions alike are too near, the
later one is put into another light. So the number of planted copies is the number of copies.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from witbuild.demo.paint import jpeg, paint

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from witbuild.demo.web import Picture

STORED_SIDE = 64
"""Pixels of an image that `fetch` stores, as the recipe has it."""
NEAR_BITS = 8
"""Bits in which two hashes must differ: more than twice those of a copy, since resizing moves some."""
ALIKE = 0.5
"""Jaccard similarity of captions from which pictures are told apart; `dedup` asks for more."""
_ROUNDS = 8
_NEW_LIGHT = 1_000_003


def told_apart(pictures: Sequence[Picture]) -> list[Picture]:
    """Return the pictures, some of them in another light, so that none looks like one with a caption alike."""
    found = list(pictures)
    hashes = np.array([_hash(picture) for picture in found], np.uint64)
    fresh = list(range(len(found)))
    for _ in range(_ROUNDS):
        fresh = list(_too_near(found, hashes, fresh))
        for place in fresh:
            found[place] = replace(found[place], light=found[place].light + _NEW_LIGHT)
            hashes[place] = _hash(found[place])
    return found


def _hash(picture: Picture) -> int:
    from witbuild.image.hashes import phash

    return phash(paint(picture.scene, STORED_SIDE, STORED_SIDE, picture.light))


def _too_near(pictures: Sequence[Picture], hashes: npt.NDArray[np.uint64], fresh: Sequence[int]) -> Iterator[int]:
    """Yield, for each pair too near of which one is fresh, the fresh one, or the later one where both are."""
    fresh_set = set(fresh)
    for place in fresh:
        distances = np.bitwise_count(hashes ^ hashes[place])
        for other in np.flatnonzero(distances < NEAR_BITS).tolist():
            if other == place or (other in fresh_set and other > place):
                continue
            if similarity(pictures[place].scene.caption, pictures[other].scene.caption) >= ALIKE:
                yield place
                break


def same_hash(picture: Picture, sizes: Iterable[tuple[int, int]]) -> Picture:
    """Return a picture at the first of some (side, quality) at which it is stored under one hash, else as it is."""
    wanted = _stored_hash(picture)
    copies = (replace(picture, side=side, quality=quality) for side, quality in sizes)
    return next((copy for copy in copies if _stored_hash(copy) == wanted), picture)


def _stored_hash(picture: Picture) -> int:
    from witbuild.image.prepare import Plan, prepare

    return prepare(jpeg(picture), Plan(size=STORED_SIDE)).phash


def similarity(one: str, other: str) -> float:
    """Return the Jaccard similarity of two captions' words and pairs of words.

    Example:
        >>> similarity("a red ring", "a red star")
        0.42857142857142855
    """
    a, b = _shingles(one), _shingles(other)
    return len(a & b) / len(a | b)


def _shingles(caption: str) -> set[tuple[str, ...]]:
    words = caption.split()
    return {*zip(words), *pairwise(words)}
