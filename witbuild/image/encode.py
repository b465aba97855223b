"""Pixels to bytes, the same for the same pixels; of the original's metadata what is handed over, by default nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    from PIL.Image import Image
    from PIL.PngImagePlugin import PngInfo


def encode(
    pixels: npt.NDArray[np.uint8], extension: str, quality: int, metadata: Mapping[str, bytes] | None = None
) -> bytes:
    """Return an encoded image.

    Args:
        pixels: uint8 of shape (height, width, 3), C-contiguous.
        extension: jpg (baseline, 4:2:0), webp or png.
        quality: 1 to 100; of no meaning to png.
        metadata: `exif`, `xmp` and `icc_profile`, as `metadata.read` gives them.

    Example:
        >>> import numpy
        >>> encode(numpy.zeros((8, 8, 3), numpy.uint8), "jpg", 90)[:3].hex()
        'ffd8ff'
    """
    from PIL import Image

    if extension == "jpg":
        return _jpeg(Image.fromarray(pixels), quality, metadata)
    stream = io.BytesIO()
    more: dict[str, Any] = dict(metadata or {})
    if extension == "webp":
        Image.fromarray(pixels).save(stream, "WEBP", quality=quality, method=4, **more)
    else:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=6, pnginfo=_text(more.pop("xmp", b"")), **more)
    return stream.getvalue()


def encode_halved(
    luma: npt.NDArray[np.uint8],
    blue: npt.NDArray[np.uint8],
    red: npt.NDArray[np.uint8],
    quality: int,
    metadata: Mapping[str, bytes] | None = None,
) -> bytes:
    """Return a JPEG of luma and chroma at half the size, as it stores them: no colour is converted.

    Args:
        luma: uint8 of shape (height, width).
        blue: uint8 of half as many rows and columns, rounded up.
        red: as blue.
        quality: 1 to 100.
        metadata: as of `encode`.
    """
    from PIL import Image

    from witbuild.image.pixels import interleaved

    # four times the same chroma: the encoder's mean of the four is that value
    words = interleaved(luma, blue, red)
    return _jpeg(Image.frombuffer("YCbCr", luma.shape[::-1], words, "raw", "YCbCrX", 0, 1), quality, metadata)


def _jpeg(image: Image, quality: int, metadata: Mapping[str, bytes] | None) -> bytes:
    stream = io.BytesIO()
    more: dict[str, Any] = dict(metadata or {})
    # by the accurate transform; simplejpeg's encoder takes the fast one whatever it is told
    image.save(stream, "JPEG", quality=quality, subsampling="4:2:0", **more)
    return stream.getvalue()


def _text(xmp: bytes) -> PngInfo | None:
    """Return the chunk that a PNG has XMP in."""
    from PIL.PngImagePlugin import PngInfo

    if not xmp:
        return None
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return chunks
