"""A model as two files that open_clip loads: open_clip_config.json and open_clip_model.safetensors."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.train.model import MEAN, STD, build

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from torch import Tensor, nn


def write_config(path: Path, config: dict[str, Any], seed: int) -> None:
    """Write a model's configuration as open_clip's `local-dir:` reads it, and the seed of its first weights."""
    size = config["vision_cfg"]["image_size"]
    preprocess = {
        "size": [size, size], "mode": "RGB", "mean": MEAN, "std": STD,
        "interpolation": "bicubic", "resize_mode": "shortest",
    }  # fmt: skip
    content = {"model_cfg": config, "preprocess_cfg": preprocess, "witbuild": {"seed": seed}}
    path.write_text(json.dumps(content, indent=2) + "\n")


def write_weights(path: Path, weights: Mapping[str, Tensor]) -> None:
    """Write a model's weights, fp32, under open_clip's names."""
    from safetensors.torch import save_file

    save_file({name: value.detach().cpu().contiguous() for name, value in weights.items()}, path)


def read_config(path: str) -> tuple[dict[str, Any], int]:
    """Return a model's configuration and the seed of its first weights.

    Raises:
        InputError: the file holds none.
    """
    try:
        found = json.loads(store.read_bytes(path))
        return found["model_cfg"], int(found.get("witbuild", {}).get("seed", 0))
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise InputError(f"{path}: no configuration of a model in open_clip's form ({error!r})") from error


def read_model(config: dict[str, Any], path: str) -> nn.Module:
    """Return a model with its weights.

    Raises:
        InputError: the weights are not those of the configuration.
    """
    from safetensors import SafetensorError
    from safetensors.torch import load

    model = build(config, 0)
    try:
        model.load_state_dict(load(store.read_bytes(path)))
    except (RuntimeError, SafetensorError) as error:
        raise InputError(f"{path}: not the weights of this configuration: {error}") from error
    return model.eval()
