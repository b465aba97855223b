"""What fetch leaves, made here: pairs in parts, and the tars that hold their images."""

from __future__ import annotations

import hashlib
import io
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from witbuild.io import tables, tars
from witbuild.schema import PAIRS, QUERIES
from witbuild.text.keys import pair_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from pathlib import Path

WORDS = ("red", "green", "blue", "grey", "dog", "square", "circle", "boat")


@dataclass(frozen=True)
class Fetched:
    """A pair and the image that was stored for it; None: it was not fetched."""

    url: str
    caption: str
    image: bytes | None
    more: dict[str, Any] = field(default_factory=dict)

    @property
    def key(self) -> str:
        return pair_key(self.url, self.caption)

    def row(self, part: int, offset: int) -> dict[str, Any]:
        queries = [i for i, word in enumerate(WORDS) if word in self.caption.split()]
        row: dict[str, Any] = {
            "key": self.key,
            "url": self.url,
            "caption": self.caption,
            "caption_source": "alt",
            "source": "site",
        }
        row |= {"query_ids": queries}
        if self.image is not None:
            row |= {"image_part": part, "image_offset": offset, "image_bytes": len(self.image), "image_format": "jpg"}
            row |= {"pixel_sha256": hashlib.sha256(self.image).hexdigest(), "width": 8, "height": 8}
            row |= {"original_sha256": hashlib.sha256(b"original " + self.image).hexdigest()}
        return row | self.more


def jpeg(number: int, side: int = 8) -> bytes:
    """A real JPEG, other for every number."""
    from PIL import Image

    pixels = np.random.default_rng(number).integers(0, 256, (side, side, 3), np.uint8)
    stream = io.BytesIO()
    Image.fromarray(pixels).save(stream, "JPEG")
    return stream.getvalue()


def some(count: int, side: int = 8) -> list[Fetched]:
    """Pairs with an image each, two words of caption each."""
    names = [f"{WORDS[i % 4]} {WORDS[4 + i // 4 % 4]} {i}" for i in range(count)]
    return [Fetched(f"http://a.test/{i}.jpg", name, jpeg(i, side)) for i, name in enumerate(names)]


def save(folder: Path, parts: Iterable[Sequence[Fetched]]) -> dict[str, str]:
    """Write pairs, images and queries as a run would; return the recipe's inputs."""
    for name in ("pairs", "images", "queries"):
        (folder / name).mkdir(parents=True)
    for index, part in enumerate(parts):
        with (folder / "images" / f"{index:05d}.tar").open("wb") as stream, tars.TarWriter(stream) as tar:
            offsets = [tar.add(f"{number:06d}.jpg", one.image or b"") for number, one in enumerate(part)]
        rows = [one.row(index, offset) for one, offset in zip(part, offsets, strict=True)]
        tables.write(folder / "pairs" / f"{index:05d}.parquet", tables.from_rows(rows, PAIRS), dropped={})
    queries = [{"query_id": i, "query": word, "source": "word", "rank": i} for i, word in enumerate(WORDS)]
    tables.write(folder / "queries" / "00000.parquet", tables.from_rows(queries, QUERIES), dropped={})
    return {name: str(folder / name) for name in ("pairs", "images", "queries")}
