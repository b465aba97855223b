"""What a model is trained to do; `train`'s parameter `objective` names one of them.

            images ─> visual tower ┐
clip, siglip, unicl                ├─ every pair of the batch against every other ─> loss
            captions ─> text tower ┘

bow         images ─> visual tower ─ linear ─> which words stand in the caption
caption     images ─> visual tower's grid ─ decoder ─> the caption, word by word
virtex      the same in both directions, one layer deep

step.py, one folder up, says what an objective is, and has clip.
contrastive.py  unicl, siglip;  sigmoid.py  siglip's loss
predictive.py   bow, caption, virtex; their heads are in witbuild/train/heads.py and decoder.py
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from witbuild.train.objectives import contrastive, predictive
from witbuild.train.objectives.contrastive import Siglip, Unicl
from witbuild.train.objectives.predictive import Predictive
from witbuild.train.predictor import Predictor
from witbuild.train.step import Contrastive

if TYPE_CHECKING:
    from collections.abc import Callable

    from torch import nn

    from witbuild.train.captions import Captions
    from witbuild.train.step import Objective

OBJECTIVES: dict[str, Callable[[float], Objective]] = {
    "clip": Contrastive,
    "siglip": lambda _: Siglip(),
    "unicl": Unicl,
    "bow": lambda _: Predictive(),
    "caption": lambda _: Predictive(),
    "virtex": lambda _: Predictive(),
}
"""Name -> the objective with a weight of naming an image's text, where it has one."""
PREDICTIVE = ("bow", "caption", "virtex")


def configured(config: dict[str, Any], name: str, vocabulary: int) -> dict[str, Any]:
    """Return a model's configuration with what an objective wants of a model: a head, or first values."""
    if name in PREDICTIVE:
        return predictive.configured(config, name, vocabulary)
    return contrastive.configured(config, name)


def prepare(model: nn.Module, captions: Captions) -> None:
    """Let a new model see the captions it is going to be trained on: which words there are to predict."""
    if isinstance(model, Predictor):
        model.prepare(captions)
