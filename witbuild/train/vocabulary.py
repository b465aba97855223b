"""The words that a predictive objective predicts: some token ids of the byte-pair vocabulary, numbered from 0."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import nn

from witbuild.train.towers import SPECIAL

if TYPE_CHECKING:
    from torch import Tensor

    from witbuild.train.captions import Captions

START, END, TOKENS = SPECIAL, SPECIAL + 1, SPECIAL + 2
"""Ids that mark start and end of a text, and how many ids there are, in open_clip's byte-pair vocabulary."""


class Vocabulary(nn.Module):
    """So many token ids, ascending, kept with a model's weights; any other id has the number `len`."""

    ids: Tensor

    def __init__(self, size: int) -> None:
        super().__init__()
        self.register_buffer("ids", torch.arange(TOKENS - size, TOKENS))

    def __len__(self) -> int:
        return len(self.ids)

    def fill(self, captions: Captions) -> None:
        """Take the ids that captions have most often, of equally frequent ones the lower; start and end always."""
        counts = np.bincount(captions.ids, minlength=TOKENS)
        counts[[START, END]] = np.iinfo(np.int64).max
        order = np.lexsort((np.arange(TOKENS), -counts))
        self.ids.copy_(torch.from_numpy(np.sort(order[: len(self)])))

    def numbers(self, tokens: Tensor) -> Tensor:
        """Return the numbers of token ids, int64 of the same shape.

        Example:
            >>> Vocabulary(3).numbers(torch.tensor([[49406, 49407, 7]])).tolist()
            [[1, 2, 3]]
        """
        places = torch.searchsorted(self.ids, tokens).clamp(max=len(self) - 1)
        return torch.where(self.ids[places] == tokens, places, len(self))


def lengths(tokens: Tensor) -> Tensor:
    """Return how many ids of each text are its own, start and end included: int64 of shape (B,).

    Example:
        >>> lengths(torch.tensor([[49406, 5, 49407, 0], [49406, 49407, 0, 0]])).tolist()
        [3, 2]
    """
    return (tokens == END).int().argmax(dim=1) + 1
