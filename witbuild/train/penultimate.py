"""An image encoder's features before their linear projection: what CLIP's linear probes see (section 3.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch.nn import functional

from witbuild.train.predictor import Predictor
from witbuild.train.towers import PlainConvNet

if TYPE_CHECKING:
    from torch import Tensor, nn


def penultimate(model: nn.Module, pixels: Tensor) -> Tensor:
    """Return features of images, (B, D), not normalised.

    Args:
        model: ours or open_clip's, of any image encoder that it has.
        pixels: normalised, float of shape (B, 3, S, S).
    """
    visual: Any = model.visual
    if isinstance(model, Predictor):
        return model.encode_image(pixels)
    if isinstance(visual, PlainConvNet):
        return visual.pooled(pixels)
    if hasattr(visual, "attnpool"):
        return _attended(visual, pixels)
    if hasattr(visual, "trunk"):
        trunk: Tensor = visual.trunk(pixels)
        return trunk
    pooled: Tensor = visual._pool(visual.transformer(visual._embeds(pixels)))[0]  # noqa: SLF001 as its forward does
    return pooled


def _attended(visual: Any, pixels: Tensor) -> Tensor:
    """Return what a ResNet's attention pooling has before its output projection (Radford et al. 2021, section 2.4)."""
    pool = visual.attnpool
    maps = visual.layer4(visual.layer3(visual.layer2(visual.layer1(visual.stem(pixels)))))
    places = maps.flatten(2).transpose(1, 2)
    places = torch.cat([places.mean(dim=1, keepdim=True), places], dim=1) + pool.positional_embedding
    asked, keys, values = (
        projection(one).unflatten(2, (pool.num_heads, -1)).transpose(1, 2)
        for projection, one in ((pool.q_proj, places[:, :1]), (pool.k_proj, places), (pool.v_proj, places))
    )
    heads: Tensor = functional.scaled_dot_product_attention(asked, keys, values)
    return heads.transpose(1, 2).flatten(1)
