"""Tars of plain pictures: a coloured disc or square with its caption, labelled by its class."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
from PIL import Image, ImageDraw

from witbuild.io.tars import TarWriter

COLOURS = {"red": (214, 34, 38), "blue": (38, 84, 214), "green": (34, 150, 62), "yellow": (246, 214, 36)}
SHAPES = ("disc", "square")
CLASSES = [f"{colour} {shape}" for colour in COLOURS for shape in SHAPES]


def picture(name: str, random: np.random.Generator, width: int = 40, height: int = 40) -> bytes:
    """A JPEG of a class, somewhere on a light background."""
    colour, shape = name.split()
    image = Image.new("RGB", (width, height), tuple(random.integers(225, 255, 3).tolist()))
    radius = random.uniform(7, 11)
    x, y = random.uniform(13, width - 13), random.uniform(13, height - 13)
    draw = ImageDraw.Draw(image)
    box = (x - radius, y - radius, x + radius, y + radius)
    (draw.ellipse if shape == "disc" else draw.rectangle)(box, fill=COLOURS[colour])
    stream = io.BytesIO()
    image.save(stream, "JPEG", quality=92)
    return stream.getvalue()


def tar(path: Path, samples: list[dict[str, bytes]]) -> str:
    """Write samples, members by extension, under counted keys."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with path.open("wb") as stream, TarWriter(stream) as writer:
        for number, members in enumerate(samples):
            for extension in sorted(members):
                writer.add(f"{number:06d}.{extension}", members[extension])
    return str(path)


def captioned(path: Path, count: int, seed: int = 0) -> str:
    random = np.random.default_rng(seed)
    names = [CLASSES[i] for i in random.integers(0, len(CLASSES), count)]
    return tar(path, [{"jpg": picture(name, random), "txt": f"a {name} on paper".encode()} for name in names])


def labelled(path: Path, count: int, seed: int = 1) -> str:
    random = np.random.default_rng(seed)
    names = [CLASSES[i % len(CLASSES)] for i in range(count)]
    return tar(path, [{"jpg": picture(name, random), "cls": name.encode()} for name in names])
