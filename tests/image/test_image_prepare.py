"""The image path: every kind of image becomes upright RGB, every kind of harm a reason."""

from __future__ import annotations

import io
import zlib
from typing import Any

import numpy as np
import pytest
from PIL import Image, UnidentifiedImageError

from witbuild.image import failure, header
from witbuild.image.decode import decode
from witbuild.image.failure import ImageError, foreign
from witbuild.image.jpeg.frame import UnusualError
from witbuild.image.prepare import Plan, prepare
from witbuild.image.resize import shrink

Pixels = np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]


def photograph(width: int = 640, height: int = 480) -> Image.Image:
    coarse = np.random.default_rng(7).integers(0, 256, (12, 16, 3), np.uint8)
    return Image.fromarray(coarse).resize((width, height), Image.Resampling.BICUBIC)


def encoded(image: Image.Image, kind: str, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, kind, **options)
    return stream.getvalue()


def decoded(body: bytes) -> Pixels:
    return decode(body, header.read(body, avif=True), max_pixels=64_000_000)


def psnr(one: Pixels, other: Pixels) -> float:
    return float(10 * np.log10(255**2 / max(1e-9, np.mean((one.astype(float) - other.astype(float)) ** 2))))


def reason(body: bytes, **options: Any) -> str:
    with pytest.raises(ImageError) as caught:
        prepare(body, Plan(**options))
    return caught.value.reason


@pytest.mark.parametrize(
    ("kind", "options"),
    [("JPEG", {"quality": 95}), ("PNG", {}), ("WEBP", {"quality": 95}), ("AVIF", {"quality": 95})],
)
def test_an_image_becomes_a_small_baseline_jpeg(kind: str, options: dict[str, Any]) -> None:
    stored = prepare(encoded(photograph(), kind, **options), Plan(avif=True))
    assert (stored.width, stored.height, stored.original_width, stored.original_height) == (341, 256, 640, 480)
    with Image.open(io.BytesIO(stored.content)) as image:
        assert (image.format, image.mode, image.size) == ("JPEG", "RGB", (341, 256))
        assert "progressive" not in image.info
    assert not header.read(stored.content).progressive
    full = shrink(np.ascontiguousarray(np.asarray(photograph())), 341, 256)
    assert psnr(decoded(stored.content), full) > 35


def test_the_scaled_decode_is_as_good_as_a_full_one() -> None:
    body = encoded(photograph(2000, 1500), "JPEG", quality=90)
    scaled = decode(body, header.read(body), max_pixels=64_000_000, width=341, height=256)
    assert scaled.shape[0] < 600
    full = shrink(decoded(body), 341, 256)
    assert psnr(shrink(scaled, 341, 256), full) > 40


@pytest.mark.parametrize("width", [640, 1280])
def test_a_jpeg_becomes_the_area_mean_of_all_its_pixels(width: int) -> None:
    body = encoded(photograph(width, width * 3 // 4), "JPEG", quality=85)
    stored = prepare(body, Plan(extension="png", size=width // 12))
    expected = shrink(decoded(body), stored.width, stored.height)
    assert np.abs(decoded(stored.content).astype(int) - expected).max() <= 2


@pytest.mark.parametrize(("oversample", "whole"), [(1, False), (4.9, False), (5.1, True), (6, True)])
def test_a_reduced_scale_leaves_so_many_times_the_pixels(
    oversample: float, *, whole: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen: list[tuple[int, ...]] = []

    def spied(body: bytes, head: header.Header, **options: Any) -> Pixels:
        seen.append(decode(body, head, **options).shape)
        return decode(body, head, **options)

    def left(body: bytes, wanted: object) -> Pixels:
        raise UnusualError("to the library")

    monkeypatch.setattr("witbuild.image.prepare.halved", left)
    monkeypatch.setattr("witbuild.image.prepare.means", left)
    monkeypatch.setattr("witbuild.image.decode.decode", spied)
    prepare(encoded(photograph(1000, 800), "JPEG"), Plan(size=80, oversample=oversample))  # ten times the pixels
    height, width = seen[0][:2]
    assert (height == 800) == whole
    assert height >= 80 * oversample
    assert width >= 100 * oversample


def test_the_same_body_gives_the_same_bytes() -> None:
    body = encoded(photograph(), "JPEG")
    assert prepare(body, Plan()) == prepare(body, Plan())


def test_no_metadata_survives() -> None:
    secret = b"coordinates of a home"
    exif = Image.Exif()
    exif[0x010E] = secret.decode()
    body = encoded(photograph(), "JPEG", exif=exif, comment=secret, icc_profile=secret * 10)
    assert secret in body
    for extension in ("jpg", "png", "webp"):
        assert secret not in prepare(body, Plan(extension=extension)).content
    assert prepare(body, Plan(keep_original=True)).content == body


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "AVIF"])
@pytest.mark.parametrize("orientation", range(1, 9))
def test_orientation_is_applied(kind: str, orientation: int) -> None:
    upright = photograph(96, 64)
    turns = {
        2: Image.Transpose.FLIP_LEFT_RIGHT, 3: Image.Transpose.ROTATE_180, 4: Image.Transpose.FLIP_TOP_BOTTOM,
        5: Image.Transpose.TRANSPOSE, 6: Image.Transpose.ROTATE_90, 7: Image.Transpose.TRANSVERSE,
        8: Image.Transpose.ROTATE_270,
    }  # fmt: skip
    exif = Image.Exif()
    exif[0x0112] = orientation
    turned = upright.transpose(turns[orientation]) if orientation > 1 else upright
    options: dict[str, dict[str, Any]] = {
        "WEBP": {"lossless": True},
        "JPEG": {"quality": 95, "subsampling": 0},
        "AVIF": {"quality": 95},
    }
    body = encoded(turned, kind, exif=exif.tobytes(), **options.get(kind, {}))
    pixels = decoded(body)
    assert pixels.shape == (64, 96, 3)
    assert psnr(pixels, np.asarray(upright)) > 30
    stored = prepare(body, Plan(mode="no", avif=True))
    assert (stored.width, stored.height, stored.original_width, stored.original_height) == (96, 64, 96, 64)
    assert stored.original_format == {"JPEG": "jpg"}.get(kind, kind.lower())


@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_metadata_survives_where_it_is_asked_for(extension: Any) -> None:
    exif = Image.Exif()
    exif[0x010E], exif[0x0112] = "a picture", 6
    xmp = b'<x:xmpmeta xmlns:x="adobe:ns:meta/"><a tiff:Orientation="6"/></x:xmpmeta>'
    for kind in ("JPEG", "WEBP"):
        body = encoded(photograph(64, 48), kind, exif=exif, xmp=xmp, icc_profile=b"a profile" * 20)
        stored = prepare(body, Plan(extension=extension, keep_metadata=True))
        with Image.open(io.BytesIO(stored.content)) as image:
            image.load()
            assert image.size == (48, 64)
            told = image.getexif()
            assert (told[0x010E], told.get(0x0112, 1)) == ("a picture", 1)
            assert image.info["icc_profile"] == b"a profile" * 20
            kept = image.info.get("xmp") or image.info["XML:com.adobe.xmp"].encode()
            assert kept == xmp.replace(b'"6"', b'"1"')
        assert prepare(stored.content, Plan()).width == 48


def test_broken_or_too_much_metadata_costs_no_image() -> None:
    for more in (b"Exif\0\0II*\0nonsense" * 9, b"Exif\0\0MM\0*" + b"\xff" * 60_000):
        stored = prepare(encoded(photograph(64, 48), "JPEG", exif=more), Plan(keep_metadata=True))
        assert stored.width == 64
    large = encoded(photograph(64, 48), "WEBP", xmp=b"<x:xmpmeta>" + bytes(70_000))
    assert len(prepare(large, Plan(keep_metadata=True)).content) < 20_000


@pytest.mark.parametrize("transform", [None, 0, 2])
def test_cmyk_is_what_pillow_makes_of_it(transform: int | None) -> None:
    body = encoded(photograph(64, 48).convert("CMYK"), "JPEG", quality=95)
    place = body.index(b"\xff\xeeAdobe"[:2])
    if transform is None:  # without Adobe's marker
        body = body[:place] + body[place + 2 + int.from_bytes(body[place + 2 : place + 4], "big") :]
    else:
        body = body[: place + 15] + bytes([transform]) + body[place + 16 :]
    with Image.open(io.BytesIO(body)) as image:
        assert image.mode == "CMYK"
        assert np.array_equal(decoded(body), np.asarray(image.convert("RGB")))


def test_half_transparent_is_laid_over_white() -> None:
    random = np.random.default_rng(3)
    layer = random.integers(0, 256, (20, 30, 4), np.uint8)
    alpha = layer[:, :, 3:].astype(float) / 255
    over = layer[:, :, :3] * alpha + 255 * (1 - alpha)
    for kind, options in (("PNG", {}), ("WEBP", {"lossless": True, "exact": True})):
        assert np.abs(decoded(encoded(Image.fromarray(layer), kind, **options)) - over).max() <= 1


@pytest.mark.parametrize("mode", ["L", "P", "1", "CMYK", "YCbCr"])
def test_other_colours_become_rgb(mode: str) -> None:
    image = photograph(64, 48).convert(mode)
    kind = "JPEG" if mode in ("CMYK", "YCbCr", "L") else "PNG"
    assert psnr(decoded(encoded(image, kind, quality=95, subsampling=0)), np.asarray(image.convert("RGB"))) > 30


def test_sixteen_bits_become_eight() -> None:
    depth = np.linspace(0, 65_535, 64 * 48).astype(np.uint16).reshape(48, 64)
    pixels = decoded(encoded(Image.fromarray(depth), "PNG"))
    assert np.array_equal(pixels[:, :, 0], (depth >> 8).astype(np.uint8))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "RGB"])
def test_what_is_transparent_becomes_white(mode: str) -> None:
    clear = Image.new(mode, (8, 8))
    options = {"transparency": (0, 0, 0) if mode == "RGB" else 0} if mode in ("P", "RGB") else {}
    assert (decoded(encoded(clear, "PNG", **options)) == 255).all()


@pytest.mark.parametrize("kind", ["GIF", "WEBP", "PNG", "AVIF"])
def test_the_first_frame_of_an_animation_counts(kind: str) -> None:
    first, second = Image.new("RGB", (20, 10), "red"), Image.new("RGB", (20, 10), "blue")
    options = {"lossless": True} if kind == "WEBP" else {}
    body = encoded(first, kind, save_all=True, append_images=[second], **options)
    assert np.abs(decoded(body)[0, 0].astype(int) - [255, 0, 0]).max() <= (4 if kind == "AVIF" else 0)


@pytest.mark.parametrize(
    ("mode", "size", "expected"),
    [
        ("no", 256, (640, 480)),
        ("keep_ratio", 256, (341, 256)),
        ("keep_ratio_largest", 256, (256, 192)),
        ("center_crop", 256, (256, 256)),
        ("border", 256, (256, 256)),
        ("center_crop", 470, (470, 470)),
        ("center_crop", 500, (640, 480)),
        ("border", 700, (640, 480)),
    ],
)
def test_modes_of_fitting(mode: Any, size: int, expected: tuple[int, int]) -> None:
    stored = prepare(encoded(photograph(), "JPEG"), Plan(mode=mode, size=size))
    assert (stored.width, stored.height) == expected


@pytest.mark.parametrize("kind", ["PNG", "JPEG"])
@pytest.mark.parametrize("extension", ["jpg", "png", "webp"])
def test_what_is_told_is_of_what_was_encoded(kind: str, extension: Any) -> None:
    stored = prepare(encoded(photograph(), kind), Plan(extension=extension))
    again = prepare(stored.content, Plan(mode="no", extension="png"))
    assert (again.width, again.height) == (stored.width, stored.height)
    assert (again.phash ^ stored.phash).bit_count() <= 1
    assert (again.pixel_sha256 == stored.pixel_sha256) == (extension == "png")  # the others lose some


@pytest.mark.parametrize("kind", ["PNG", "JPEG", "WEBP"])
def test_what_is_told_of_a_kept_original_is_of_its_pixels(kind: str) -> None:
    body = encoded(photograph(), kind)
    stored, plain = prepare(body, Plan(keep_original=True)), prepare(body, Plan(mode="no", extension="png"))
    assert stored.content == body
    assert (stored.pixel_sha256, stored.phash) == (plain.pixel_sha256, plain.phash)
    assert (stored.width, stored.height, stored.original_width) == (640, 480, 640)
    assert reason(body[: len(body) // 2], keep_original=True) in ("image_truncated", "image_broken")


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"min_side": 481}, "image_too_small"),
        ({"max_aspect": 1.3}, "image_aspect"),
        ({"max_pixels": 640 * 480 - 1}, "image_too_large"),
    ],
)
def test_bounds_are_kept(options: dict[str, Any], expected: str) -> None:
    body = encoded(photograph(), "JPEG")
    assert reason(body, **options) == expected


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "GIF"])
@pytest.mark.parametrize("part", [0.02, 0.3, 0.9])
def test_a_cut_image_is_dropped(kind: str, part: float) -> None:
    body = encoded(photograph(), kind)
    assert reason(body[: int(len(body) * part)]) in ("image_truncated", "image_broken")


def test_a_png_that_would_unfold_to_gigabytes_is_not_unfolded() -> None:
    body = encoded(Image.new("1", (1, 1)), "PNG")
    for side in (30_000, 40_000):
        size = side.to_bytes(4, "big")
        chunk = b"IHDR" + size + size + body[24:29]
        bomb = body[:12] + chunk + zlib.crc32(chunk).to_bytes(4, "big") + body[33:]
        assert reason(bomb) == "image_too_large"


def test_a_jpeg_of_a_thousand_scans_is_not_decoded() -> None:
    body = encoded(photograph(), "JPEG", progressive=True)
    scan = body[body.index(b"\xff\xda") : body.rindex(b"\xff\xda")]
    assert reason(body[:-2] + scan * 300 + body[-2:]) == "image_too_large"


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (OSError("broken data stream"), "image_broken"),
        (OSError("image file is truncated (1 bytes not processed)"), "image_truncated"),
        (UnidentifiedImageError("cannot identify image file <_io.BytesIO object at 0x7f>"), "image_broken"),
        (ValueError("tile cannot extend outside image"), "image_broken"),
        (MemoryError(), "image_memory"),
        (SyntaxError("broken PNG file"), "image_broken"),
        (OverflowError("too large"), "image_broken"),
        (NotImplementedError("no"), "image_broken"),
        (RuntimeError("could not create decoder object"), "image_broken"),
        (Image.DecompressionBombError("bomb"), "image_too_large"),
        (Image.DecompressionBombWarning("bomb"), "image_too_large"),
        (UserWarning("Corrupt EXIF data"), "image_broken"),
    ],
)
def test_every_exception_of_a_decoder_has_a_reason(error: BaseException, expected: str) -> None:
    told = foreign(error)
    assert told.reason == expected
    assert told.reason in failure.REASONS
    assert "0x" not in told.detail
    assert isinstance(error, (*failure.FOREIGN, Image.DecompressionBombError))


def test_hostile_files_end_as_an_image_or_a_reason(shared_hostile: dict[str, bytes]) -> None:
    ends: dict[str, int] = {}
    for body in shared_hostile.values():
        try:
            stored = prepare(body, Plan())
            end = "stored" if max(stored.width, stored.height) > 0 else "empty"
        except ImageError as error:
            end = error.reason
        ends[end] = ends.get(end, 0) + 1
    assert set(ends) <= {"stored", *failure.REASONS}
    assert ends["stored"] >= 18
