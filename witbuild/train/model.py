"""A two-tower model from its configuration: any of open_clip's, or one with encoders of ours.

The configuration is open_clip's `model_cfg`: embed_dim, vision_cfg, text_cfg. Where a tower is ours, its own section
says so: `text_cfg: {bag_of_words: {width: 64}}`, `vision_cfg: {image_size: 48, plain_conv: {width: 24}}`; open_clip
cannot load such a model, every other one it can.
"""

from __future__ import annotations

import copy
import json
import math
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

from witbuild.errors import RecipeError
from witbuild.train.towers import BagOfWords, PlainConvNet

if TYPE_CHECKING:
    from torch import Tensor

MEAN = (0.48145466, 0.4578275, 0.40821073)
STD = (0.26862954, 0.26130258, 0.27577711)
"""Of CLIP's pixels, 0 to 1; what open_clip normalises by."""

_FIRST = ("init_logit_scale", "init_logit_bias")

TINY: dict[str, Any] = {
    "embed_dim": 128,
    "vision_cfg": {"image_size": 48, "plain_conv": {"width": 24}},
    "text_cfg": {"context_length": 32, "bag_of_words": {"width": 64}},
}
"""The model `tiny`: learns pictures of plain shapes in about a minute on two cores."""
TINY_TRANSFORMER = TINY | {
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}
"""The same with a transformer for texts in place of a bag of words."""
_OURS = {"tiny": TINY, "tiny-transformer": TINY_TRANSFORMER}


def architecture(name: str, image_size: int | None = None) -> dict[str, Any]:
    """Return the configuration of a model: `tiny` or `tiny-transformer`, a name that open_clip knows, or a JSON file's.

    Raises:
        RecipeError: there is no such model.

    Example:
        >>> architecture("tiny", 64)["vision_cfg"]["image_size"]
        64
    """
    config = copy.deepcopy(_OURS[name]) if name in _OURS else _open_clip_config(name)
    if image_size is not None:
        config["vision_cfg"]["image_size"] = image_size
    return config


def _open_clip_config(name: str) -> dict[str, Any]:
    import open_clip

    if name.endswith(".json"):
        found = json.loads(Path(name).read_text())
        return found.get("model_cfg", found)
    config: dict[str, Any] | None = open_clip.get_model_config(name.replace("/", "-"))
    if config is None:
        raise RecipeError(f"no model {name!r}: use tiny, or a name of open_clip.list_models() such as ViT-B-32 or RN50")
    return config


class Clip(nn.Module):
    """Two encoders and a temperature; with open_clip's names of members."""

    def __init__(
        self,
        visual: nn.Module,
        text: nn.Module,
        *,
        init_logit_scale: float = math.log(1 / 0.07),
        init_logit_bias: float | None = None,
    ) -> None:
        super().__init__()
        self.visual, self.text = visual, text
        self.logit_scale = nn.Parameter(torch.tensor(init_logit_scale))
        self.logit_bias = None if init_logit_bias is None else nn.Parameter(torch.tensor(init_logit_bias))

    def encode_image(self, pixels: Tensor, normalize: bool = False) -> Tensor:  # noqa: FBT001, FBT002 (open_clip's)
        """Return features of images, as unit rows if asked."""
        features: Tensor = self.visual(pixels)
        return functional.normalize(features, dim=-1) if normalize else features

    def encode_text(self, tokens: Tensor, normalize: bool = False) -> Tensor:  # noqa: FBT001, FBT002 (open_clip's)
        """Return features of texts, as unit rows if asked."""
        features: Tensor = self.text(tokens)
        return functional.normalize(features, dim=-1) if normalize else features


def is_ours(config: dict[str, Any]) -> bool:
    """Say whether a configuration has a tower or a head that open_clip lacks.

    Example:
        >>> is_ours(TINY)
        True
    """
    return "plain_conv" in config["vision_cfg"] or "bag_of_words" in config["text_cfg"] or "head_cfg" in config


def build(config: dict[str, Any], seed: int) -> nn.Module:
    """Return a model with weights drawn from a seed; the global random state is left as it was."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        if not is_ours(config):
            return _open_clip_model(config)
        if "head_cfg" in config:
            return _predictor(config)
        first = {name: config[name] for name in _FIRST if name in config}
        return Clip(_visual(config), _text(config), **first)


def _open_clip_model(config: dict[str, Any]) -> nn.Module:
    from open_clip.model import CLIP, CustomTextCLIP

    config = copy.deepcopy(config)
    custom = config.pop("custom_text", False) or "hf_model_name" in config["text_cfg"]
    model: nn.Module = (CustomTextCLIP if custom else CLIP)(**config)
    return model


def _predictor(config: dict[str, Any]) -> nn.Module:
    from witbuild.train.grids import channels, without_pooling
    from witbuild.train.heads import make_head
    from witbuild.train.predictor import Predictor

    visual, section = _visual(config), config["head_cfg"]
    head = make_head(config["embed_dim"], channels(visual, config["vision_cfg"]["image_size"]), section)
    return Predictor(without_pooling(visual) if "decoder" in section else visual, head)


def _visual(config: dict[str, Any]) -> nn.Module:
    from open_clip.model import _build_vision_tower

    section = config["vision_cfg"]
    if ours := section.get("plain_conv"):
        return PlainConvNet(config["embed_dim"], image_size=section["image_size"], **ours)
    tower: nn.Module = _build_vision_tower(config["embed_dim"], section, config.get("quick_gelu", False))
    return tower


def _text(config: dict[str, Any]) -> nn.Module:
    from open_clip.model import _build_text_tower

    section = config["text_cfg"]
    if ours := section.get("bag_of_words"):
        return BagOfWords(config["embed_dim"], context_length=section["context_length"], **ours)
    tower: nn.Module = _build_text_tower(config["embed_dim"], section, config.get("quick_gelu", False))
    return tower


def context_length(config: dict[str, Any]) -> int:
    """Return the most tokens of a text that a model reads, start and end included."""
    return int(config["text_cfg"].get("context_length", 77))


def padded(config: dict[str, Any]) -> bool:
    """Say whether a model's text encoder takes texts of the full context length only, as open_clip's do."""
    return "bag_of_words" not in config["text_cfg"] and "head_cfg" not in config


def normalised(pixels: Tensor) -> Tensor:
    """Return uint8 pixels of shape (B, S, S, 3) as a network takes them: float, (B, 3, S, S), channels last in memory.

    Example:
        >>> normalised(torch.zeros(1, 2, 2, 3, dtype=torch.uint8)).shape
        torch.Size([1, 3, 2, 2])
    """
    # whole lines at a time: vectors of three are slow on a CPU
    line = pixels.shape[2]
    mean, std = (torch.tensor(values, device=pixels.device).repeat(line) * 255 for values in (MEAN, STD))
    out = pixels.flatten(2).float()
    return torch.addcmul(-mean / std, out, 1 / std, out=out).unflatten(2, (line, 3)).permute(0, 3, 1, 2)
