"""Texts through a text tower, no longer than they are.

In a causal transformer what follows the end token never reaches it, so places after it need not be computed: the
features are those of the padded text. Texts of a batch are sorted and cut into groups of like length:

    lengths  7 30 9 12   ─ sort, cut ─>   7 9 | 12 30   ─ each made as long as its longest ─>   9 9 | 30 30
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import torch
from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor

    from witbuild.train.batch import Batch

GROUPS = 16
"""Of like length, in a batch; fewer in one too small for them."""
LEAST = 16
"""Texts in a group: smaller ones cost more than they save."""


def encode_texts(model: nn.Module, batch: Batch) -> Tensor:
    """Return features of a batch's texts, float of shape (B, D), at the cost of their own lengths."""
    clip: Any = model
    if not takes_any_length(model):
        padding = int(clip.context_length) - batch.tokens.shape[1]
        return clip.encode_text(functional.pad(batch.tokens, (0, padding)))
    text: Any = getattr(model, "text", model)
    return text(batch.tokens) if hasattr(text, "takes_any_length") else _in_groups(text, batch)


def _in_groups(text: Any, batch: Batch) -> Tensor:
    device, longest = batch.tokens.device, batch.tokens.shape[1]
    multiple = 8 if device.type == "cuda" else 1  # few shapes for kernels and for the compiler
    cut = groups(batch.lengths, min(GROUPS, max(1, len(batch) // LEAST)), multiple, longest)
    order = torch.cat([rows for rows, _ in cut])
    tokens = batch.tokens[order.to(device, non_blocking=True)]
    members = tokens.split([len(rows) for rows, _ in cut])
    parts = [part[:, :length] for part, (_, length) in zip(members, cut, strict=True)]
    # looked up at once: the gradient of a look-up is as large as the whole vocabulary
    places = text.token_embedding(torch.cat([part.flatten() for part in parts])).split([part.numel() for part in parts])
    read = [_read(text, part, place.view(*part.shape, -1)) for part, place in zip(parts, places, strict=True)]
    return _projected(text, torch.cat(read))[order.argsort().to(device, non_blocking=True)]


def groups(lengths: Tensor, count: int, multiple: int, longest: int) -> list[tuple[Tensor, int]]:
    """Cut texts into groups of like length: which rows, and how long they are made.

    Args:
        lengths: of the texts, int64 of shape (B,).
        count: groups of equal size, the last perhaps smaller.
        multiple: lengths are rounded up to one of it,
        longest: and are at most this.

    Example:
        >>> [(rows.tolist(), length) for rows, length in groups(torch.tensor([9, 3, 4, 16]), 2, 8, 77)]
        [([1, 2], 8), ([0, 3], 16)]
    """
    ordered = lengths.argsort(stable=True)
    size = -(-len(ordered) // min(count, len(ordered)))
    return [(rows, min(-(-int(lengths[rows[-1]]) // multiple) * multiple, longest)) for rows in ordered.split(size)]


def takes_any_length(model: nn.Module) -> bool:
    """Say whether texts may be trimmed: the encoder looks back only, and reads out at the end token."""
    text: Any = getattr(model, "text", model)
    if hasattr(text, "takes_any_length"):
        return bool(text.takes_any_length)
    causal = getattr(text, "attn_mask", None) is not None and getattr(text, "cls_emb", None) is None
    return causal and _pool(text) in ("argmax", "eos")


def encode_trimmed(model: nn.Module, tokens: Tensor) -> Tensor:
    """Return features of texts that may be shorter than the context: int64 of shape (B, L) to float of shape (B, D).

    open_clip's encoders add all their positions to a text, or mask all of them, and so reject short ones; here a text
    gets the first L.
    """
    text: Any = getattr(model, "text", model)
    if hasattr(text, "takes_any_length"):
        return text(tokens)
    return _projected(text, _read(text, tokens, text.token_embedding(tokens)))


def _read(text: Any, tokens: Tensor, embedded: Tensor) -> Tensor:
    """Return what stands at each text's end token after the transformer, float of shape (B, width)."""
    length = tokens.shape[1]
    places = (embedded + text.positional_embedding[:length]).to(text.transformer.get_cast_dtype())
    out = text.transformer(places, attn_mask=text.attn_mask[:length, :length])
    return out[torch.arange(len(out), device=out.device), _ends(text, tokens)]


def _projected(text: Any, read: Tensor) -> Tensor:
    """Return the features of what is read out; the norm is of each place alone, so no other place needs it."""
    normed, projection = text.ln_final(read), text.text_projection
    if projection is None:
        return normed
    return projection(normed) if isinstance(projection, nn.Linear) else normed @ projection


def _ends(text: Any, tokens: Tensor) -> Tensor:
    """Return the place of each text's end token: the largest id, or the one that the encoder names."""
    if _pool(text) == "argmax":
        return tokens.argmax(dim=-1)
    named = getattr(text, "eos_id", getattr(text, "text_eos_id", None))
    return (tokens == named).int().argmax(dim=-1)


def _pool(text: Any) -> str:
    return str(getattr(text, "pool_type", getattr(text, "text_pool_type", "")))
