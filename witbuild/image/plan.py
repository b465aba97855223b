"""What is to be made of images; apart from the making, so that who only plans need not load a decoder."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Mode = Literal["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"]
Extension = Literal["jpg", "webp", "png"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What is to be made of an image.

    Attributes:
        mode: how it is fitted, by img2dataset's names.
        size: pixels of the side that the mode speaks of.
        extension: what it is stored as.
        quality: of the encoder, 1 to 100.
        upscale: make small images larger too.
        min_side: pixels of the original's shorter side; smaller ones are refused.
        max_aspect: longer side by shorter side; longer ones are refused; 0: none.
        max_pixels: of the original; larger ones are not decoded.
        keep_original: store the body untouched (never a GIF or an AVIF); it is decoded all the same.
        oversample: a JPEG whose means do not come from its coefficients is decoded at half its size or less if that
            leaves so many times the pixels needed.
        avif: take AVIF too; it is stored re-encoded.
        keep_metadata: let Exif, XMP and colour profile survive re-encoding.
    """

    mode: Mode = "keep_ratio"
    size: int = 256
    extension: Extension = "jpg"
    quality: int = 90
    upscale: bool = False
    min_side: int = 0
    max_aspect: float = 0.0
    max_pixels: int = 64_000_000
    keep_original: bool = False
    oversample: float = 6.0
    avif: bool = False
    keep_metadata: bool = False
