"""The scores of a model: what `eval` measures, set by set.

labelled set ── one pass ──> scores of classes ──> accuracy, by group; which categories of labels
                         └─> features before the projection ──> linear probe, few-shot
shifted sets ──> accuracy beside the reference's, effective robustness
pairs ──> retrieval
"""

from __future__ import annotations

from dataclasses import dataclass
from statistics import fmean, pstdev
from typing import TYPE_CHECKING, NamedTuple

import torch

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.train import export, fewshot, labelled, probe, robustness, subgroups
from witbuild.train.device import choose, cores
from witbuild.train.encoder import Encoder
from witbuild.train.index import read_pairs
from witbuild.train.predictor import Predictor
from witbuild.train.zeroshot import hits_of, recall

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from torch import Tensor

    from witbuild.train.evaluation import Eval
    from witbuild.train.labelled import Labelled
    from witbuild.train.subgroups import LabelSet

TEMPLATE = "a photo of a {}."
_TOP = (1, 5)
_NEAREST = (1, 5, 10)


class Score(NamedTuple):
    """A row of schema.SCORES."""

    task: str
    metric: str
    value: float
    samples: int
    group: str = ""
    deviation: float | None = None


@dataclass(frozen=True)
class Judged:
    """A labelled set as a model sees it: only images that decode; labels and features on the model's device.

    Attributes:
        data: the set.
        numbers: of the images, n of them.
        labels: int64 of shape (n,).
        classes: a score for each class, (n, C).
        chosen: for each set of labels the numbers of those chosen, int64 of shape (n,).
        features: before the projection, (n, D); without probes (n, 0).
    """

    data: Labelled
    numbers: list[int]
    labels: Tensor
    classes: Tensor
    chosen: list[Tensor]
    features: Tensor

    @property
    def keys(self) -> list[str]:
        """The images' keys."""
        return [self.data.keys[number] for number in self.numbers]

    def accuracy(self, places: Sequence[int] | None = None) -> float:
        """Return the share of images, or of some of them, whose class is named."""
        wanted = slice(None) if places is None else places
        return hits_of(self.classes[wanted], self.labels[wanted], (1,))[0]


class Measures:
    """Everything that is measured of one model."""

    def __init__(self, stage: Eval, encoder: Encoder, untrained: Encoder) -> None:
        self.stage, self.encoder, self.untrained = stage, encoder, untrained
        self.names = labelled.lines(stage.classes) if stage.classes else []
        self.templates = labelled.lines(stage.templates) if stage.templates else [TEMPLATE]
        self.label_sets = [subgroups.read_labels(path) for path in stage.label_sets]
        self.groups = subgroups.read_groups(stage.groups) if stage.groups else {}
        self.baselines = robustness.read_baselines(stage.baselines) if stage.baselines else {}

    def judged(self, path: str, *, label_sets: Sequence[LabelSet] = (), features: bool = False) -> Judged:
        """Look at a labelled set once."""
        data, encoder = labelled.read(path, self.names), self.encoder
        judges = [encoder.judge(names, self.templates) for names in (data.names, *(one.labels for one in label_sets))]
        probed = encoder.probed_features if features else _nothing
        (classes, *others, vectors), numbers = encoder.over(data.images, *judges, probed)
        labels = torch.from_numpy(data.labels[numbers]).to(encoder.device)
        return Judged(data, numbers, labels, classes, [one.argmax(dim=1) for one in others], vectors)

    def rows(self, sources: Mapping[str, tuple[str, ...]]) -> Iterator[Score]:
        """Yield all scores."""
        stage = self.stage
        sets = [self.judged(path, label_sets=self.label_sets, features=bool(stage.fit)) for path in stage.data]
        for judged in sets:
            yield from self.zero_shot(judged)
            yield from self.by_group(judged)
            yield from self.by_category(judged)
        for number, judged in enumerate(sets if stage.fit else ()):
            yield from self.probes(judged, stage.fit[number] if len(stage.fit) > 1 else stage.fit[0])
        for path in stage.shifted:
            yield from self.shift(sets[0], self.judged(path))
        pairs = [tar for path in stage.retrieval for tar in store.expand(path)] or list(sources.get("tars", ()))
        if pairs and not isinstance(self.encoder.model, Predictor):
            yield from retrieve(pairs, self.encoder)

    def zero_shot(self, judged: Judged) -> Iterator[Score]:
        """Yield accuracy@1 and @5, that of guessing, and that of the weights before training."""
        data, count = judged.data, len(judged.numbers)
        top, top5 = hits_of(judged.classes, judged.labels, _TOP)
        (before,), _ = self.untrained.over(data.images, self.untrained.judge(data.names, self.templates))
        yield Score(data.task, "accuracy", top, count)
        yield Score(data.task, "accuracy@5", top5, count)
        yield Score(data.task, "chance", 1 / len(data.names), count)
        yield Score(data.task, "untrained", hits_of(before, judged.labels, (1,))[0], count)

    def by_group(self, judged: Judged) -> Iterator[Score]:
        """Yield the accuracy of each group."""
        for group, places in subgroups.places(judged.keys, self.groups):
            yield Score(judged.data.task, "accuracy", judged.accuracy(places), len(places), group)

    def by_category(self, judged: Judged) -> Iterator[Score]:
        """Yield for each set of labels which share of images got a label of each category, over all and by group."""
        parts = [("", list(range(len(judged.numbers)))), *subgroups.places(judged.keys, self.groups)]
        for labels, chosen in zip(self.label_sets, judged.chosen, strict=True):
            given = [labels.categories[number] for number in chosen.tolist()]
            for category in dict.fromkeys(labels.categories):
                for group, places in parts:
                    share = sum(given[place] == category for place in places) / len(places)
                    yield Score(f"{judged.data.task}/{labels.name}", f"labelled {category}", share, len(places), group)

    def probes(self, judged: Judged, path: str) -> Iterator[Score]:
        """Yield the accuracy of linear probes fitted on another set: on all of it, and on a few images a class."""
        train, stage, task = self.fitted(path, judged), self.stage, judged.data.task
        labels, classes, keys = train.labels.tolist(), len(judged.data.names), train.keys
        held = torch.tensor(fewshot.held_back(keys, labels, seed=stage.seed), device=train.labels.device)
        best, strength = probe.swept(train.features, train.labels, classes, held, stage.probe_iterations)
        yield Score(task, "linear probe", best.accuracy(judged.features, judged.labels), len(judged.numbers))
        yield Score(task, "linear probe lambda", strength, len(train.numbers))
        fewest = min(labels.count(number) for number in set(labels))
        for shots in (shots for shots in stage.shots if shots <= fewest):
            found = []
            for draw in range(stage.draws):
                few = fewshot.drawn(keys, labels, shots, seed=stage.seed, draw=draw)
                fit = probe.fit(train.features[few], train.labels[few], classes, 1.0, stage.probe_iterations)
                found.append(fit.accuracy(judged.features, judged.labels))
            yield Score(task, f"{shots}-shot", fmean(found), len(judged.numbers), deviation=pstdev(found))

    def fitted(self, path: str, judged: Judged) -> Judged:
        """Look at the set that probes of another are fitted on, of the same classes."""
        train = self.judged(path, features=True)
        if train.data.names != judged.data.names:
            raise InputError(
                f"{path}: its {len(train.data.names)} classes are not the {len(judged.data.names)} of "
                f"{judged.data.task}; name a file of all of them: `classes`"
            )
        return train

    def shift(self, reference: Judged, shifted: Judged) -> Iterator[Score]:
        """Yield the accuracy on a shifted set, how much that is less, and the effective robustness."""
        tasks, count = (reference.data.task, shifted.data.task), len(shifted.numbers)
        before, after = reference.accuracy(), shifted.accuracy()
        yield Score(tasks[1], "accuracy", after, count)
        yield Score(tasks[1], f"accuracy minus {tasks[0]}", after - before, count)
        if self.baselines:
            value = robustness.effective(self.baselines, tasks, (before, after))
            yield Score(tasks[1], "effective robustness", value, count)


def _nothing(pixels: Tensor) -> Tensor:
    return pixels.new_empty(len(pixels), 0)


def evaluate(stage: Eval, sources: Mapping[str, tuple[str, ...]]) -> list[dict[str, object]]:
    """Return the rows of schema.SCORES."""
    device, workers = choose(stage.device, stage.threads), stage.decode_threads or cores()
    config, seed = export.read_config(sources["config"][0])
    encoder = Encoder(export.read_model(config, sources["model"][0]).to(device), config, workers)
    measures = Measures(stage, encoder, encoder.untrained(seed))
    return [score._asdict() for score in measures.rows(sources)]


def retrieve(paths: Sequence[str], encoder: Encoder) -> Iterator[Score]:
    """Yield recall@1, @5 and @10 of finding each image's caption and each caption's image among all of them."""
    pairs = read_pairs(paths)
    (images,), numbers = encoder.over(pairs.images, encoder.image_features)
    texts = encoder.text_features([pairs.captions[number] for number in numbers])
    for task, queries, gallery in (("image to text", images, texts), ("text to image", texts, images)):
        for k, value in zip(_NEAREST, recall(queries, gallery, _NEAREST), strict=True):
            yield Score(task, f"recall@{k}", value, len(numbers))
        yield Score(task, "chance", 1 / len(numbers), len(numbers))
