"""How many operations a step is worth: those of its model, without padding and without what is computed twice."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any

import torch
from torch.utils.flop_counter import FlopCounterMode

from witbuild.train.texts import encode_trimmed, takes_any_length

if TYPE_CHECKING:
    from torch import nn


def pair_flops(model: nn.Module, image_size: int, length: int) -> float:
    """Return floating-point operations of an image and a text, forward and backward: three times those forward.

    Args:
        model: with encode_image, and perhaps a text encoder.
        image_size: pixels a side.
        length: token ids of the text; 0, or a text encoder that must have its whole context: that.
    """
    towers: Any = copy.deepcopy(model).to("meta").eval()
    with torch.device("meta"), FlopCounterMode(display=False) as counter, torch.no_grad():
        towers.encode_image(torch.empty(1, 3, image_size, image_size))
        if hasattr(towers, "encode_text"):
            whole = not (length and takes_any_length(towers))
            tokens = torch.empty(1, towers.context_length if whole else length, dtype=torch.int64)
            towers.encode_text(tokens) if whole else encode_trimmed(towers, tokens)
    return 3.0 * counter.get_total_flops()
