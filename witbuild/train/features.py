"""What a model makes of many images or texts, in batches."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import torch

from witbuild.train.captions import tokenise
from witbuild.train.model import normalised

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

    from witbuild.train.pixels import Loader

BATCH = 256


@torch.no_grad()
def over_images(
    functions: Sequence[Callable[[Tensor], Tensor]], loader: Loader, count: int, device: torch.device
) -> tuple[list[Tensor], list[int]]:
    """Return what functions make of the first `count` images' middles, and the numbers of the images that decode.

    Args:
        functions: normalised pixels of shape (B, 3, S, S) -> rows of B; what each returns is n rows on the device.
        loader: of the images.
        count: how many there are.
        device: where the pixels are wanted.
    """
    batches, numbers = [], []
    for start in range(0, count, BATCH):
        wanted = np.arange(start, min(start + BATCH, count))
        pixels, shown = loader.batch(wanted, np.full((len(wanted), 2), 0.5))
        seen = normalised(torch.from_numpy(pixels).to(device))
        good = [place for place, number in enumerate(shown) if number == wanted[place]]
        batches.append([function(seen)[good] for function in functions])
        numbers += [shown[place] for place in good]
    return [torch.cat(column) for column in zip(*batches, strict=True)], numbers


@torch.no_grad()
def text_features(model: nn.Module, texts: Sequence[str], context_length: int, *, padded: bool) -> Tensor:
    """Return unit features of texts, (n, D).

    Args:
        model: with encode_text.
        texts: n of them.
        context_length: most token ids of a text.
        padded: whether the model wants every text at its full context length.
    """
    device = next(model.parameters()).device
    captions = tokenise(texts, context_length)
    out = []
    for start in range(0, len(texts), BATCH):
        rows = captions.batch(range(start, min(start + BATCH, len(texts))), context_length if padded else None)
        out.append(model.encode_text(torch.from_numpy(rows).to(device), normalize=True))
    return torch.cat(out)
