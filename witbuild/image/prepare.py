"""A body as served -> an image as stored: the whole image path, one pure function that a worker process can run."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, TypeVar

from witbuild.image import decode, encode, hashes, header, metadata, resize
from witbuild.image.failure import ImageError
from witbuild.image.jpeg.area import Halved, Target, halved, means
from witbuild.image.jpeg.frame import UnusualError
from witbuild.image.plan import Plan

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy as np
    import numpy.typing as npt

    from witbuild.image.header import Header

    Pixels = npt.NDArray[np.uint8]
    Size = tuple[int, int]

__all__ = ["Plan", "Stored", "prepare"]

_EXTENSIONS = {"JPEG": "jpg", "PNG": "png", "WEBP": "webp", "GIF": "gif", "AVIF": "avif"}
_KEPT = ("JPEG", "PNG", "WEBP")
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Stored:
    """A stored image and what is known of it; sizes in pixels, the original's after orientation.

    The hashes are of the pixels that were encoded, or, where the original is kept, of what it decodes to.
    """

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
    if plan.keep_original and head.format in _KEPT:
        pixels = decode.decode(body, head, max_pixels=plan.max_pixels)
        return _stored(body, _EXTENSIONS[head.format], pixels, (pixels.shape[1], pixels.shape[0]), head)
    kept = metadata.read(body, head) if plan.keep_metadata else None
    if _storable(head, plan) and (planes := _halved(body, head, plan)):
        content = encode.encode_halved(*planes, plan.quality, kept)
        looks = hashes.pixel_sha256(*planes), hashes.phash(planes.luma[:, :, None])
        height, width = planes.luma.shape
        return Stored(content, plan.extension, width, height, *upright, _EXTENSIONS[head.format], *looks)
    pixels, upright = _fitted(body, head, upright, plan)
    return _stored(encode.encode(pixels, plan.extension, plan.quality, kept), plan.extension, pixels, upright, head)


def _storable(head: Header, plan: Plan) -> bool:
    """Say whether luma and chroma of a JPEG can be stored as they are: upright, in the middle of nothing."""
    return head.format == "JPEG" and head.orientation == 1 and plan.extension == "jpg" and plan.mode != "border"


def _fitted(body: bytes, head: Header, upright: Size, plan: Plan) -> tuple[Pixels, Size]:
    """Return the pixels to store and the size of the original, which only a JPEG's header tells for certain."""
    needed = resize.fit(*upright, plan.size, plan.mode, upscale=plan.upscale)
    pixels = None
    if head.format == "JPEG" and not _storable(head, plan):
        pixels = _coloured(body, head, needed)
    if pixels is None:
        width, height = _least(upright, needed, plan.oversample)
        pixels = decode.decode(body, head, max_pixels=plan.max_pixels, width=width, height=height)
        if head.format != "JPEG":  # not scaled: this is the size, whatever the header said
            upright = (pixels.shape[1], pixels.shape[0])
            needed = resize.fit(*upright, plan.size, plan.mode, upscale=plan.upscale)
        pixels = resize.resize(pixels, *needed)
    if resize.fits(*upright, plan.size, plan.mode, upscale=plan.upscale):
        pixels = _framed(pixels, plan)
    return pixels, upright


def _coloured(body: bytes, head: Header, needed: Size) -> Pixels | None:
    """Return a JPEG's means upright and in RGB; None where the library has to decode it."""
    width, height = needed[::-1] if head.turned else needed
    wanted = Target(width=width, height=height, left=0, top=0, columns=width, rows=height)
    pixels = _straight(means, body, head, wanted)
    return None if pixels is None else decode.upright(pixels, head.orientation)


def _halved(body: bytes, head: Header, plan: Plan) -> Halved | None:
    """Return luma and chroma as a JPEG stores them; None where the library has to decode it."""
    width, height = resize.fit(head.width, head.height, plan.size, plan.mode, upscale=plan.upscale)
    columns, rows = width, height
    if plan.mode == "center_crop":
        columns, rows = min(width, plan.size), min(height, plan.size)
    left, top = (width - columns) // 2, (height - rows) // 2
    wanted = Target(width=width, height=height, left=left, top=top, columns=columns, rows=rows)
    return _straight(halved, body, head, wanted)


def _straight(make: Callable[[bytes, Target], Made], body: bytes, head: Header, wanted: Target) -> Made | None:
    """Return a JPEG's means without its pixels; None where the library has to decode it."""
    if wanted.width >= head.width or wanted.height >= head.height:
        return None
    try:
        return make(body, wanted)
    except UnusualError:
        return None


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


def _framed(pixels: Pixels, plan: Plan) -> Pixels:
    if plan.mode == "center_crop":
        return resize.crop(pixels, plan.size)
    if plan.mode == "border":
        return resize.border(pixels, plan.size)
    return pixels


def _stored(content: bytes, extension: str, pixels: Pixels, original: Size, head: Header) -> Stored:
    height, width = pixels.shape[:2]
    looks = hashes.pixel_sha256(pixels), hashes.phash(pixels)
    return Stored(content, extension, width, height, *original, _EXTENSIONS[head.format], *looks)
