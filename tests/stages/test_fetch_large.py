"""The largest image that is taken, in every format, fits into the limits of a decoding process."""

from __future__ import annotations

import io
from typing import Any

import pytest
from PIL import Image

from tests.planted_decoders import Asked
from witbuild.image.prepare import Plan
from witbuild.stages.fetch.decoding import Limits
from witbuild.stages.fetch.make import Make

SIDE = 8_000


@pytest.mark.slow
@pytest.mark.parametrize(
    ("kind", "mode", "options"),
    [
        ("JPEG", "RGB", {"progressive": True}),
        ("JPEG", "CMYK", {}),
        ("PNG", "RGBA", {"compress_level": 1}),
        ("PNG", "I;16", {"compress_level": 1}),
        ("PNG", "P", {"compress_level": 1}),
        ("WEBP", "RGBA", {"method": 0}),
        ("GIF", "P", {}),
        ("AVIF", "RGB", {"speed": 10}),
    ],
)
def test_the_largest_image_is_decoded(kind: str, mode: str, options: dict[str, Any]) -> None:
    assert Plan().max_pixels == SIDE * SIDE
    stream = io.BytesIO()
    Image.new(mode, (SIDE, SIDE)).save(stream, kind, **options)
    with Asked(Make(Plan(avif=True)), 1, Limits()) as decoders:
        image, _ = decoders.ask(stream.getvalue())
    assert (image.width, image.height, image.original_width) == (256, 256, SIDE)
