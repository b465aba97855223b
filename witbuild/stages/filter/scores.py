"""Rules on scores that models gave: the stage `score`, or the list that a pair came from.

A threshold is compared in the precision of the column, so that a score of 0.26 passes 0.26.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from witbuild.stages.filter.languages import with_languages

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pyarrow as pa

    from witbuild.stages.filter.rules import Mask

OTHER = "other"
"""Stands for all languages that a mapping does not name."""


def min_clip_score(table: pa.Table, least: float | Mapping[str, float]) -> Mask:
    """The cosine of image and caption is at least this, or, in a mapping, at least what stands for the language."""
    scores = _scores(table, "clip_score")
    if isinstance(least, (int, float)):
        return scores >= np.float32(least)
    thresholds = {tag: threshold(tag, least) for tag in set(table["language"].to_pylist())}
    needed = [thresholds[tag] for tag in table["language"].to_pylist()]
    return scores >= np.array(needed, np.float32)


def threshold(tag: str, least: Mapping[str, float]) -> float:
    """Return what a mapping asks of a language: its own number, else that of `other`, else more than can be.

    Example:
        >>> [threshold(tag, {"en": 0.28, "other": 0.26}) for tag in ("en-GB", "de")], threshold("de", {"en": 0.28})
        ([0.28, 0.26], inf)
    """
    from witbuild.text.langid import is_one_of

    named = (value for name, value in least.items() if name != OTHER and is_one_of(tag, [name]))
    return next(named, least.get(OTHER, float("inf")))


def languages_for(table: pa.Table, least: float | Mapping[str, float]) -> pa.Table:
    """Return the table with languages where a mapping asks for them."""
    return table if isinstance(least, (int, float)) else with_languages(table)


def max_unsafe_score(table: pa.Table, most: float) -> Mask:
    """A classifier is at most so sure that the image is not safe to look at."""
    return _scores(table, "unsafe_score") <= np.float32(most)


def max_watermark_score(table: pa.Table, most: float) -> Mask:
    """A classifier is at most so sure that the image has a watermark."""
    return _scores(table, "watermark_score") <= np.float32(most)


def min_aesthetic_score(table: pa.Table, least: float) -> Mask:
    """A model finds the image at least so good to look at."""
    return _scores(table, "aesthetic_score") >= np.float32(least)


def max_face_score(table: pa.Table, most: float) -> Mask:
    """A detector is at most so sure of a face in the image."""
    return _scores(table, "face_score") <= np.float32(most)


def _scores(table: pa.Table, column: str) -> npt.NDArray[np.float32]:
    return np.asarray(table[column].combine_chunks(), np.float32)
