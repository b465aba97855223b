"""The scores of a model: every labelled set and every set of pairs, beside chance and beside untrained weights."""

from __future__ import annotations

from contextlib import closing
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from witbuild.io import store
from witbuild.train import export, labelled
from witbuild.train.device import choose, cores
from witbuild.train.features import image_features, text_features
from witbuild.train.index import read_pairs
from witbuild.train.model import build, context_length, padded
from witbuild.train.pixels import Loader
from witbuild.train.zeroshot import classifier, hits, recall

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from torch import Tensor, nn

    from witbuild.train.index import Images
    from witbuild.train.labelled import Labelled
    from witbuild.train.stage import Eval

TEMPLATE = "a photo of a {}."
_TOP = (1, 5)
_NEAREST = (1, 5, 10)


@dataclass(frozen=True)
class Encoder:
    """A model on its device, and what it wants of images and texts."""

    model: nn.Module
    config: dict[str, Any]
    workers: int

    def images(self, images: Images) -> tuple[Tensor, list[int]]:
        """Return unit features of the images that decode, and their numbers."""
        size = self.config["vision_cfg"]["image_size"]
        with closing(Loader(images, size=size, side=size, workers=self.workers)) as loader:
            return image_features(self.model, loader, len(images))

    def texts(self, texts: Sequence[str]) -> Tensor:
        """Return unit features of texts."""
        return text_features(self.model, texts, context_length(self.config), padded=padded(self.config))


def evaluate(stage: Eval, sources: Mapping[str, tuple[str, ...]]) -> list[dict[str, object]]:
    """Return the rows of schema.SCORES."""
    device, workers = choose(stage.device, stage.threads), stage.decode_threads or cores()
    config, seed = export.read_config(sources["config"][0])
    trained = Encoder(export.read_model(config, sources["model"][0]).to(device), config, workers)
    untrained = Encoder(build(config, seed).to(device).eval(), config, workers)
    names = labelled.lines(stage.classes) if stage.classes else []
    templates = labelled.lines(stage.templates) if stage.templates else [TEMPLATE]
    rows = []
    for path in stage.data:
        rows += classify(labelled.read(path, names), templates, trained, untrained)
    pairs = [tar for path in stage.retrieval for tar in store.expand(path)] or list(sources.get("tars", ()))
    return rows + (retrieve(pairs, trained) if pairs else [])


def classify(data: Labelled, templates: Sequence[str], trained: Encoder, untrained: Encoder) -> list[dict[str, object]]:
    """Return accuracy@1 and @5 of a labelled set, that of guessing, and that of the weights before training."""
    (top, top5), count = _accuracy(data, templates, trained)
    (before, _), _ = _accuracy(data, templates, untrained)
    values = {"accuracy": top, "accuracy@5": top5, "chance": 1 / len(data.names), "untrained": before}
    return [_row(data.task, metric, value, count) for metric, value in values.items()]


def _accuracy(data: Labelled, templates: Sequence[str], encoder: Encoder) -> tuple[list[float], int]:
    features, numbers = encoder.images(data.images)
    labels = torch.from_numpy(data.labels[numbers]).to(features.device)
    return hits(features, classifier(encoder.texts, data.names, templates), labels, _TOP), len(numbers)


def retrieve(paths: Sequence[str], encoder: Encoder) -> list[dict[str, object]]:
    """Return recall@1, @5 and @10 of finding each image's caption and each caption's image among all of them."""
    pairs = read_pairs(paths)
    images, numbers = encoder.images(pairs.images)
    texts = encoder.texts([pairs.captions[number] for number in numbers])
    rows = []
    for task, queries, gallery in (("image to text", images, texts), ("text to image", texts, images)):
        recalls = recall(queries, gallery, _NEAREST)
        rows += [_row(task, f"recall@{k}", value, len(numbers)) for k, value in zip(_NEAREST, recalls, strict=True)]
        rows.append(_row(task, "chance", 1 / len(numbers), len(numbers)))
    return rows


def _row(task: str, metric: str, value: float, samples: int) -> dict[str, object]:
    return {"task": task, "metric": metric, "value": value, "samples": samples}
