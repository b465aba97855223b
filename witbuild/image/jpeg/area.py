"""A JPEG's area means as pixels, by way of its coefficients."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

import numpy as np

from witbuild.image.jpeg import frame as frames
from witbuild.image.jpeg import progressive, scans, sequential
from witbuild.image.jpeg.bits import LANES, loop, woven
from witbuild.image.jpeg.frame import Component, Frame, UnusualError
from witbuild.image.jpeg.project import NATURAL, SCRATCH, project
from witbuild.image.jpeg.weights import WAVES, Line, weights

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.image.jpeg.weights import Floats, Weights

    Pixels = npt.NDArray[np.uint8]

MAX_BLOCKS: Final = 1_000_000
"""Blocks whose coefficients are kept, 128 bytes each; larger images are the library's."""
_MIDDLE: Final = np.float32(128.5)
"""What planes lack, and half a level, since what follows is cut off."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is wanted of an image, before it is turned upright.

    Attributes:
        width: of the whole image made smaller.
        height: as width.
        left: first column that is wanted.
        top: first row that is wanted.
        columns: how many are wanted.
        rows: how many are wanted.
    """

    width: int
    height: int
    left: int
    top: int
    columns: int
    rows: int


class Halved(NamedTuple):
    """Luma and chroma of an image as a JPEG of 4:2:0 stores them, uint8.

    Attributes:
        luma: of shape (height, width).
        blue: of half as many rows and columns, rounded up.
        red: as blue.
    """

    luma: Pixels
    blue: Pixels
    red: Pixels


def means(body: bytes, target: Target) -> Pixels:
    """Return an image's area means, uint8 of shape (target.rows, target.columns, 3), RGB.

    Args:
        body: all of a JPEG.
        target: what is wanted of it, smaller in both directions.

    Raises:
        UnusualError: it is for the library to decide what becomes of it.
    """
    planes = _planes(body, target, halved=False)
    out = np.empty((target.rows, target.columns, 3), np.uint8)
    _coloured(*planes, out)
    return out


def halved(body: bytes, target: Target) -> Halved:
    """Return an image's area means, chroma at half the size; else as `means`.

    An encoder that took the mean of four pixels' chroma from `means` would get the same.
    """
    planes = _planes(body, target, halved=True)
    half = -(-target.rows // 2), -(-target.columns // 2)
    out = Halved(*(np.empty(shape, np.uint8) for shape in ((target.rows, target.columns), half, half)))
    for plane, octets in zip(planes, out, strict=True):
        _octets(plane, octets)
    return out


def _planes(body: bytes, target: Target, *, halved: bool) -> list[Floats]:
    """Return the means of luma and both chromas; a grey image's chroma is none."""
    frame = frames.read(body)
    weights = [
        _weights(frame, one, target, paired=halved and number > 0) for number, one in enumerate(frame.components)
    ]
    blocks = _decoded(frame)
    planes = [_plane(blocks, number, *both, frame.quantisers[number]) for number, both in enumerate(weights)]
    return planes if len(planes) == 3 else [*planes, *[np.zeros_like(planes[0])] * 2]


class Blocks(NamedTuple):
    """All blocks of an image.

    Attributes:
        planes: where those of each component are.
        coefficients: 64 of each block in zigzag order, valid where the mask says so.
        masks: of each block.
    """

    planes: scans.Planes
    coefficients: npt.NDArray[np.int16]
    masks: npt.NDArray[np.uint64]


def _weights(frame: Frame, one: Component, target: Target, *, paired: bool) -> tuple[Weights, Weights]:
    """Return what the blocks of a component add to the means along a column, and along a row."""
    luma = frame.components[0]
    low, left = (target.top, target.top + target.rows), (target.left, target.left + target.columns)
    down = weights(Line(frame.height, target.height, *low, luma.down // one.down, paired))
    across = weights(Line(frame.width, target.width, *left, luma.across // one.across, paired))
    if down is None or across is None:
        raise UnusualError("hardly smaller")
    return down, across


def _decoded(frame: Frame) -> Blocks:
    kept = scans.planes(frame)
    if kept.blocks > MAX_BLOCKS:
        raise UnusualError("too many blocks")
    blocks = Blocks(kept, np.empty(kept.blocks * 64, np.int16), np.zeros(kept.blocks, np.uint64))
    for scan in frame.scans:
        layout = scans.layout(frame, scan, kept)
        coded = scans.coded(frame, scan, layout)
        if frame.progressive:
            whole = progressive.decode(scan, coded, layout, blocks.coefficients, blocks.masks)
        else:
            whole = sequential.decode(coded, layout, blocks.coefficients, blocks.masks)
        if not whole:
            raise UnusualError("coded data")
    return blocks


def _plane(blocks: Blocks, number: int, down: Weights, across: Weights, quantiser: Floats) -> Floats:
    """Return the means of a component, 128 below what they are; in each row are more than there are means."""
    rows, columns = (int((one.start + one.means).max()) for one in (down, across))
    room = columns + LANES
    sums, scratch = np.zeros(rows * room, np.float32), np.empty(SCRATCH, np.float32)
    first, stride = blocks.planes.first[number], blocks.planes.stride[number]
    if not project(
        blocks.coefficients, blocks.masks, first, stride, quantiser, down, across, room, NATURAL, WAVES, scratch, sums
    ):
        raise UnusualError("values of no image")
    return sums.reshape(rows, room)


@woven
def _octet(value: np.float32) -> np.uint8:
    return np.uint8(min(max(value, np.float32(0)), np.float32(255)))


@loop
def _octets(plane: Floats, out: Pixels) -> None:
    for row in range(out.shape[0]):
        for column in range(out.shape[1]):
            y, x = np.uintp(row), np.uintp(column)
            out[y, x] = _octet(plane[y, x] + _MIDDLE)


@loop
def _coloured(luma: Floats, blue: Floats, red: Floats, out: Pixels) -> None:
    """Write the colours of three planes (JFIF 1.02, "Conversion to and from RGB")."""
    for row in range(out.shape[0]):
        y = np.uintp(row)
        for column in range(out.shape[1]):
            x = np.uintp(column)
            light = luma[y, x] + _MIDDLE
            b, r = blue[y, x], red[y, x]
            out[y, x, 0] = _octet(light + np.float32(1.402) * r)
            out[y, x, 1] = _octet(light - np.float32(0.344136) * b - np.float32(0.714136) * r)
            out[y, x, 2] = _octet(light + np.float32(1.772) * b)
