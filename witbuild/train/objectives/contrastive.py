"""The objectives of two towers beside CLIP's: every pair of a batch is held against every other."""

from __future__ import annotations

import hashlib
import math
from typing import TYPE_CHECKING, Any

import torch

from witbuild.train.loss import contrastive_loss
from witbuild.train.objectives.sigmoid import sigmoid_loss
from witbuild.train.step import Contrastive

if TYPE_CHECKING:
    from torch import Tensor, nn

    from witbuild.train.batch import Batch
    from witbuild.train.world import World

SIGLIP_START = {"init_logit_scale": math.log(10), "init_logit_bias": -10.0}
"""First values of the scale's logarithm and of the bias (Zhai et al. 2023, section 3.2), under open_clip's names."""


class Unicl(Contrastive):
    """Unified contrastive learning (Yang et al. 2022, equations 3 to 5; Florence, Yuan et al. 2021, section 2.2).

    Pairs of one label, and pairs without a label under one caption, are all each other's positives:

        L(image -> text) = - mean over i of mean over k in P(i) of log softmax over j of (s u_i . v_j), at k
        P(i) = {k: y_k = y_i},   y the label, or else the caption
    """

    def rows(self, model: nn.Module, batch: Batch) -> tuple[Tensor, ...]:
        """Return unit features of images and of texts, and a number for what each pair is of: label or caption."""
        return *super().rows(model, batch), group_numbers(batch)

    def loss(self, rows: tuple[Tensor, ...], shared: tuple[Tensor, ...], world: World) -> Tensor:
        """Return this process's share of the loss."""
        (images, texts, groups), (scale,) = rows, shared
        return contrastive_loss(images, texts, scale, groups=groups, image_weight=self.image_weight, world=world)


class Siglip(Contrastive):
    """The sigmoid loss (Zhai et al. 2023, equation 1): each image and text by themselves are a pair or are not."""

    def shared(self, model: nn.Module) -> tuple[Tensor, ...]:
        """Return what cosines are multiplied by, and what is added to them."""
        clip: Any = model
        return clip.logit_scale.exp(), clip.logit_bias

    def loss(self, rows: tuple[Tensor, ...], shared: tuple[Tensor, ...], world: World) -> Tensor:
        """Return this process's share of the loss."""
        (images, texts), (scale, bias) = rows, shared
        return sigmoid_loss(images, texts, scale, bias, world=world)


def group_numbers(batch: Batch) -> Tensor:
    """Return a number for each pair's label, and for the caption of a pair that has none: int64 of shape (B,)."""
    captions = caption_numbers(batch.tokens)
    return captions if batch.labels is None else torch.where(batch.labels != 0, batch.labels, captions)


def caption_numbers(tokens: Tensor) -> Tensor:
    """Return a number for each caption, the same for the same token ids however padded: int64 of shape (B,).

    A sum of ids times fixed odd numbers, one a place, modulo 2^64 (multilinear hashing): two captions of the vocabulary
    that differ share a number with a probability below 2^-47.

    Example:
        >>> one, other, padded = caption_numbers(torch.tensor([[5, 7, 0], [7, 5, 0], [5, 7, 0]])).tolist()
        >>> one == padded, one == other
        (True, False)
    """
    factors = torch.tensor([_factor(place) for place in range(tokens.shape[1])], device=tokens.device)
    return (tokens * factors).sum(dim=1)


def _factor(place: int) -> int:
    """Return an odd number of 64 bits, signed."""
    digest = hashlib.blake2b(b"place %d" % place, digest_size=8).digest()
    return int.from_bytes(digest, "little", signed=True) | 1


def configured(config: dict[str, Any], name: str) -> dict[str, Any]:
    """Return a two-tower model's configuration with what an objective begins at."""
    return SIGLIP_START | config if name == "siglip" else config
