"""Headers: what the first bytes say, against what Pillow says after it has opened the image."""

from __future__ import annotations

import io
import struct
from contextlib import suppress
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image

from witbuild.image.failure import ImageError
from witbuild.image.header import exif_orientation, read


def encoded(kind: str, width: int, height: int, mode: str = "RGB", **options: Any) -> bytes:
    stream = io.BytesIO()
    Image.new(mode, (width, height)).save(stream, kind, **options)
    return stream.getvalue()


@given(st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.integers(1, 400), st.integers(1, 400))
def test_sizes_are_pillows(kind: str, width: int, height: int) -> None:
    head = read(encoded(kind, width, height))
    assert (head.format, head.width, head.height) == (kind, width, height)


@given(st.integers(1, 300), st.integers(1, 300))
@settings(max_examples=20)
def test_sizes_of_avif_are_pillows_where_it_is_asked_for(width: int, height: int) -> None:
    body = encoded("AVIF", width, height, speed=10)
    head = read(body, avif=True)
    assert (head.format, head.width, head.height) == ("AVIF", width, height)
    assert header_or_reason(body) == "not_an_image"


@given(st.integers(0, 324), st.binary(max_size=60))
def test_a_broken_avif_has_a_header_or_a_reason(kept: int, noise: bytes) -> None:
    for body in (encoded("AVIF", 64, 48)[:kept] + noise, b"\0\0\0\x10ftypavif\0\0\0\0" + noise * 40):
        with suppress(ImageError):
            assert read(body, avif=True).format in ("AVIF", "GIF")


@pytest.mark.parametrize("options", [{"lossless": True}, {"lossless": False}, {"exif": b"Exif\0\0MM\0*\0\0\0\x08\0\0"}])
def test_every_kind_of_webp_is_measured(options: dict[str, Any]) -> None:
    body = encoded("WEBP", 301, 77, **options)
    head = read(body)
    assert (head.width, head.height) == (301, 77)


def test_a_jpeg_tells_components_and_scans() -> None:
    assert read(encoded("JPEG", 9, 9, "L")).components == 1
    assert read(encoded("JPEG", 9, 9, "CMYK")).components == 4
    assert not read(encoded("JPEG", 9, 9)).progressive
    assert read(encoded("JPEG", 9, 9, progressive=True)).progressive


@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_read_in_both_byte_orders(orientation: int) -> None:
    exif = Image.Exif()
    exif[0x010F] = "a maker"
    exif[0x0112] = orientation
    head = read(encoded("JPEG", 9, 5, exif=exif))
    assert head.orientation == orientation
    assert head.turned == (orientation >= 5)
    little = b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x0112, 3, 1, orientation, 0)
    assert exif_orientation(little) == orientation


@pytest.mark.parametrize("value", [0, 9, 65_535])
def test_an_orientation_that_is_none_is_upright(value: int) -> None:
    assert exif_orientation(b"II*\0" + struct.pack("<IHHHIHH", 8, 1, 0x0112, 3, 1, value, 0)) == 1


@pytest.mark.parametrize(
    "body",
    [
        b"", b"\xff\xd8", b"<svg xmlns='http://www.w3.org/2000/svg'/>", b"BM" + bytes(60), b"II*\0" + bytes(60),
        b"\0\0\0\x1cftypavif" + bytes(60), b"%PDF-1.4", b"RIFF\0\0\0\0WAVE", b"\x89PNG\r\n\x1a\n" + bytes(30),
    ],
)  # fmt: skip
def test_other_formats_are_no_images_here(body: bytes) -> None:
    with pytest.raises(ImageError) as caught:
        read(body)
    assert caught.value.reason == "not_an_image"


@given(st.binary(max_size=200), st.sampled_from(["JPEG", "PNG", "WEBP", "GIF"]), st.integers(0, 60))
def test_any_bytes_give_a_header_or_a_reason(noise: bytes, kind: str, kept: int) -> None:
    assert header_or_reason(noise) in ("header", "not_an_image", "image_broken")
    assert header_or_reason(encoded(kind, 20, 20)[:kept] + noise) in ("header", "not_an_image", "image_broken")


def header_or_reason(body: bytes) -> str:
    try:
        read(body)
    except ImageError as error:
        return error.reason
    return "header"


@given(st.binary(max_size=120), st.sampled_from([b"II*\0", b"MM\0*"]))
def test_any_exif_gives_an_orientation(noise: bytes, order: bytes) -> None:
    assert exif_orientation(order + noise) in range(1, 9)


def test_a_thumbnail_does_not_pass_for_the_image() -> None:
    thumbnail = encoded("JPEG", 16, 16)
    body = encoded("JPEG", 200, 100)
    segment = b"\xff\xe1" + struct.pack(">H", 2 + len(thumbnail)) + thumbnail
    head = read(body[:2] + segment + body[2:])
    assert (head.width, head.height) == (200, 100)
    assert np.asarray(Image.open(io.BytesIO(body))).shape == (100, 200, 3)


class Counted(bytes):
    """Bytes that count how often, and how many of them, were taken by index or slice."""

    steps = taken = 0

    def __getitem__(self, place: Any) -> Any:
        found = super().__getitem__(place)
        self.steps += 1
        self.taken += len(found) if isinstance(found, bytes) else 1
        return found


@pytest.mark.parametrize(
    "unit",
    [b"\xff\xd0", b"\xff\0", b"\xff\xff", b"\xff\xff\1", b"\xff\xfe\0\2", b"\xff\xfe\0\0", bytes(4000) + b"\xff\xd7"],
)
def test_a_jpeg_of_markers_and_no_frame_costs_few_steps(unit: bytes) -> None:
    body = Counted(b"\xff\xd8\xff" + (unit * (2_000_000 // len(unit) + 1))[:2_000_000])
    with pytest.raises(ImageError) as caught:
        read(body)
    assert caught.value.reason == "image_broken"
    assert body.steps < 50_000
    assert body.taken < 400_000


def test_a_jpeg_may_have_thousands_of_markers_and_fill_bytes_before_its_frame() -> None:
    body = encoded("JPEG", 20, 10)
    odd = b"\xff\xff\xd0" * 4000 + bytes(4000) + b"\xff\xfe\0\2" * 4000 + b"\xff" * 100_000
    assert read(body[:2] + odd + body[2:]) == read(body)
