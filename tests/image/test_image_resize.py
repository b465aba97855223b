"""Shrinking: equal to its definition, and to means that can be worked out by hand."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from witbuild.image.resize import ONE, border, crop, fit, resize, shrink, shrink_reference, weights


def noise(height: int, width: int, seed: int = 0) -> np.ndarray[tuple[int, int, int], np.dtype[np.uint8]]:
    return np.random.default_rng(seed).integers(0, 256, (height, width, 3), np.uint8)


@given(st.integers(1, 60), st.integers(1, 60), st.data())
def test_the_kernel_is_its_definition(height: int, width: int, data: st.DataObject) -> None:
    pixels = noise(height, width, height * 61 + width)
    target = data.draw(st.integers(1, width)), data.draw(st.integers(1, height))
    assert np.array_equal(shrink(pixels, *target), shrink_reference(pixels, *target))


def test_one_band_is_as_one_of_three() -> None:
    pixels = noise(37, 53)
    for band in range(3):
        one = resize(np.ascontiguousarray(pixels[:, :, band : band + 1]), 20, 11)
        assert np.array_equal(one[:, :, 0], resize(pixels, 20, 11)[:, :, band])
    assert resize(noise(5, 4)[:, :, :1].copy(), 9, 9).shape == (9, 9, 1)


@given(st.integers(1, 3000), st.data())
def test_weights_sum_to_one_and_stay_inside(source: int, data: st.DataObject) -> None:
    target = data.draw(st.integers(1, source))
    first, weight = weights(source, target)
    assert (weight >= 0).all()
    assert (weight.sum(axis=1) == ONE).all()
    last = first + np.array([int(np.flatnonzero(row).max()) for row in weight])
    assert first[0] == 0
    assert last.max() == source - 1


def test_whole_numbers_give_plain_means() -> None:
    pixels = noise(40, 60)
    means = pixels.reshape(10, 4, 20, 3, 3).astype(float).mean(axis=(1, 3))
    assert np.abs(shrink(pixels, 20, 10) - means).max() <= 0.5 + 0.03  # weights are rounded to 2^-14


def test_a_flat_image_stays_flat() -> None:
    for value in (0, 1, 127, 254, 255):
        assert (shrink(np.full((97, 131, 3), value, np.uint8), 41, 29) == value).all()


@pytest.mark.parametrize(
    ("size", "mode", "upscale", "expected"),
    [
        ((1000, 500), "no", False, (1000, 500)),
        ((1000, 500), "keep_ratio", False, (512, 256)),
        ((1000, 500), "center_crop", False, (512, 256)),
        ((1000, 500), "keep_ratio_largest", False, (256, 128)),
        ((1000, 500), "border", False, (256, 128)),
        ((500, 1000), "keep_ratio", False, (256, 512)),
        ((100, 50), "keep_ratio", False, (100, 50)),
        ((100, 50), "keep_ratio", True, (512, 256)),
        ((300, 50), "keep_ratio", False, (300, 50)),
        ((10_000, 1), "border", False, (256, 1)),
        ((333, 257), "keep_ratio", False, (332, 256)),
    ],
)
def test_where_an_image_is_to_fit(
    size: tuple[int, int], mode: str, *, upscale: bool, expected: tuple[int, int]
) -> None:
    assert fit(*size, 256, mode, upscale=upscale) == expected


def test_crop_and_border_are_in_the_middle() -> None:
    pixels = noise(4, 8)
    assert np.array_equal(crop(pixels, 4), pixels[:, 2:6])
    square = border(pixels, 8)
    assert square.shape == (8, 8, 3)
    assert np.array_equal(square[2:6], pixels)
    assert (square[:2] == 255).all()
    assert (square[6:] == 255).all()


def test_growing_in_one_direction_and_shrinking_in_the_other() -> None:
    assert resize(noise(10, 100), 50, 20).shape == (20, 50, 3)
