"""The demo's pictures: a scene becomes pixels, the same pixels each time.

A shape is a list of closed outlines in the square [-1, 1] x [-1, 1], the second one a hole; it is filled at four times
the size and averaged down. Uneven light lies over the whole picture, so that no two pictures look alike to a
perceptual hash unless one is a copy of the other.
"""

from __future__ import annotations

import hashlib
import io
import math
from typing import TYPE_CHECKING

import numpy as np
from PIL import Image, ImageDraw

from witbuild.demo.vocabulary import BACKGROUNDS, COLOURS

if TYPE_CHECKING:
    import numpy.typing as npt

    from witbuild.demo.grammar import Scene, Thing
    from witbuild.demo.web import Picture

Outline = tuple[tuple[float, float], ...]
_OVERSAMPLE = 4
_DARKEST, _BRIGHTEST = -80.0, 12.0
_CELLS = 10
"""Of the light, along each side: finer than what a perceptual hash looks at, so that all of its bits are drawn."""


def _polygon(radii: tuple[float, ...], start: float = -90.0) -> Outline:
    """Return points around the centre, at these distances, from the top clockwise."""
    step = 2 * math.pi / len(radii)
    angles = [math.radians(start) + step * i for i in range(len(radii))]
    return tuple((r * math.cos(a), r * math.sin(a)) for r, a in zip(radii, angles, strict=True))


def _disc(radius: float, x: float = 0.0) -> Outline:
    return tuple((x + px, py) for px, py in _polygon((radius,) * 64))


def _heart() -> Outline:
    turns = [2 * math.pi * i / 64 for i in range(64)]
    wide = [16 * math.sin(t) ** 3 for t in turns]
    high = [13 * math.cos(t) - 5 * math.cos(2 * t) - 2 * math.cos(3 * t) - math.cos(4 * t) for t in turns]
    return tuple((x / 16, -y / 16 - 0.1) for x, y in zip(wide, high, strict=True))


def _cross() -> Outline:
    arm = [(-0.3, -1.0), (0.3, -1.0), (0.3, -0.3)]
    corners: list[tuple[float, float]] = []
    for _ in range(4):
        corners += arm
        arm = [(-y, x) for x, y in arm]
    return tuple(corners)


_ARROW = ((-1.0, -0.25), (0.1, -0.25), (0.1, -0.75), (1.0, 0.0), (0.1, 0.75), (0.1, 0.25), (-1.0, 0.25))
_SQUARE = ((-0.85, -0.85), (0.85, -0.85), (0.85, 0.85), (-0.85, 0.85))
_DIAMOND = ((0.0, -1.0), (0.65, 0.0), (0.0, 1.0), (-0.65, 0.0))
OUTLINES: dict[str, tuple[Outline, ...]] = {
    "circle": (_disc(0.95),),
    "square": (_SQUARE,),
    "star": (_polygon((1.05, 0.42) * 5),),
    "triangle": (_polygon((1.1,) * 3),),
    "heart": (_heart(),),
    "cross": (_cross(),),
    "ring": (_disc(1.0), _disc(0.55)),
    "diamond": (_DIAMOND,),
    "arrow": (_ARROW,),
    "crescent": (_disc(1.0), _disc(0.85, 0.45)),
}
"""Shape -> its outline, and the outline of what is cut out of it."""


def paint(scene: Scene, width: int, height: int, light: int) -> npt.NDArray[np.uint8]:
    """Return a scene as RGB pixels, uint8 of shape (height, width, 3); `light` numbers the light that falls on it."""
    canvas = np.empty((height, width, 3), np.float32)
    canvas[:] = BACKGROUNDS[scene.background]
    for thing in scene.things:
        _put(canvas, thing)
    canvas += _shade(width, height, light)[:, :, None]
    return np.clip(canvas, 0, 255).astype(np.uint8)


def _put(canvas: npt.NDArray[np.float32], thing: Thing) -> None:
    """Paint a thing over the canvas; what lies outside is cut off."""
    height, width, _ = canvas.shape
    radius = thing.radius * min(width, height)
    left, top = round(thing.x * width - 1.2 * radius), round(thing.y * height - 1.2 * radius)
    side = math.ceil(2.4 * radius)
    mask = _mask(thing.shape, side, radius, thing.turn)
    x, y = slice(max(left, 0), min(left + side, width)), slice(max(top, 0), min(top + side, height))
    inside = mask[y.start - top : y.stop - top, x.start - left : x.stop - left, None]
    paint = _texture(thing, y.stop - y.start, x.stop - x.start, max(radius / 4, 3.0))
    canvas[y, x] += inside * (paint - canvas[y, x])


def _mask(shape: str, side: int, radius: float, turn: float) -> npt.NDArray[np.float32]:
    """Return how much of each pixel a shape covers, float32 of shape (side, side), 0 to 1."""
    image = Image.new("L", (side * _OVERSAMPLE, side * _OVERSAMPLE))
    draw = ImageDraw.Draw(image)
    cos, sin = math.cos(math.radians(turn)) * radius, math.sin(math.radians(turn)) * radius
    for outline, ink in zip(OUTLINES[shape], (255, 0), strict=False):
        points = [(side / 2 + x * cos - y * sin, side / 2 + x * sin + y * cos) for x, y in outline]
        draw.polygon([(x * _OVERSAMPLE, y * _OVERSAMPLE) for x, y in points], fill=ink)
    return np.asarray(image.reduce(_OVERSAMPLE), np.float32) / np.float32(255)


def _texture(thing: Thing, height: int, width: int, period: float) -> npt.NDArray[np.float32]:
    """Return the thing's colour, with stripes or dots of a second tone of it, broadcastable to (height, width, 3)."""
    base = np.array(COLOURS[thing.colour], np.float32)
    if not thing.texture:
        return base
    toned = base * np.float32(0.55) + np.float32(0 if base.mean() > 96 else 110)
    y, x = np.mgrid[:height, :width].astype(np.float32) / np.float32(period)
    marked = (x + y) % 2 < 1 if thing.texture == "striped" else ((x % 2 - 1) ** 2 + (y % 2 - 1) ** 2) < 0.4
    return np.where(marked[:, :, None], toned, base)


def _shade(width: int, height: int, light: int) -> npt.NDArray[np.float32]:
    """Return uneven light, float32 of shape (height, width): a coarse grid of drawn values, smoothed."""
    drawn = hashlib.shake_128(b"light %d" % light).digest(_CELLS * _CELLS)
    cells = np.frombuffer(drawn, np.uint8).reshape(_CELLS, _CELLS).astype(np.float32) / np.float32(255)
    light_on = cells * np.float32(_BRIGHTEST - _DARKEST) + np.float32(_DARKEST)
    return np.asarray(Image.fromarray(light_on).resize((width, height), Image.Resampling.BICUBIC))


def jpeg(picture: Picture) -> bytes:
    """Return a picture as it is served."""
    stream = io.BytesIO()
    pixels = paint(picture.scene, picture.side, picture.side, picture.light)
    Image.fromarray(pixels).save(stream, "JPEG", quality=picture.quality)
    return stream.getvalue()
