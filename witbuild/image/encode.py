"""Pixels to bytes, the same for the same pixels, with nothing of the original's metadata."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt


def encode(pixels: npt.NDArray[np.uint8], extension: str, quality: int) -> bytes:
    """Return an encoded image.

    Args:
        pixels: uint8 of shape (height, width, 3), C-contiguous.
        extension: jpg (baseline, 4:2:0), webp or png.
        quality: 1 to 100; of no meaning to png.

    Example:
        >>> import numpy
        >>> encode(numpy.zeros((8, 8, 3), numpy.uint8), "jpg", 90)[:3].hex()
        'ffd8ff'
    """
    from PIL import Image

    stream = io.BytesIO()
    if extension == "jpg":  # by the accurate transform; simplejpeg's encoder takes the fast one whatever it is told
        Image.fromarray(pixels).save(stream, "JPEG", quality=quality, subsampling="4:2:0")
    elif extension == "webp":
        Image.fromarray(pixels).save(stream, "WEBP", quality=quality, method=4)
    else:
        Image.fromarray(pixels).save(stream, "PNG", compress_level=6)
    return stream.getvalue()
