"""Perceptual hash: near for what looks alike, far for what does not."""

from __future__ import annotations

import io

import numpy as np
from PIL import Image
from scipy.fft import dctn

from witbuild.image.hashes import _COSINES, phash, pixel_sha256
from witbuild.image.resize import resize


def picture(seed: int) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    coarse = np.random.default_rng(seed).integers(0, 256, (6, 8, 3), np.uint8)
    return np.asarray(Image.fromarray(coarse).resize((320, 240), Image.Resampling.BICUBIC))


def distance(one: int, other: int) -> int:
    return (one ^ other).bit_count()


def recompressed(pixels: np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]) -> Image.Image:
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG", quality=30)
    return Image.open(stream)


def test_the_same_picture_in_another_size_and_quality_is_near() -> None:
    for seed in range(20):
        pixels = picture(seed)
        small = np.asarray(recompressed(pixels).resize((160, 120), Image.Resampling.BILINEAR))
        assert distance(phash(pixels), phash(np.ascontiguousarray(small))) <= 4


def test_other_pictures_are_far() -> None:
    hashes = [phash(picture(seed)) for seed in range(20)]
    assert min(distance(a, b) for i, a in enumerate(hashes) for b in hashes[:i]) >= 12


def test_the_transform_is_a_discrete_cosine_transform() -> None:
    grey = picture(1)[:32, :32, 0].astype(np.int64)
    mine = _COSINES @ grey @ _COSINES.T / 2**28
    assert np.allclose(4 * mine, dctn(grey.astype(float), type=2)[:8, :8], atol=0.5 * 32)


def test_bits_are_low_frequencies_above_their_median() -> None:
    pixels = picture(3)
    grey = resize(pixels, 32, 32).astype(float) @ [0.299, 0.587, 0.114]
    low = dctn(grey, type=2)[:8, :8].ravel()
    expected = int("".join("1" if value > np.median(low) else "0" for value in low), 2)
    assert distance(phash(pixels), expected) == 0


def test_tiny_and_flat_pictures_have_a_hash() -> None:
    assert 0 <= phash(np.zeros((1, 1, 3), np.uint8)) < 2**64
    assert phash(np.full((50, 50, 3), 200, np.uint8)) == 1 << 63


def test_the_exact_hash_sees_one_bit_and_the_shape() -> None:
    pixels = picture(1)
    other = pixels.copy()
    other[0, 0, 0] ^= 1
    assert pixel_sha256(pixels) != pixel_sha256(other)
    assert pixel_sha256(pixels) != pixel_sha256(pixels.reshape(320, 240, 3))
