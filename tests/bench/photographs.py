"""Made-up photographs: colour at every scale as in nature, edges, grain; of sizes and qualities that the web has."""

from __future__ import annotations

import hashlib
import io
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image

_OCTAVES = (3, 6, 12, 24, 48, 96, 192)


def photograph(number: int) -> bytes:
    """Return a JPEG of 640x480 to 2000x1500 pixels, quality 80 to 90, 3 in 10 progressive; another for each number."""
    random = np.random.default_rng(number)
    width = int(random.integers(640, 2_001)) // 4 * 4
    stream = io.BytesIO()
    image = Image.fromarray(_pixels(random, width, width * 3 // 4))
    image.save(stream, "JPEG", quality=int(random.integers(80, 91)), progressive=number % 10 in (1, 4, 7))
    return stream.getvalue()


def _pixels(random: np.random.Generator, width: int, height: int) -> np.ndarray:
    light = np.full((height, width, 3), 128, np.float32)
    for cells in _OCTAVES:  # amplitude falls with frequency (Field 1987)
        coarse = random.normal(0, 1, (cells * 3 // 4 + 1, cells, 3)).astype(np.float32)
        coarse += 2 * coarse[:, :, :1]  # most of it is brightness
        for band in range(3):
            plane = Image.fromarray(coarse[:, :, band]).resize((width, height), Image.Resampling.BICUBIC)
            light[:, :, band] += np.asarray(plane) * (90 / cells**0.9)
    _shapes(random, light)
    light += random.normal(0, 0.8, (height, width, 1)).astype(np.float32)
    return np.clip(light, 0, 255).astype(np.uint8)


def _shapes(random: np.random.Generator, light: np.ndarray) -> None:
    """Lay some things with sharp edges over it."""
    height, width = light.shape[:2]
    rows, columns = np.ogrid[:height, :width]
    for _ in range(12):
        middle, radii = random.random(2) * (height, width), (random.random(2) * 0.12 + 0.02) * (height, width)
        inside = ((rows - middle[0]) / radii[0]) ** 2 + ((columns - middle[1]) / radii[1]) ** 2 < 1
        light[inside] = light[inside] * 0.4 + random.integers(0, 160, 3).astype(np.float32)


def saved(count: int) -> Path:
    """Return a folder of photographs `N.jpg`, kept from bench to bench since they take a minute to make."""
    source = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:8]
    folder = Path(tempfile.gettempdir()) / f"witbuild-photographs-{count}-{source}"
    folder.mkdir(exist_ok=True)
    for path, number in ((folder / f"{number}.jpg", number) for number in range(count)):
        if not path.exists():
            path.with_suffix(".new").write_bytes(photograph(number))
            path.with_suffix(".new").rename(path)
    return folder
