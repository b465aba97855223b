"""The index of the tars of a training, on disk: made once, by many processes, then looked into without being read.

    tar ─ walk, tokenise ─> parts/000000.npz ┐
    tar ─ walk, tokenise ─> parts/000001.npz ┴─ end to end ─> shard offset size ids ends .npy, and index.json, last

The arrays are mapped into memory: 400 million pairs take 28 GB of disk (16 bytes for the image, 8 for the end of the
caption, 2 a token id), and of each step only what it shows is read.
"""

from __future__ import annotations

import hashlib
import json
import shutil
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import partial
from multiprocessing import get_context
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from witbuild.io import store
from witbuild.train.captions import Captions, tokenise
from witbuild.train.index import Images, images, nothing, read_tar

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt

ARRAYS = {"shard": np.int32, "offset": np.int64, "size": np.int32, "ids": np.uint16, "ends": np.int64}
LABELS = {"labels": np.int64}
"""Beside them when labels are asked for: a hash of each pair's label, 0 for none."""
FEW = 4
"""Tars for which no further process is started."""


@dataclass(frozen=True)
class Index:
    """Images and captions of all pairs, sorted by tar, and how many samples were left out for which reason."""

    images: Images
    captions: Captions
    dropped: dict[str, int]
    labels: npt.NDArray[np.int64] | None = None
    """A number for each pair's label, 0 for none; none: they were not asked for."""

    def counts(self, tars: Sequence[int]) -> list[int]:
        """Return how many pairs the first so many tars have, then the next so many, ..."""
        edges = np.searchsorted(self.images.shard, np.cumsum(tars))
        return [int(count) for count in np.diff(edges, prepend=0)]


def indexed(  # noqa: PLR0913 what is read of a tar
    paths: Sequence[str],
    folder: Path,
    *,
    context_length: int,
    caption_key: str = "",
    label_key: str = "",
    workers: int = 1,
) -> Index:
    """Return the index of some tars; it is made unless the folder holds it.

    Args:
        paths: of tars.
        folder: of the index, local.
        context_length: most token ids of a caption.
        caption_key: see `read_pairs`.
        label_key: see `read_tar`.
        workers: processes that make it.

    Raises:
        EmptyError: no sample has an image and a caption.
        InputError: a tar cannot be read.
    """
    sizes = [[path, store.size(path)] for path in paths]
    keys: dict[str, Any] = {"context_length": context_length, "caption_key": caption_key, "label_key": label_key}
    wanted = {"tars": sizes, **keys, "format": 1}
    if _read(folder).get("of") != wanted:
        _make(paths, folder, partial(_part, **keys), wanted, workers)
    arrays = {name: np.load(folder / f"{name}.npy", mmap_mode="r") for name in _kinds(labelled=bool(label_key))}
    images = Images(tuple(paths), arrays["shard"], arrays["offset"], arrays["size"])
    return Index(images, Captions(arrays["ids"], arrays["ends"]), _read(folder)["dropped"], arrays.get("labels"))


def _kinds(*, labelled: bool) -> dict[str, Any]:
    return ARRAYS | LABELS if labelled else ARRAYS


def _read(folder: Path) -> dict[str, Any]:
    path = folder / "index.json"
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {}
    return found


def _make(paths: Sequence[str], folder: Path, part: _PartOf, wanted: dict[str, Any], workers: int) -> None:
    (folder / "parts").mkdir(parents=True, exist_ok=True)
    jobs = [_Job(number, path, folder / "parts" / f"{number:06d}.npz") for number, path in enumerate(paths)]
    if len(jobs) <= FEW or workers == 1:
        done = list(map(part, jobs))
    else:
        with ProcessPoolExecutor(workers, mp_context=get_context("spawn")) as pool:
            done = list(pool.map(part, jobs, chunksize=max(1, len(jobs) // (8 * workers))))
    dropped = sum((found.dropped for found in done), Counter[str]())
    pairs, ids = (sum(getattr(found, name) for found in done) for name in ("pairs", "ids"))
    if not pairs:
        raise nothing(len(paths), dropped)
    _join([job.file for job in jobs], folder, _kinds(labelled=bool(wanted["label_key"])), pairs, ids)
    store.commit_bytes(str(folder / "index.json"), json.dumps({"of": wanted, "dropped": dropped}).encode())
    shutil.rmtree(folder / "parts")


class _Job(NamedTuple):
    number: int
    path: str
    file: Path


class _Done(NamedTuple):
    pairs: int
    ids: int
    dropped: Counter[str]


_PartOf = Callable[[_Job], _Done]


def _part(job: _Job, *, context_length: int, caption_key: str, label_key: str) -> _Done:
    """Index one tar into a file."""
    found = read_tar(job.path, caption_key, label_key)
    where = images([job.path], [(0, extent) for extent in found.extents])
    captions = tokenise(found.captions, context_length)
    shard = np.full(len(where), job.number, np.int32)
    arrays: dict[str, Any] = {
        "shard": shard,
        "offset": where.offset,
        "size": where.size,
        "ids": captions.ids,
        "ends": captions.ends,
    }
    if label_key:
        arrays["labels"] = np.array([number_of(label) for label in found.labels], np.int64)
    np.savez(job.file, **arrays)
    return _Done(len(where), len(captions.ids), found.dropped)


def number_of(label: str) -> int:
    """Return a number of 64 bits, signed, for a label: 0 for the empty one.

    Example:
        >>> number_of(""), number_of("dog") == number_of("dog"), number_of("dog") == number_of("cat")
        (0, True, False)
    """
    digest = hashlib.blake2b(label.encode(), digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) | 1 if label else 0


def _join(files: Sequence[Path], folder: Path, kinds: dict[str, Any], pairs: int, ids: int) -> None:
    """Write the arrays of all parts end to end."""
    counts = {name: ids if name == "ids" else pairs for name in kinds}
    arrays = {
        name: np.lib.format.open_memmap(folder / f"{name}.npy", "w+", kind, (counts[name],))
        for name, kind in kinds.items()
    }
    places = dict.fromkeys(kinds, 0)
    for file in files:
        with np.load(file) as part:
            offset = places["ids"]
            for name, array in arrays.items():
                content = part[name] + offset if name == "ends" else part[name]
                array[places[name] : places[name] + len(content)] = content
                places[name] += len(content)
    for array in arrays.values():
        array.flush()
