"""Bytes to RGB pixels: JPEG by libjpeg-turbo at reduced scale, the rest by Pillow; bounds first, first frame only.

Most JPEGs that are made smaller never come here: jpeg/ makes their means without their pixels.

header ── bounds ──┬─ JPEG, grey or colour: simplejpeg, DCT scaled to no less than what is needed
                   └─ PNG, WebP, GIF, AVIF, CMYK JPEG, or what simplejpeg refuses: Pillow, these formats only
"""

from __future__ import annotations

import io
import warnings
from functools import cache
from typing import TYPE_CHECKING

import numpy as np

from witbuild.image.failure import FOREIGN, ImageError, foreign
from witbuild.image.header import Header, exif_orientation

if TYPE_CHECKING:
    import numpy.typing as npt
    from PIL.Image import Image

    Pixels = npt.NDArray[np.uint8]

MAX_SIDE = 32_767
MAX_SCANS = 100
"""Progressive scans of a JPEG; encoders write about ten, and each one costs a pass over all blocks."""


def check(header: Header, body: bytes, max_pixels: int) -> None:
    """Raise ImageError (image_too_large, image_broken) when an image is beyond the bounds.

    Args:
        header: of the image.
        body: all of it.
        max_pixels: width times height.
    """
    if not header.width or not header.height:
        raise ImageError("image_broken", "a side of 0 pixels")
    if max(header.width, header.height) > MAX_SIDE or header.width * header.height > max_pixels:
        raise ImageError("image_too_large", f"{header.width}x{header.height}")
    # stuffing keeps this pair out of coded data, so it counts scans, and thumbnails at worst
    scans = body.count(b"\xff\xda") if header.progressive else 0
    if scans > MAX_SCANS:
        raise ImageError("image_too_large", f"{scans} scans")


def decode(body: bytes, header: Header, *, max_pixels: int, width: int = 0, height: int = 0) -> Pixels:
    """Return the upright RGB pixels of an image, perhaps scaled down.

    A JPEG scaled by its transform lacks the upper frequencies that an area mean of all its pixels lets through in part;
    the more pixels are left to the mean, the less it matters (docs/benchmarks/image.md has the figures).

    Args:
        body: all of the image.
        header: of it, as `header.read` gives it.
        max_pixels: width times height beyond which nothing is decoded.
        width: pixels of the upright image that are needed; 0: all.
        height: as width.

    Returns:
        uint8 of shape (height, width, 3), C-contiguous, at least as large as needed where the image is.

    Raises:
        ImageError: whatever the decoder made of it.
    """
    check(header, body, max_pixels)
    if header.turned:
        width, height = height, width
    try:
        return upright(*_decode(body, header, max_pixels, width, height))
    except FOREIGN as error:
        raise foreign(error) from None


def _decode(body: bytes, header: Header, max_pixels: int, width: int, height: int) -> tuple[Pixels, int]:
    if header.format == "JPEG" and header.components in (1, 3):
        import simplejpeg

        try:
            if simplejpeg.decode_jpeg_header(body)[:2] == (header.height, header.width):
                return simplejpeg.decode_jpeg(body, "RGB", min_height=height, min_width=width), header.orientation
        except ValueError:
            pass  # strict: it refuses what is only untidy; Pillow knows the difference
    return _by_pillow(body, header, max_pixels, width, height)


def knows_avif() -> bool:
    """Say whether this installation can decode AVIF: Pillow's wheels can, a build of its own need not."""
    from PIL import features

    return bool(features.check("avif"))


@cache
def _strict_warnings() -> None:
    """Make what Pillow only warns of an error, for the whole process: the filters are no thread's own."""
    warnings.filterwarnings("error", module=r"PIL\.")


def _by_pillow(body: bytes, header: Header, max_pixels: int, width: int, height: int) -> tuple[Pixels, int]:
    from PIL import AvifImagePlugin, Image

    _strict_warnings()
    AvifImagePlugin.DEFAULT_MAX_THREADS = 1  # processes decode side by side as it is
    try:
        with Image.open(io.BytesIO(body), formats=[header.format]) as image:
            return _pixels(image, header, max_pixels, (width, height))
    except Image.DecompressionBombError as error:  # a class of its own below Exception
        raise foreign(error) from None


def _pixels(image: Image, header: Header, max_pixels: int, needed: tuple[int, int]) -> tuple[Pixels, int]:
    if image.width * image.height > max_pixels:  # a GIF's frame may be larger than its screen
        raise ImageError("image_too_large", f"{image.width}x{image.height}")
    if header.format == "JPEG":
        if all(needed):
            image.draft(image.mode, needed)
        orientation = header.orientation
    else:
        orientation = exif_orientation(_exif(image))
    image.load()
    return np.ascontiguousarray(np.asarray(_rgb(image))), orientation


def _exif(image: Image) -> bytes:
    """Return the TIFF block of a PNG, WebP or AVIF, whose own rotation Pillow puts there."""
    block = image.info.get("exif", b"")
    return bytes(block).removeprefix(b"Exif\0\0") if isinstance(block, bytes) else b""


def _rgb(image: Image) -> Image:
    """Return an image in RGB: 16 bits as their upper 8, transparency as white."""
    from PIL import Image as Images

    if image.mode.startswith("I"):
        depth = np.asarray(image)  # of 16 or 32 bits; a hostile one has values beyond 16
        return Images.fromarray(np.clip(depth >> 8, 0, 255).astype(np.uint8)).convert("RGB")
    if image.mode in ("RGBA", "LA", "PA", "La", "RGBa") or "transparency" in image.info:
        layer = image if image.mode == "RGBA" else image.convert("RGBA")
        white = Images.new("RGB", layer.size, "white")
        white.paste(layer, mask=layer)
        return white
    return image.convert("RGB")


def upright(pixels: Pixels, orientation: int) -> Pixels:
    """Turn and mirror pixels as an orientation of 1 to 8 asks."""
    if orientation >= 5:
        pixels = pixels.transpose(1, 0, 2)
    if orientation in (2, 3, 6, 7):
        pixels = pixels[:, ::-1]
    if orientation in (3, 4, 7, 8):
        pixels = pixels[::-1]
    return np.ascontiguousarray(pixels)
