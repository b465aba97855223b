"""Pixels to bytes, the same for the same pixels; of the original's metadata what is handed over, by default nothing."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy as np
    import numpy.typing as npt
    from PIL.PngImagePlugin import PngInfo


def encode(
    pixels: npt.NDArray[np.uint8],
    extension: str,
    quality: int,
    metadata: Mapping[str, bytes] | None = None,
    *,
    space: Literal["RGB", "YCbCr"] = "RGB",
) -> bytes:
    """Return an encoded image.

    Args:
        pixels: uint8 of shape (height, width, 3), C-contiguous.
        extension: jpg (baseline, 4:2:0), webp or png.
        quality: 1 to 100; of no meaning to png.
        space: what the pixels are; YCbCr for jpg only.
        metadata: `exif`, `xmp` and `icc_profile`, as `metadata.read` gives them.

    Example:
        >>> import numpy
        >>> encode(numpy.zeros((8, 8, 3), numpy.uint8), "jpg", 90)[:3].hex()
        'ffd8ff'
    """
    from PIL import Image

    stream = io.BytesIO()
    more: dict[str, Any] = dict(metadata or {})
    if extension == "jpg":  # by the accurate transform; simplejpeg's encoder takes the fast one whatever it is told
        image = Image.frombuffer(space, pixels.shape[1::-1], pixels, "raw", space, 0, 1)
        image.save(stream, "JPEG", quality=quality, subsampling="4:2:0", **more)
    elif extension == "webp":
        Image.fromarray(pixels).save(stream, "WEBP", quality=quality, method=4, **more)
    else:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=6, pnginfo=_text(more.pop("xmp", b"")), **more)
    return stream.getvalue()


def _text(xmp: bytes) -> PngInfo | None:
    """Return the chunk that a PNG has XMP in."""
    from PIL.PngImagePlugin import PngInfo

    if not xmp:
        return None
    chunks = PngInfo()
    chunks.add_itxt("XML:com.adobe.xmp", xmp.decode("utf-8", "replace"))
    return chunks
