"""Resize modes: sizes, crops and borders are img2dataset's, to the pixel.

`img2dataset_sizes.json` holds what its Resizer (1.47.0, albumentations 1.4.24) made of grey images: width, height,
size, mode, resize_only_if_bigger, the result's width and height, and the box in which it is grey.
"""

from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from witbuild.image.prepare import Plan, prepare

SEEN = json.loads(Path(__file__).with_name("img2dataset_sizes.json").read_text())
GREY = 100


@pytest.mark.parametrize("mode", ["no", "border", "keep_ratio", "keep_ratio_largest", "center_crop"])
def test_results_are_img2datasets(mode: Any) -> None:
    seen = [row for row in SEEN if row[3] == mode]
    assert len(seen) > 20
    for width, height, size, _, only_if_bigger, made, box in seen:
        stream = io.BytesIO()
        Image.new("RGB", (width, height), (GREY,) * 3).save(stream, "PNG")
        stored = prepare(stream.getvalue(), Plan(mode=mode, size=size, extension="png", upscale=not only_if_bigger))
        assert [stored.width, stored.height] == made, (width, height, size)
        with Image.open(io.BytesIO(stored.content)) as image:
            rows, columns = np.nonzero(np.asarray(image)[:, :, 0] == GREY)
        assert [columns.min(), rows.min(), columns.max(), rows.max()] == box, (width, height, size)
