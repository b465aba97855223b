"""Means straight from a JPEG's coefficients: those of the library's pixels; whatever is odd is left to the library."""

from __future__ import annotations

import io
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import simplejpeg
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image, ImageDraw

from witbuild.image import prepare as preparing
from witbuild.image.encode import encode_halved
from witbuild.image.failure import ImageError
from witbuild.image.jpeg.area import Target, halved, means
from witbuild.image.jpeg.frame import UnusualError
from witbuild.image.jpeg.weights import Line, weights
from witbuild.image.prepare import Plan, Stored, prepare
from witbuild.image.resize import fit, shrink
from witbuild.image.resize import weights as plain_weights

Pixels = np.ndarray[tuple[int, ...], np.dtype[np.uint8]]


def picture(width: int, height: int, seed: int = 0) -> Image.Image:
    """Return colours at several scales and some grain, none near black or white, where decoders cut off."""
    random, light = np.random.default_rng(seed), np.full((height, width, 3), 128.0)
    for cells, contrast in ((3, 30), (9, 20), (40, 10)):
        coarse = random.normal(0, contrast, (cells, cells, 3)).clip(-60, 60) + 128
        grown = Image.fromarray(coarse.astype(np.uint8)).resize((width, height), Image.Resampling.BICUBIC)
        light += np.asarray(grown) - 128.0
    return Image.fromarray((light + random.normal(0, 3, (height, width, 1))).clip(50, 205).astype(np.uint8))


def encoded(image: Image.Image, **options: Any) -> bytes:
    stream = io.BytesIO()
    image.save(stream, "JPEG", **options)
    return stream.getvalue()


def whole(width: int, height: int) -> Target:
    return Target(width=width, height=height, left=0, top=0, columns=width, rows=height)


def expected(body: bytes, width: int, height: int) -> Pixels:
    return shrink(simplejpeg.decode_jpeg(body, "RGB"), width, height)


def distance(one: Pixels, other: Pixels) -> int:
    return int(np.abs(one.astype(int) - other).max())


@settings(deadline=None, max_examples=60)
@given(
    size=st.tuples(st.integers(5, 200), st.integers(1, 200)),
    parts=st.tuples(st.floats(0.02, 0.38), st.floats(0.02, 0.38)),
    mode=st.sampled_from(["RGB", "L"]),
    options=st.fixed_dictionaries(
        {
            "quality": st.integers(40, 98),
            "subsampling": st.sampled_from(["4:4:4", "4:2:2", "4:2:0"]),
            "progressive": st.booleans(),
            "optimize": st.booleans(),
            "restart_marker_blocks": st.sampled_from([0, 0, 1, 7]),
        }
    ),
)
def test_means_are_those_of_the_librarys_pixels(
    size: tuple[int, int], parts: tuple[float, float], mode: str, options: dict[str, Any]
) -> None:
    body = encoded(picture(*size, seed=sum(size)).convert(mode), **options)
    width, height = (max(1, int(side * part)) for side, part in zip(size, parts, strict=True))
    assert distance(means(body, whole(width, height)), expected(body, width, height)) <= 2


@pytest.mark.parametrize("progressive", [False, True])
def test_a_photograph_is_as_the_library_has_it(*, progressive: bool) -> None:
    body = encoded(picture(1203, 899), quality=88, progressive=progressive)
    mine, theirs = means(body, whole(341, 255)), expected(body, 341, 255)
    assert distance(mine, theirs) <= 2
    assert np.abs(mine.astype(int) - theirs).mean() < 0.3
    assert abs((mine.astype(float) - theirs).mean()) < 0.05


def test_a_part_is_cut_from_the_whole() -> None:
    body = encoded(picture(640, 480), quality=90)
    part = means(body, Target(width=200, height=150, left=33, top=21, columns=90, rows=70))
    assert distance(part, means(body, whole(200, 150))[21:91, 33:123]) == 0


def test_black_letters_stay_on_white() -> None:
    page = Image.new("RGB", (900, 600), "white")
    for y in range(0, 600, 30):
        ImageDraw.Draw(page).text((10, y), "the quick brown fox " * 5, fill="black", font_size=20)
    for quality in (40, 75, 90):
        body = encoded(page, quality=quality)
        assert distance(means(body, whole(300, 200)), expected(body, 300, 200)) <= 3


@given(st.integers(1, 400), st.data())
def test_the_parts_of_samples_are_the_weights_of_pixels(pixels: int, data: st.DataObject) -> None:
    line = Line(pixels, data.draw(st.integers(1, max(1, pixels // 2))), 0, pixels, 1, paired=False)
    found, (first, weight) = weights(line), plain_weights(line.pixels, line.means)
    assert found is not None
    for mean in range(line.means):
        sums = np.zeros(-(-pixels // 8) * 8)
        for block, (start, count) in enumerate(zip(found.start, found.means, strict=True)):
            if start <= mean < start + count:
                sums[8 * block : 8 * block + 8] = found.samples.reshape(-1, 8, 8)[block, :, mean - start]
        held = np.flatnonzero(weight[mean])
        assert np.allclose(sums[first[mean] + held], weight[mean][held] / 2**14)
        assert np.isclose(sums.sum(), 1)


@pytest.mark.parametrize("mode", ["RGB", "L"])
def test_chroma_of_four_means_is_stored_as_one(mode: str) -> None:
    body = encoded(picture(640, 480).convert(mode), quality=90)
    planes = halved(body, whole(201, 151))
    assert [plane.shape for plane in planes] == [(151, 201), (76, 101), (76, 101)]
    theirs = np.asarray(Image.fromarray(means(body, whole(201, 151))).convert("YCbCr")).astype(float)
    assert np.abs(planes.luma - theirs[:, :, 0]).max() <= 2
    fours = theirs[:150, :200, 1:].reshape(75, 2, 100, 2, 2).mean((1, 3))
    for plane, expected_plane in zip(planes[1:], np.moveaxis(fours, 2, 0), strict=True):
        assert np.abs(plane[:75, :100] - expected_plane).max() <= 2
    assert np.abs(planes.blue[-1, -1] - theirs[-1, -1, 1]) <= 2


def test_an_encoder_given_halves_stores_them() -> None:
    planes = halved(encoded(picture(640, 480), quality=90), whole(201, 151))
    with Image.open(io.BytesIO(encode_halved(*planes, 100))) as image:
        image.draft("YCbCr", None)
        stored = np.asarray(image).astype(int)
    assert np.abs(stored[:, :, 0] - planes.luma).max() <= 2
    doubled = np.stack(planes[1:], 2).repeat(2, 0).repeat(2, 1)[:151, :201]
    assert np.abs(stored[:, :, 1:] - doubled).mean() < 2  # the decoder smooths them


def test_what_is_stored_is_as_like_as_what_the_library_leads_to(monkeypatch: pytest.MonkeyPatch) -> None:
    body = encoded(picture(1000, 751), quality=85)
    exact = expected(body, 341, 256).astype(float)
    mine, theirs = stored_both(body, Plan(), monkeypatch)
    errors = [
        np.mean((simplejpeg.decode_jpeg(one.content, "RGB") - exact) ** 2)
        for one in (mine, theirs)
        if isinstance(one, Stored)
    ]
    assert errors[0] < 1.02 * errors[1]


def unusual(body: bytes, wanted: Target | None = None) -> str:
    with pytest.raises(UnusualError) as caught:
        means(body, wanted or whole(20, 15))
    return str(caught.value)


def test_odd_ones_are_left_to_the_library() -> None:
    image = picture(160, 120)
    usual = encoded(image)
    assert means(usual, whole(20, 15)).shape == (15, 20, 3)
    assert unusual(encoded(image.convert("CMYK"))) in ("a frame", "colours by Adobe")
    assert unusual(usual[:-2]) == "it ends early"
    assert unusual(usual[: len(usual) // 2]) == "it ends early"
    assert unusual(usual, whole(150, 110)) == "hardly smaller"
    assert unusual(renamed(usual)) == "components"
    assert unusual(encoded(picture(4, 80)), whole(1, 15)) == "narrow"
    scan = usual.index(b"\xff\xda")
    assert unusual(usual[:scan] + b"\0" + usual[scan:]) == "bytes between segments"
    assert unusual(usual[:-2] + b"\0\0\0" + usual[-2:]) == "coded data"
    assert unusual(usual[:scan] + b"\xff\xf0\0\3x" + usual[scan:]) == "marker f0"
    assert unusual(usual[:-2] + usual[scan:]) == "components missing or twice"
    assert means(usual + b"more", whole(20, 15)).shape == (15, 20, 3)


def test_values_that_no_encoder_makes_are_left_to_the_library() -> None:
    body = encoded(picture(160, 120), quality=95)
    place = body.index(b"\xff\xdb") + 5
    assert unusual(body[:place] + b"\xff" * 64 + body[place + 64 :]) == "values of no image"


def renamed(body: bytes) -> bytes:
    """Return a JPEG whose components are called by other numbers."""
    start, scan = re.search(rb"\xff[\xc0\xc2]\0\x11", body), body.index(b"\xff\xda\0\x0c")
    assert start
    renamed = bytearray(body)
    for number in range(3):
        renamed[start.start() + 10 + 3 * number] += 4
        renamed[scan + 5 + 2 * number] += 4
    return bytes(renamed)


def test_a_progressive_one_without_its_last_scans_is_left_to_the_library() -> None:
    body = encoded(picture(160, 120), progressive=True)
    scans = [found.start() for found in re.finditer(b"\xff\xc4|\xff\xda", body)]
    assert unusual(body[: scans[-2]] + b"\xff\xd9") == "not refined to the end"
    again = body[: scans[-2]] + body[scans[-2] : -2] * 2 + b"\xff\xd9"
    assert unusual(again) == "out of order"


def stored_both(body: bytes, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> list[Stored | str]:
    """Return what becomes of a body, and what becomes of it when the library decodes all."""
    ends = [end(body, plan)]
    with monkeypatch.context() as patch:
        patch.setattr(preparing, "means", leave)
        patch.setattr(preparing, "halved", leave)
        ends.append(end(body, plan))
    return ends


def leave(body: bytes, wanted: Target) -> Pixels:
    raise UnusualError("left")


def end(body: bytes, plan: Plan) -> Stored | str:
    try:
        return prepare(body, plan)
    except ImageError as error:
        return error.reason


def agree(one: Stored | str, other: Stored | str) -> bool:
    """Say whether two ends are the same, pixels but for rounding and for colours that no encoder makes."""
    if isinstance(one, str) or isinstance(other, str):
        return one == other
    first, second = (simplejpeg.decode_jpeg(stored.content, "RGB").astype(float) for stored in (one, other))
    return first.shape == second.shape and float(np.abs(first - second).mean()) < 8


@pytest.mark.parametrize("options", [{}, {"progressive": True}, {"restart_marker_blocks": 5}, {"optimize": True}])
def test_a_broken_one_ends_as_the_library_ends_it(options: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    body, random = encoded(picture(96, 80), quality=80, **options), np.random.default_rng(5)
    for number in range(150):
        broken = bytearray(body)
        if number % 3:
            for place in random.integers(2, len(body), int(random.integers(1, 4))):
                broken[place] ^= 1 << int(random.integers(0, 8))
        else:
            del broken[int(random.integers(2, len(body))) :]
        ends = stored_both(bytes(broken), Plan(size=20), monkeypatch)
        assert agree(*ends), (number, ends)


def test_hostile_files_end_as_the_library_ends_them(
    shared_hostile: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    bodies = [body for name, body in shared_hostile.items() if body.startswith(b"\xff\xd8\xff")]
    assert len(bodies) > 20
    for body in bodies:
        assert agree(*stored_both(body, Plan(size=32), monkeypatch))


@pytest.mark.parametrize("mode", ["keep_ratio", "center_crop", "border", "keep_ratio_largest"])
@pytest.mark.parametrize("orientation", [1, 2, 6])
@pytest.mark.parametrize("extension", ["jpg", "png"])
def test_modes_give_what_the_library_leads_to(
    mode: Any, orientation: int, extension: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    exif = Image.Exif()
    exif[0x0112] = orientation
    body = encoded(picture(533, 400), quality=90, exif=exif)
    mine, theirs = stored_both(body, Plan(mode=mode, size=99, extension=extension), monkeypatch)
    assert isinstance(mine, Stored)
    assert isinstance(theirs, Stored)
    assert (mine.width, mine.height, mine.original_width) == (theirs.width, theirs.height, theirs.original_width)
    both = [np.asarray(Image.open(io.BytesIO(one.content)).convert("RGB")) for one in (mine, theirs)]
    assert distance(*both) <= (12 if extension == "jpg" else 2)
    assert (mine.phash ^ theirs.phash).bit_count() <= 4


def test_most_jpegs_are_not_left_to_the_library(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sizes of the web to short side 256: were they left, all would be right and slow."""

    def never(*_: object, **__: object) -> None:
        raise AssertionError

    monkeypatch.setattr("witbuild.image.decode.decode", never)
    for width, height in ((640, 480), (448, 336), (1024, 768), (1920, 1080), (340, 900), (2000, 1500)):
        for options in ({}, {"progressive": True}, {"subsampling": "4:4:4"}, {"subsampling": "4:2:2"}):
            body = encoded(picture(width, height), quality=85, **options)
            stored = prepare(body, Plan())
            assert (stored.width, stored.height) == fit(width, height, 256, "keep_ratio")


def test_no_reference_is_kept() -> None:
    body, line = encoded(picture(160, 120), progressive=True), Line(160, 20, 0, 20, 1, paired=False)
    means(body, whole(20, 15))
    held = weights(line)
    assert held is not None
    before = [sys.getrefcount(one) for one in held]
    for _ in range(20):
        means(body, whole(20, 15))
    assert [sys.getrefcount(one) for one in held] == before


def mutant(body: bytes, random: np.random.Generator) -> bytes:
    """Return a JPEG with a few bytes changed or cut out, most of them in its segments' heads."""
    broken = bytearray(body)
    heads = [found.start() for found in re.finditer(b"\xff[\xc0-\xdf]", body)]
    for _ in range(int(random.integers(1, 4))):
        near = random.random() < 0.8
        place = int(random.choice(heads)) + int(random.integers(0, 40)) if near else int(random.integers(len(body)))
        way = int(random.integers(4))
        if way == 0:
            del broken[place : place + int(random.integers(1, 30))]
        elif place < len(broken):
            broken[place] = broken[place] ^ 1 << int(random.integers(8)) if way < 3 else int(random.integers(256))
    return bytes(broken)


def tried(count: int) -> int:
    """Return how many of so many mutants are not left to the library."""
    random, taken = np.random.default_rng(11), 0
    ways: list[dict[str, Any]] = [{}, {"progressive": True}, {"restart_marker_blocks": 3}, {"subsampling": 0}]
    bodies = [encoded(picture(40 + 9 * n, 70), quality=75, **ways[n % 4]) for n in range(12)]
    for number in range(count):
        try:
            (means if number % 2 else halved)(mutant(bodies[number % 12], random), whole(8, 8))
        except UnusualError:
            continue
        taken += 1
    return taken


def test_no_mutant_breaks_it() -> None:
    assert 50 < tried(1_000) < 900


@pytest.mark.slow
def test_no_mutant_reaches_beyond_an_array(tmp_path: Path) -> None:
    environment = {**os.environ, "NUMBA_BOUNDSCHECK": "1", "NUMBA_CACHE_DIR": str(tmp_path)}
    code = "from tests.image.test_image_jpeg import tried; print(tried(100_000))"
    done = subprocess.run([sys.executable, "-c", code], env=environment, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) > 5_000
