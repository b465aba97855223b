"""An image encoder's last map of features, before it is pooled: what captioning heads look at."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

from witbuild.train.towers import PlainConvNet

if TYPE_CHECKING:
    from torch import Tensor


def grid(visual: nn.Module, pixels: Tensor) -> Tensor:
    """Return a vector a place, (B, N, C): of the last layer, normalised where the encoder has a norm for it.

    Args:
        visual: PlainConvNet, or an image encoder of open_clip.
        pixels: normalised, float of shape (B, 3, S, S).
    """
    if isinstance(visual, PlainConvNet):
        maps: Tensor = visual.layers(pixels)
    else:
        found = visual.forward_intermediates(pixels, 1, normalize_intermediates=True, intermediates_only=True)
        maps = found["image_intermediates"][-1]
    return maps.flatten(2).transpose(1, 2)


def channels(visual: nn.Module, image_size: int) -> int:
    """Return how long a grid's vectors are."""
    training = visual.training
    with torch.no_grad():
        found = grid(visual.eval(), torch.zeros(1, 3, image_size, image_size)).shape[2]
    visual.train(training)
    return found


def without_pooling(visual: nn.Module) -> nn.Module:
    """Return an image encoder without the parameters that only its pooled output needs."""
    if isinstance(visual, PlainConvNet):
        visual.proj = None
    elif hasattr(visual, "attnpool"):
        visual.attnpool = nn.Identity()
    elif isinstance(getattr(visual, "proj", None), nn.Parameter):
        visual.proj = None
    return visual
