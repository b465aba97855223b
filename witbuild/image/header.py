"""What an image's first bytes say: format, size, orientation; read here, before any decoder sees the body.

The size is checked against the bounds first, because some decoders allocate it on opening.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass

from witbuild.image.failure import ImageError

_PNG = b"\x89PNG\r\n\x1a\n"
_SOF = frozenset({*range(0xC0, 0xD0)} - {0xC4, 0xC8, 0xCC})
_PROGRESSIVE = frozenset({0xC2, 0xC6, 0xCA, 0xCE})
_ALONE = frozenset({0x01, *range(0xD0, 0xD8)})
_ORIENTATION = 0x0112
_AVIF_BRANDS = frozenset({b"avif", b"avis"})
_AVIF_PATH = (b"meta", b"iprp", b"ipco")
_MAX_BOXES = 10_000
_MAX_MARKERS = 10_000
"""Before a JPEG's frame header: many times what an image with metadata of 100 MB has."""
_MAX_GAP = 4096
_MARKER = re.compile(rb"\xff+([^\xff])", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Header:
    """An image before its pixels.

    Attributes:
        format: JPEG, PNG, WEBP, GIF or AVIF: Pillow's names.
        width: pixels as coded, before orientation.
        height: as width.
        orientation: 1 to 8 (Exif 2.32, section 4.6.4); 1 when nothing is said or the format is no JPEG.
        components: colour components of a JPEG; 0 for others.
        progressive: a JPEG in several scans.
    """

    format: str
    width: int
    height: int
    orientation: int = 1
    components: int = 0
    progressive: bool = False

    @property
    def turned(self) -> bool:
        """Whether orientation exchanges width and height."""
        return self.orientation >= 5


def read(body: bytes, *, avif: bool = False) -> Header:
    """Read the header of a JPEG, PNG, WebP or GIF, by magic bytes and never by name.

    Args:
        body: all of the image.
        avif: take AVIF too.

    Raises:
        ImageError: not_an_image, or image_broken when the header ends early.

    Example:
        >>> read(b"GIF89a" + bytes([16, 0, 9, 0]) + bytes(9))
        Header(format='GIF', width=16, height=9, orientation=1, components=0, progressive=False)
    """
    try:
        if body.startswith(b"\xff\xd8\xff"):
            return _jpeg(body)
        if body.startswith(_PNG) and body[12:16] == b"IHDR":
            return Header("PNG", *struct.unpack(">II", body[16:24]))
        if body[:6] in (b"GIF87a", b"GIF89a"):
            return Header("GIF", *struct.unpack("<HH", body[6:10]))
        if body[:4] == b"RIFF" and body[8:12] == b"WEBP":
            return Header("WEBP", *_webp(body))
        if avif and body[4:8] == b"ftyp" and _brands(body) & _AVIF_BRANDS:
            return Header("AVIF", *_avif(body))
    except (struct.error, IndexError) as error:
        raise ImageError("image_broken", "the header ends early") from error
    raise ImageError("not_an_image", f"starts with {body[:8].hex()}" if body else "empty")


def _webp(body: bytes) -> tuple[int, int]:
    """Return a WebP's canvas (RFC 9649, sections 2.5 to 2.7)."""
    kind = body[12:16]
    if kind == b"VP8X":
        return 1 + int.from_bytes(body[24:27], "little"), 1 + int.from_bytes(body[27:30], "little")
    if kind == b"VP8L":
        (bits,) = struct.unpack("<I", body[21:25])
        return 1 + (bits & 0x3FFF), 1 + (bits >> 14 & 0x3FFF)
    if kind == b"VP8 ":
        width, height = struct.unpack("<HH", body[26:30])
        return width & 0x3FFF, height & 0x3FFF
    raise ImageError("image_broken", f"WebP with a first chunk {kind!r}")


def _brands(body: bytes) -> set[bytes]:
    """Return the brands of an ISO base media file (ISO 14496-12, section 4.3), but the minor version between them."""
    end = min(int.from_bytes(body[:4], "big"), 1024)
    return {body[8:12], *(body[place : place + 4] for place in range(16, end, 4))}


def _avif(body: bytes) -> tuple[int, int]:
    """Return the largest extent of an AVIF's items: an image's own or its grid's (ISO 23008-12, section 6.5.3)."""
    sizes: list[tuple[int, int]] = [(0, 0)]
    boxes = 0
    waiting = [(0, len(body), 0)]
    while waiting:
        place, end, depth = waiting.pop()
        while place + 8 <= end and boxes < _MAX_BOXES:
            length, kind = struct.unpack(">I4s", body[place : place + 8])
            stop = end if length == 0 else min(end, place + length)
            if depth < len(_AVIF_PATH) and kind == _AVIF_PATH[depth]:
                waiting.append((place + 8 + 4 * (kind == b"meta"), stop, depth + 1))
            elif kind == b"ispe" and depth == len(_AVIF_PATH):
                sizes.append(struct.unpack(">II", body[place + 12 : place + 20]))
            place, boxes = max(stop, place + 8), boxes + 1
    return max(sizes, key=lambda size: size[0] * size[1])


def _jpeg(body: bytes) -> Header:
    """Walk the segments to the frame header (ITU T.81, annex B)."""
    orientation, place = 1, 2
    for _ in range(_MAX_MARKERS):
        marker, place = _marker(body, place)
        if marker in _ALONE or marker == 0:
            continue
        (length,) = struct.unpack(">H", body[place : place + 2])
        if marker in _SOF:
            height, width, components = struct.unpack(">HHB", body[place + 3 : place + 8])
            return Header("JPEG", width, height, orientation, components, marker in _PROGRESSIVE)
        if marker in (0xD9, 0xDA):
            raise ImageError("image_broken", "a JPEG without a frame header")
        if marker == 0xE1 and body[place + 2 : place + 8] == b"Exif\0\0":
            orientation = exif_orientation(body[place + 8 : place + length])
        place += length
    raise ImageError("image_broken", f"a JPEG with {_MAX_MARKERS:,} markers before its frame header")


def _marker(body: bytes, place: int) -> tuple[int, int]:
    """Return the next marker, however many fill bytes stand before it, and the place behind it."""
    begin = body.find(b"\xff", place, place + _MAX_GAP)
    found = _MARKER.match(body, begin) if begin >= 0 else None
    if found is None:
        raise ImageError("image_broken", "the header ends early")
    return found[1][0], found.end()


def exif_orientation(block: bytes) -> int:
    r"""Return the orientation in a TIFF block, 1 when it says none that is valid (TIFF 6.0, section 2).

    Example:
        >>> exif_orientation(b"MM\0*\0\0\0\x08\0\x01" + b"\x01\x12\0\x03\0\0\0\x01\0\x06\0\0")
        6
        >>> exif_orientation(b"nonsense")
        1
    """
    order = {b"II": "<", b"MM": ">"}.get(block[:2])
    if order is None or len(block) < 8:
        return 1
    (start,) = struct.unpack(order + "I", block[4:8])
    count = int.from_bytes(block[start : start + 2], "little" if order == "<" else "big")
    for entry in range(start + 2, min(start + 2 + 12 * count, len(block) - 11), 12):
        tag, kind, _, value = struct.unpack(order + "HHIH", block[entry : entry + 10])
        if tag == _ORIENTATION:
            return int(value) if kind == 3 and 1 <= value <= 8 else 1
    return 1
