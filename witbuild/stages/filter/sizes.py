"""Rules on the image as it was served: its size and format; before the fetch, as its source declared it.

What is not known yet passes: the rule belongs after the stage that finds it out, or on both sides of it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    from witbuild.stages.filter.rules import Mask


def min_side(table: pa.Table, least: int) -> Mask:
    """The shorter side has at least so many pixels, or is not known yet."""
    width, height = _sides(table)
    return ~(np.minimum(width, height) < least)


def max_aspect(table: pa.Table, most: float) -> Mask:
    """The longer side is at most so many times the shorter one, or they are not known yet."""
    width, height = _sides(table)
    return ~(np.maximum(width, height) > most * np.minimum(width, height))


def max_pixels(table: pa.Table, most: int) -> Mask:
    """Width times height is at most this, or not known yet."""
    width, height = _sides(table)
    return ~(width * height > most)


def min_bytes(table: pa.Table, least: int) -> Mask:
    """The image as served has at least so many bytes, or was not fetched yet."""
    return ~(_numbers(table["original_bytes"]) < least)


def original_format(table: pa.Table, wanted: list[str]) -> Mask:
    """The image was served as one of jpg, png, webp, gif and avif, or was not fetched yet."""
    served = table["original_format"]
    return np.asarray(pc.or_(pc.is_in(served, pa.array(wanted, pa.string())), pc.is_null(served)), np.bool_)


def _sides(table: pa.Table) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Return widths and heights as served, else as declared; an unknown one is NaN, which no comparison holds for."""
    width = pc.coalesce(table["original_width"], table["width"])
    height = pc.coalesce(table["original_height"], table["height"])
    return _numbers(width), _numbers(height)


def _numbers(column: pa.ChunkedArray) -> npt.NDArray[np.float64]:
    return np.asarray(pc.fill_null(column.cast(pa.float64()), float("nan")), np.float64)
