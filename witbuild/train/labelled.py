"""Labelled images to classify: tars of WebDataset samples with a member cls, or a folder of folders of images.

pets.tar        0a.jpg 0a.cls ("3" or "red ring")       or 0a.json with a field `cls`, `label` or `class`
pets/           red ring/1.jpg  red ring/2.jpg          the folder's name is the class
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from witbuild.errors import EmptyError, InputError
from witbuild.io import store, tars
from witbuild.io.tars import Extent
from witbuild.train.index import IMAGES, Images, image_member, images, label

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt


_FIELDS = ("cls", "label", "class")
_Found = tuple[list[str], list[tuple[int, Extent]], list[str], list[str]]
"""Files, where images lie in them, labels, keys."""


@dataclass(frozen=True)
class Labelled:
    """Images, the number of the class of each (int64 of shape (n,)), the classes' names, and each image's key.

    The key of a sample of a tar is its stem, that of an image in a folder its path below the folder of the set.
    """

    task: str
    images: Images
    labels: npt.NDArray[np.int64]
    names: tuple[str, ...]
    keys: tuple[str, ...]


def read(path: str, names: Sequence[str]) -> Labelled:
    """Read a labelled set.

    Args:
        path: a tar, a glob or a folder of tars, or a folder with a folder of images a class.
        names: of the classes in order; none: the names in the data, sorted.

    Raises:
        EmptyError: no labelled image.
        InputError: a label is no class.
    """
    found = store.expand(path)
    packed = [file for file in found if file.endswith(".tar")]
    loose = [file for file in found if _is_image(file)]
    paths, rows, labels, keys = _from_tars(packed) if packed else _from_folders(loose)
    if not rows:
        raise EmptyError(f"{path}: no labelled image; give tars with a member .cls, or a folder of images a class")
    if not names and all(one.isdecimal() for one in labels):
        raise InputError(f"{path}: the labels are numbers; name a file of class names, a line each: `classes`")
    known = tuple(names) or tuple(sorted(set(labels)))
    numbers = [_number(one, known, path) for one in labels]
    return Labelled(task_name(path), images(paths, rows), np.array(numbers, np.int64), known, tuple(keys))


def task_name(path: str) -> str:
    """Return what a labelled set is called: its file's or folder's name.

    Example:
        >>> task_name("/data/pets/"), task_name("pets-{0..3}.tar")
        ('pets', 'pets-{0..3}')
    """
    return path.rstrip("/").rsplit("/", 1)[-1].removesuffix(".tar")


def lines(path: str) -> list[str]:
    """Return the lines of a text file that are not empty."""
    return [line.strip() for line in store.read_bytes(path).decode().splitlines() if line.strip()]


def _is_image(file: str) -> bool:
    return Path(file).suffix[1:].lower() in IMAGES


def _from_folders(files: list[str]) -> _Found:
    rows = [(number, Extent(0, store.size(file))) for number, file in enumerate(files)]
    ends = [file.rsplit("/", 2)[-2:] for file in files]
    return files, rows, [folder for folder, _ in ends], ["/".join(end) for end in ends]


def _from_tars(paths: list[str]) -> _Found:
    rows, labels, keys = [], [], []
    for shard, path in enumerate(paths):
        for image, name, key in _labelled(path):
            rows.append((shard, image))
            labels.append(name)
            keys.append(key)
    return paths, rows, labels, keys


def _labelled(path: str) -> Iterator[tuple[Extent, str, str]]:
    """Yield the image, the label and the key of each sample that has both."""
    for sample in tars.index(path):
        image, name = image_member(sample), label(path, sample, *_FIELDS)
        if image is not None and name:
            yield image, name, sample.key


def _number(name: str, names: tuple[str, ...], path: str) -> int:
    """Return a class's number, given its name or its number."""
    if name in names:
        return names.index(name)
    if name.isdecimal() and int(name) < len(names):
        return int(name)
    raise InputError(f"{path}: label {name!r} is none of the {len(names)} classes; see the parameter `classes`")
