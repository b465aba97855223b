"""Read a data set with one of the field's readers, in a process of its own, and print a line of JSON a sample.

python read_with.py webdataset   'data/train-{00000..00003}-of-00004.tar'
python read_with.py open_clip    'data/train-{00000..00003}-of-00004.tar' 'data/val-{00000..00000}-of-00001.tar'
python read_with.py datasets     FOLDER  stream | download | rows
python read_with.py mlcroissant  FOLDER/croissant.json
"""

from __future__ import annotations

import hashlib
import json
import sys
from argparse import Namespace
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

Line = dict[str, Any]


def digest(image: Any) -> str:
    return hashlib.sha256(np.asarray(image, np.uint8).tobytes()).hexdigest()


def webdataset(pattern: str) -> Iterator[Line]:
    import webdataset as wds

    for one in wds.WebDataset(pattern, shardshuffle=False).decode("rgb8"):
        yield {"key": one["__key__"], "text": one["txt"], "record": one["json"], "pixels": digest(one["jpg"])}


def open_clip(train: str, val: str) -> Iterator[Line]:
    """What sizes.json says, every sample of val, and an epoch of train in batches of one, so that it is whole."""
    from open_clip_train import data

    numbers = {"batch_size": 1, "workers": 0, "seed": 0, "world_size": 1, "train_num_samples": None}
    others = {"train_data_upsampling_factors": None, "dataset_resampled": False}
    held = data.get_dataset_size(val)[0]
    arguments = Namespace(train_data=train, val_data=val, val_num_samples=held, **numbers, **others)
    yield {"train": data.get_dataset_size(train), "val": held}
    for is_train in (False, True):
        info = data.get_wds_dataset(arguments, np.asarray, is_train=is_train, tokenizer=lambda text: [text])
        for images, texts in info.dataloader:
            for image, text in zip(images, texts, strict=True):
                yield {"split": "train" if is_train else "val", "text": text, "pixels": digest(image)}


def datasets(folder: str, how: str) -> Iterator[Line]:
    """Read tars, or parquet files when `how` is rows; a cache of its own keeps earlier answers away."""
    import tempfile

    from datasets import Image, load_dataset

    rows = how == "rows"
    with tempfile.TemporaryDirectory() as cache:
        loaded = load_dataset(folder, streaming=how == "stream", cache_dir=cache)
        for name, split in loaded.items():
            if not isinstance(split.features["image" if rows else "jpg"], Image):
                raise TypeError(split.features)
            for one in split:
                yield {"split": name, **(_row(one) if rows else _members(one))}


def _row(one: dict[str, Any]) -> Line:
    record = {name: value for name, value in one.items() if name != "image"}
    return {"key": one["key"], "text": one["caption"], "record": record, "pixels": digest(one["image"])}


def _members(one: dict[str, Any]) -> Line:
    return {"key": one["__key__"], "text": one["txt"], "record": one["json"], "pixels": digest(one["jpg"])}


def mlcroissant(path: str) -> Iterator[Line]:
    """What validation found, then every record."""
    import mlcroissant as mlc

    dataset = mlc.Dataset(path)
    issues = dataset.metadata.ctx.issues
    yield {"errors": sorted(issues.errors), "warnings": sorted(issues.warnings)}
    for record in dataset.records("samples"):
        one = {name.removeprefix("samples/"): value for name, value in record.items()}
        texts = {name: one[name].decode() for name in ("key", "caption", "url", "licence")}
        yield {**texts, "pixels": digest(one["image"])}


if __name__ == "__main__":
    readers: dict[str, Callable[..., Iterator[Line]]] = {
        "webdataset": webdataset,
        "open_clip": open_clip,
        "datasets": datasets,
        "mlcroissant": mlcroissant,
    }
    for line in readers[sys.argv[1]](*sys.argv[2:]):
        sys.stdout.write(json.dumps(line) + "\n")
