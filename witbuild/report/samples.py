"""A grid of samples out of the tars: what is really in them, chosen by coin and not by hand."""

from __future__ import annotations

import base64
import io
import json
import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING

import pyarrow as pa

from witbuild.io import tars
from witbuild.sample.coins import coins

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from witbuild.io.tars import Sample

_FORMATS = ("JPEG", "PNG", "WEBP")
_SIDE = 280
_MOST_PIXELS = 50_000_000
_IMAGES = ("jpg", "png", "webp")


@dataclass(frozen=True)
class Tile:
    """A sample as the page shows it."""

    caption: str
    queries: Sequence[str]
    source: str
    page_url: str
    image: str | None
    """A data URI of a JPEG that was encoded here; None: the image cannot be read."""
    width: int
    height: int


def choose(paths: Iterable[str], count: int, seed: int = 0) -> list[Tile]:
    """Return some samples of a run's tars.

    The tars are shuffled as a whole, so the first of them is a fair draw of them all: no more tars are read than
    hold `count` samples; among their samples the coin decides.
    """
    places: list[tuple[str, Sample]] = []
    for path in paths:
        places += [(path, sample) for sample in tars.index(path) if "json" in sample.members]
        if len(places) >= count:
            break
    order = coins(pa.array([_coin_key(sample.key) for _, sample in places], pa.string()), seed=seed, what="report")
    return [_tile(*places[place]) for place in order.argsort(kind="stable")[:count]]


def _coin_key(key: str) -> str:
    """Return the key as a coin takes it: tars from elsewhere have other keys than ours."""
    return key.encode().hex()[-32:].rjust(32, "0")


def _tile(path: str, sample: Sample) -> Tile:
    record = _record(tars.read(path, sample.members["json"]))
    extension = next((name for name in _IMAGES if name in sample.members), None)
    image = None if extension is None else thumbnail(tars.read(path, sample.members[extension]))
    queries = record.get("queries")
    return Tile(
        caption=str(record.get("caption", "")),
        queries=[str(query) for query in queries] if isinstance(queries, list) else [],
        source=str(record.get("source", "")),
        page_url=str(record.get("page_url", "")),
        image=image,
        width=_integer(record.get("width")),
        height=_integer(record.get("height")),
    )


def _record(content: bytes) -> dict[str, object]:
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return {}
    return record if isinstance(record, dict) else {}


def _integer(value: object) -> int:
    return value if isinstance(value, int) else -1


def thumbnail(content: bytes) -> str | None:
    """Return a small JPEG of an image as a data URI, decoded and encoded anew; None when it cannot be read."""
    from PIL import Image

    broken = (OSError, ValueError, SyntaxError, MemoryError, OverflowError, NotImplementedError, RuntimeError)
    bombs = (Image.DecompressionBombError, Image.DecompressionBombWarning)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            warnings.simplefilter("error", Image.DecompressionBombWarning)
            return _encoded(content)
    except (*broken, *bombs):
        return None


def _encoded(content: bytes) -> str | None:
    from PIL import Image

    with Image.open(io.BytesIO(content), formats=_FORMATS) as image:
        if image.width * image.height > _MOST_PIXELS:
            return None
        image.draft("RGB", (_SIDE, _SIDE))
        small = image.convert("RGB")
        small.thumbnail((_SIDE, _SIDE))
        small.info = {}  # else Pillow would write the comment of the original into the copy
    stream = io.BytesIO()
    small.save(stream, "JPEG", quality=82)
    return f"data:image/jpeg;base64,{base64.b64encode(stream.getvalue()).decode()}"
