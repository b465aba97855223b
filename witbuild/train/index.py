"""Where every image and caption of some tars lies: one walk over their headers, then random access.

tars ─ index ─> shard, offset, size of the image member of each sample      (arrays, 16 bytes a sample)
             └> captions, tokenised once ─> token ids end to end and where each caption ends
"""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from witbuild.errors import EmptyError
from witbuild.io import tars

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    import numpy.typing as npt

    from witbuild.io.tars import Extent, Sample

IMAGES = ("jpg", "jpeg", "png", "webp", "gif")
"""Extensions of an image member, the first that a sample has counts; before them may stand a name: `img.jpg`."""
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


class TarPairs(NamedTuple):
    """Where a tar's images lie, their captions, their labels if asked for, and how many samples were left out why."""

    extents: list[Extent]
    captions: list[str]
    labels: list[str]
    dropped: Counter[str]


def image_member(sample: Sample) -> Extent | None:
    """Return where a sample's image lies, or None when it has none."""
    kinds = {name.rpartition(".")[2].lower(): name for name in reversed(list(sample.members))}
    return next((sample.members[kinds[kind]] for kind in IMAGES if kind in kinds), None)


def read_pairs(paths: Sequence[str], caption_key: str = "") -> Pairs:
    """Walk tars of WebDataset samples and read their captions.

    Args:
        paths: of the tars.
        caption_key: field of the member json that holds the caption; "": the member txt, or else the field caption or
            text of json.

    Raises:
        EmptyError: no sample has an image and a caption.
        InputError: a tar cannot be read.
    """
    read = [read_tar(path, caption_key) for path in paths]
    dropped = sum((found.dropped for found in read), Counter[str]())
    rows = [(shard, extent) for shard, found in enumerate(read) for extent in found.extents]
    if not rows:
        raise nothing(len(paths), dropped)
    return Pairs(images(paths, rows), [caption for found in read for caption in found.captions], dict(dropped))


def nothing(count: int, dropped: Mapping[str, int]) -> EmptyError:
    """Return the error of tars without a pair."""
    return EmptyError(f"{count} tars hold no sample with an image and a caption: {dict(dropped)}")


def read_tar(path: str, caption_key: str = "", label_key: str = "") -> TarPairs:
    """Walk one tar, as `read_pairs` does; there may be nothing in it.

    Args:
        path: of the tar.
        caption_key: see `read_pairs`.
        label_key: member, or field of json, that holds the label; a sample without one has the label "".
    """
    found = TarPairs([], [], [], Counter())
    samples = tars.index(path)
    for sample, caption in zip(samples, _captions(path, samples, caption_key), strict=True):
        image = image_member(sample)
        if image is None or not caption:
            found.dropped["no_image" if image is None else "no_caption"] += 1
        else:
            found.extents.append(image)
            found.captions.append(caption)
            if label_key:
                found.labels.append(label(path, sample, label_key))
    return found


def label(path: str, sample: Sample, *keys: str) -> str:
    """Return a sample's label as text, "" when it has none.

    Args:
        path: of the tar.
        sample: in it.
        keys: names of a member, the first of them, and of fields of json.
    """
    if extent := sample.members.get(keys[0]):
        return tars.read(path, extent).decode(errors="replace").strip()
    if not (extent := sample.members.get("json")):
        return ""
    try:
        record = json.loads(tars.read(path, extent))
    except (ValueError, RecursionError):
        return ""
    values = (record.get(name) for name in keys) if isinstance(record, dict) else ()
    return next((str(value) for value in values if value is not None), "")


def images(paths: Sequence[str], rows: Sequence[tuple[int, Extent]]) -> Images:
    """Return images from (number of the tar, extent) rows."""
    table = np.array([(shard, *extent) for shard, extent in rows], np.int64).reshape(-1, 3)
    return Images(tuple(paths), table[:, 0].astype(np.int32), table[:, 1], table[:, 2].astype(np.int32))


def _captions(path: str, samples: Iterable[Sample], caption_key: str) -> Iterator[str]:
    """Yield the caption of each sample, "" for one that has none."""
    samples = list(samples)
    wanted = ("json",) if caption_key else ("txt", "json")
    kinds = [next((kind for kind in wanted if kind in sample.members), "") for sample in samples]
    extents = [sample.members[kind] for sample, kind in zip(samples, kinds, strict=True) if kind]
    contents = iter(tars.read_many(path, extents))
    for kind in kinds:
        content = next(contents) if kind else b""
        yield (caption_field(content, caption_key) if kind == "json" else content.decode(errors="replace")).strip()


def caption_field(content: bytes, caption_key: str = "") -> str:
    """Return the caption in a json member, "" when there is none.

    Example:
        >>> content = b'{"alt": "a dog", "text": "b"}'
        >>> caption_field(content, "alt"), caption_field(content), caption_field(b"{")
        ('a dog', 'b', '')
    """
    try:
        record = json.loads(content)
    except (ValueError, RecursionError):
        return ""
    names = (caption_key,) if caption_key else _FIELDS
    found = (record.get(name) for name in names) if isinstance(record, dict) else ()
    return next((text for text in found if isinstance(text, str)), "")
