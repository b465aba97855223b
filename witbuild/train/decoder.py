"""A transformer that reads a text so far and an image, and says what comes next (Vaswani et al. 2017, section 3)."""

from __future__ import annotations

from typing import TYPE_CHECKING

import torch
from torch import nn

if TYPE_CHECKING:
    from torch import Tensor


class Decoder(nn.Module):
    """Layers of causal self-attention, attention to the image, and a perceptron; norms come first, no dropout.

    Embedded words of shape (B, L, W) and an image's grid of shape (B, N, W) become states of shape (B, L, W); a state
    depends on the words up to its own.
    """

    def __init__(self, width: int, *, layers: int, heads: int, context_length: int) -> None:
        super().__init__()
        self.positional_embedding = nn.Parameter(torch.empty(context_length, width))
        nn.init.normal_(self.positional_embedding, std=0.01)
        self.layers = nn.ModuleList(
            nn.TransformerDecoderLayer(
                width, heads, 4 * width, dropout=0.0, activation="gelu", batch_first=True, norm_first=True
            )
            for _ in range(layers)
        )
        self.ln_final = nn.LayerNorm(width)

    def forward(self, words: Tensor, grid: Tensor) -> Tensor:
        """Return states."""
        length = words.shape[1]
        mask = torch.ones(length, length, dtype=torch.bool, device=words.device).triu_(1)
        out = words + self.positional_embedding[:length]
        for layer in self.layers:
            out = layer(out, grid, tgt_mask=mask, tgt_is_causal=True)
        states: Tensor = self.ln_final(out)
        return states
