"""An image's metadata, for those who ask to keep it: Exif, XMP, colour profile; told that it is upright now."""

from __future__ import annotations

import io
import re
from typing import TYPE_CHECKING, Any

from witbuild.image.failure import FOREIGN

if TYPE_CHECKING:
    from PIL.Image import Image

    from witbuild.image.header import Header

MAX_BYTES = 65_000
"""Of Exif and of XMP: what a segment of a JPEG holds. Larger ones are left out."""
MAX_PROFILE_BYTES = 4 << 20
_TURNED = re.compile(rb"(tiff:Orientation\s*(?:=\s*[\"']|>)\s*)[2-8]")
_ORIENTATION = 0x0112


def read(body: bytes, header: Header) -> dict[str, bytes]:
    """Return metadata as the options of Pillow's writers: `exif`, `xmp`, `icc_profile`, those that there are.

    What cannot be read is left out: an image is not lost for its metadata.

    Args:
        body: all of the image.
        header: of it.
    """
    from PIL import Image

    try:
        with Image.open(io.BytesIO(body), formats=[header.format]) as image:
            if header.format == "PNG":
                image.load()  # its chunks may come after the pixels
            found = {"exif": _exif(image), "xmp": _xmp(image), "icc_profile": image.info.get("icc_profile") or b""}
    except (*FOREIGN, Image.DecompressionBombError):
        return {}
    most = {"icc_profile": MAX_PROFILE_BYTES}
    return {name: value for name, value in found.items() if 0 < len(value) <= most.get(name, MAX_BYTES)}


def _exif(image: Image) -> bytes:
    exif = image.getexif()
    exif.pop(_ORIENTATION, None)
    return exif.tobytes() if len(exif) else b""


def _xmp(image: Image) -> bytes:
    value: Any = image.info.get("xmp") or image.info.get("XML:com.adobe.xmp") or b""
    packet = value.encode() if isinstance(value, str) else bytes(value)
    return _TURNED.sub(rb"\g<1>1", packet)
