"""A body as served -> an image as stored: the whole image path, one pure function that a worker process can run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from witbuild.image import decode, encode, hashes, header, metadata, resize
from witbuild.image.failure import ImageError
from witbuild.image.plan import Plan

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Pixels = npt.NDArray[np.uint8]

__all__ = ["Plan", "Stored", "prepare"]

_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
_KEPT = ("JPEG", "PNG", "WEBP")


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored image and what is known of it; sizes in pixels, the original's after orientation."""

    content: bytes
    extension: str
    width: int
    height: int
    original_width: int
    original_height: int
    original_format: str
    pixel_sha256: str
    phash: int


def prepare(body: bytes, plan: Plan) -> Stored:
    """Decode, fit and encode an image; the same bytes for the same body, on any machine.

    Raises:
        ImageError: with the reason why nothing can or may be stored.
    """
    head = header.read(body, avif=plan.avif)
    decode.check(head, body, plan.max_pixels)
    upright = (head.height, head.width) if head.turned else (head.width, head.height)
    _refuse(*upright, plan)
    needed = resize.fit(*upright, plan.size, plan.mode, upscale=plan.upscale)
    width, height = _least(upright, needed, plan.oversample)
    pixels = decode.decode(body, head, max_pixels=plan.max_pixels, width=width, height=height)
    if head.format != "JPEG":  # not scaled: this is the size, whatever the header said
        upright = (pixels.shape[1], pixels.shape[0])
        needed = resize.fit(*upright, plan.size, plan.mode, upscale=plan.upscale)
    pixels = resize.resize(pixels, *needed)
    if resize.fits(*upright, plan.size, plan.mode, upscale=plan.upscale):
        pixels = _fitted(pixels, plan)
    return _store(body, head, pixels, upright, plan)


def _least(upright: tuple[int, int], needed: tuple[int, int], oversample: float) -> tuple[int, int]:
    """Return what a decode at reduced scale must leave; (0, 0): all, as scales above a half are slow and blur.

    Example:
        >>> _least((1300, 1000), (130, 100), 4), _least((1300, 1000), (130, 100), 6)
        ((520, 400), (0, 0))
    """
    width, height = (math.ceil(side * oversample) for side in needed)
    return (width, height) if 2 * width <= upright[0] and 2 * height <= upright[1] else (0, 0)


def _refuse(width: int, height: int, plan: Plan) -> None:
    if min(width, height) < plan.min_side:
        raise ImageError("image_too_small", f"{width}x{height}")
    if plan.max_aspect and max(width, height) > plan.max_aspect * min(width, height):
        raise ImageError("image_aspect", f"{width}x{height}")


def _fitted(pixels: Pixels, plan: Plan) -> Pixels:
    if plan.mode == "center_crop":
        return resize.crop(pixels, plan.size)
    if plan.mode == "border":
        return resize.border(pixels, plan.size)
    return pixels


def _store(body: bytes, head: header.Header, pixels: Pixels, original: tuple[int, int], plan: Plan) -> Stored:
    if plan.keep_original and head.format in _KEPT:
        content, extension = body, _EXTENSIONS[head.format]
        pixels = decode.decode(body, head, max_pixels=plan.max_pixels)
    else:
        kept = metadata.read(body, head) if plan.keep_metadata else None
        content, extension = encode.encode(pixels, plan.extension, plan.quality, kept), plan.extension
        if extension != "png":
            pixels = decode.decode(content, header.read(content), max_pixels=2 * plan.max_pixels)
    height, width = pixels.shape[:2]
    served = _EXTENSIONS[head.format]
    return Stored(
        content, extension, width, height, *original, served, hashes.pixel_sha256(pixels), hashes.phash(pixels)
    )
