"""The image path: body as served to stored JPEG, short side 256, quality 90, beside img2dataset's and Pillow's.

Made-up photographs of 640 to 2,000 pixels a side, 3 in 10 progressive. witbuild's time includes what the peers do not
do: header checks, a second decode of what is stored, its pixel hash and its perceptual hash. Similarity (SSIM of
8x8 windows) is to an exact area mean of the fully decoded original. img2dataset comes with `witbuild[peers]`.
"""

from __future__ import annotations

import importlib.util
import io
from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from PIL import Image

from tests.bench.conftest import Bench, Side
from witbuild.image.prepare import Plan, prepare
from witbuild.image.resize import shrink

pytestmark = pytest.mark.bench

IMAGES, SIDE, QUALITY = 120, 256, 90
Make = Callable[[bytes], bytes]


@pytest.fixture(scope="module")
def bodies() -> list[bytes]:
    random = np.random.default_rng(1)
    return [_photograph(random, int(random.integers(640, 2_000))) for _ in range(IMAGES)]


def _photograph(random: np.random.Generator, width: int) -> bytes:
    height = width * 3 // 4
    coarse = Image.fromarray(random.integers(0, 256, (24, 32, 3), np.uint8))
    smooth = np.asarray(coarse.resize((width, height), Image.Resampling.BICUBIC)).astype(np.int16)
    grain = random.normal(0, 3, (height, width, 1)).astype(np.int16)
    stream = io.BytesIO()
    image = Image.fromarray(np.clip(smooth + grain, 0, 255).astype(np.uint8))
    image.save(stream, "JPEG", quality=int(random.integers(78, 90)), progressive=bool(random.random() < 0.3))
    return stream.getvalue()


def mine(body: bytes) -> bytes:
    return prepare(body, Plan(size=SIDE, quality=QUALITY)).content


def by_pillow(body: bytes) -> bytes:
    stream = io.BytesIO()
    with Image.open(io.BytesIO(body)) as image:
        scale = SIDE / min(image.size)
        small = image.resize((round(image.width * scale), round(image.height * scale)), Image.Resampling.BOX)
        small.save(stream, "JPEG", quality=QUALITY)
    return stream.getvalue()


def peers() -> dict[str, Make]:
    """Return how each peer makes a stored image of a body."""
    found: dict[str, Make] = {"Pillow, full decode, box": by_pillow}
    if importlib.util.find_spec("img2dataset"):
        from img2dataset.resizer import Resizer

        resizer: Any = Resizer(SIDE, "keep_ratio", resize_only_if_bigger=True, encode_quality=QUALITY)
        found["img2dataset's Resizer"] = lambda body: resizer(io.BytesIO(body))[0]
    return found


def test_image(bench: Bench, bodies: Sequence[bytes]) -> None:
    sides: dict[str, Make] = {"witbuild": mine, **peers()}
    mine(bodies[0])
    bench.compare(
        "decode, shrink, encode", "images", {name: Side(_all(make, bodies), IMAGES) for name, make in sides.items()}
    )
    likeness = {name: float(np.mean([ssim(make(body), body) for body in bodies[:30]])) for name, make in sides.items()}
    bench.note("SSIM: " + ", ".join(f"{name} {value:.4f}" for name, value in likeness.items()))
    assert likeness["witbuild"] > min(likeness.values()) - 0.01


def test_shrink(bench: Bench) -> None:
    pixels = np.random.default_rng(1).integers(0, 256, (338, 450, 3), np.uint8)
    image = Image.fromarray(pixels)
    sides = {
        "witbuild, exact area": Side(lambda: [shrink(pixels, 341, 256) for _ in range(200)], 200),
        "Pillow, box": Side(lambda: [image.resize((341, 256), Image.Resampling.BOX) for _ in range(200)], 200),
    }
    if importlib.util.find_spec("cv2"):
        import cv2

        area = cv2.INTER_AREA
        sides["OpenCV, area"] = Side(
            lambda: [cv2.resize(pixels, (341, 256), interpolation=area) for _ in range(200)], 200
        )
    bench.compare("450x338 to 341x256", "images", sides)


def _all(make: Make, bodies: Sequence[bytes]) -> Callable[[], None]:
    def run() -> None:
        for body in bodies:
            make(body)

    return run


def ssim(stored: bytes, original: bytes) -> float:
    """Return the mean structural similarity of 8x8 windows of luma (Wang et al. 2004, section III)."""
    with Image.open(io.BytesIO(stored)) as image:
        one = np.asarray(image.convert("RGB"))
    with Image.open(io.BytesIO(original)) as image:
        other = shrink(np.ascontiguousarray(np.asarray(image.convert("RGB"))), one.shape[1], one.shape[0])
    a, b = (_windows(pixels.astype(float) @ [0.299, 0.587, 0.114]) for pixels in (one, other))
    means = a.mean(1), b.mean(1)
    joint = (a * b).mean(1) - means[0] * means[1]
    top = (2 * means[0] * means[1] + 6.5025) * (2 * joint + 58.5225)
    bottom = (means[0] ** 2 + means[1] ** 2 + 6.5025) * (a.var(1) + b.var(1) + 58.5225)
    return float((top / bottom).mean())


def _windows(luma: np.ndarray[tuple[int, int], np.dtype[np.float64]]) -> np.ndarray[Any, np.dtype[np.float64]]:
    height, width = (side // 8 * 8 for side in luma.shape)
    return luma[:height, :width].reshape(height // 8, 8, width // 8, 8).transpose(0, 2, 1, 3).reshape(-1, 64)
