"""Where every image and caption of some tars lies: one walk over their headers, then random access.

tars ─ index ─> shard, offset, size of the image member of each sample      (arrays, 16 bytes a sample)
             └> captions, tokenised once ─> token ids end to end and where each caption ends
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from witbuild.errors import EmptyError
from witbuild.io import tars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    import numpy.typing as npt

    from witbuild.io.tars import Extent, Sample

IMAGES = ("jpg", "jpeg", "png", "webp")
"""Extensions of an image member, the first that a sample has counts."""
_FIELDS = ("caption", "text")


@dataclass(frozen=True)
class Images:
    """Where images lie: in which of the tars, from which byte, how many bytes; three arrays of n."""

    paths: tuple[str, ...]
    shard: npt.NDArray[np.int32]
    offset: npt.NDArray[np.int64]
    size: npt.NDArray[np.int32]

    def __len__(self) -> int:
        return len(self.shard)


@dataclass(frozen=True)
class Pairs:
    """Images, their captions, and how many samples were left out for which reason."""

    images: Images
    captions: list[str]
    dropped: dict[str, int]


def image_member(sample: Sample) -> Extent | None:
    """Return where a sample's image lies, or None when it has none."""
    return next((sample.members[name] for name in IMAGES if name in sample.members), None)


def read_pairs(paths: Sequence[str]) -> Pairs:
    """Walk tars of WebDataset samples and read their captions: the member txt, or the field caption or text of json.

    Raises:
        EmptyError: no sample has an image and a caption.
        InputError: a tar cannot be read.
    """
    dropped: Counter[str] = Counter()
    rows: list[tuple[int, Extent]] = []
    captions: list[str] = []
    for shard, path in enumerate(paths):
        samples = tars.index(path)
        for sample, caption in zip(samples, _captions(path, samples), strict=True):
            image = image_member(sample)
            if image is None or not caption:
                dropped["no_image" if image is None else "no_caption"] += 1
            else:
                rows.append((shard, image))
                captions.append(caption)
    if not rows:
        raise EmptyError(f"{len(paths)} tars hold no sample with an image and a caption: {dict(dropped)}")
    return Pairs(images(paths, rows), captions, dict(dropped))


def images(paths: Sequence[str], rows: Sequence[tuple[int, Extent]]) -> Images:
    """Return images from (number of the tar, extent) rows."""
    table = np.array([(shard, *extent) for shard, extent in rows], np.int64).reshape(-1, 3)
    return Images(tuple(paths), table[:, 0].astype(np.int32), table[:, 1], table[:, 2].astype(np.int32))


def _captions(path: str, samples: Iterable[Sample]) -> Iterator[str]:
    """Yield the caption of each sample, "" for one that has none."""
    samples = list(samples)
    kinds = [next((kind for kind in ("txt", "json") if kind in sample.members), "") for sample in samples]
    extents = [sample.members[kind] for sample, kind in zip(samples, kinds, strict=True) if kind]
    contents = iter(tars.read_many(path, extents))
    for kind in kinds:
        content = next(contents) if kind else b""
        yield (_field(content) if kind == "json" else content.decode(errors="replace")).strip()


def _field(content: bytes) -> str:
    """Return the caption in a json member, "" when there is none."""
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    found = (record.get(name) for name in _FIELDS) if isinstance(record, dict) else ()
    return next((text for text in found if isinstance(text, str)), "")
