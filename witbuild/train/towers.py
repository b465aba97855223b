"""The encoders that open_clip lacks: a bag-of-words text encoder and a small plain convolutional image encoder."""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor

PAD = 0
SPECIAL = 49406
"""Token ids from here on mark the start and the end of a text in open_clip's byte-pair vocabulary."""


class BagOfWords(nn.Module):
    """The text encoder "CBOW" of CLIP's pseudo-code (Radford et al. 2021, figure 3): a projected mean of embeddings.

    Ids of int64 of shape (B, L), any L, become features of shape (B, dim); padding, start and end count for nothing.
    """

    takes_any_length = True

    def __init__(self, dim: int, *, width: int, vocab_size: int = 49408, context_length: int = 77) -> None:
        super().__init__()
        self.context_length, self.vocab_size = context_length, vocab_size
        self.token_embedding = nn.Embedding(vocab_size, width)
        self.ln_final = nn.LayerNorm(width)
        self.text_projection = nn.Parameter(torch.empty(width, dim))
        nn.init.normal_(self.token_embedding.weight, std=0.02)
        nn.init.normal_(self.text_projection, std=width**-0.5)

    def forward(self, tokens: Tensor) -> Tensor:
        """Return features of texts."""
        words = ((tokens != PAD) & (tokens < SPECIAL)).unsqueeze(-1)
        counts = words.sum(dim=1).clamp(min=1)
        mean = (self.token_embedding(tokens) * words).sum(dim=1) / counts
        features: Tensor = self.ln_final(mean) @ self.text_projection
        return features


class PlainConvNet(nn.Module):
    """Strided 3x3 convolutions with batch norm, then the mean and the maximum over all places, projected.

    Pixels of float of shape (B, 3, S, S), any S, become features of shape (B, dim).
    """

    def __init__(self, dim: int, *, width: int, image_size: int) -> None:
        super().__init__()
        self.image_size = (image_size, image_size)
        sizes = [3, width, 2 * width, 4 * width, 4 * width]
        layers: list[nn.Module] = []
        for depth, (before, after) in enumerate(pairwise(sizes)):
            kernel, stride = (5 if depth == 0 else 3), (2 if depth < 3 else 1)
            layers += [
                nn.Conv2d(before, after, kernel, stride, kernel // 2, bias=False),
                nn.BatchNorm2d(after),
                nn.ReLU(inplace=True),
            ]
        self.layers = nn.Sequential(*layers)
        self.proj = nn.Linear(2 * sizes[-1], dim)

    def forward(self, pixels: Tensor) -> Tensor:
        """Return features of images."""
        features: Tensor = self.proj(self.pooled(pixels))
        return features

    def pooled(self, pixels: Tensor) -> Tensor:
        """Return the mean and the maximum of the last maps, (B, 8 * width)."""
        maps = self.layers(pixels)
        return torch.cat([maps.mean(dim=(2, 3)), maps.amax(dim=(2, 3))], dim=1)
