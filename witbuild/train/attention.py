"""Attention by the kernels that are quickest: causal where it is causal, instead of by a mask of additions."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from torch import nn
from torch.nn import functional

if TYPE_CHECKING:
    from torch import Tensor


class CausalAttention(nn.MultiheadAttention):
    """nn.MultiheadAttention over a text that looks back only: the flash kernels take no mask, but know causality.

    Under the same names of parameters; what it is called with is what open_clip's blocks call with.
    """

    def forward(self, query: Tensor, *_: Any, **__: Any) -> tuple[Tensor, None]:
        """Return the attention of each place of (B, L, D) to itself and those before it, and no weights."""
        batch, length, width = query.shape
        heads = functional.linear(query, self.in_proj_weight, self.in_proj_bias)
        q, k, v = heads.view(batch, length, 3, self.num_heads, width // self.num_heads).permute(2, 0, 3, 1, 4)
        out = functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out_proj(out.transpose(1, 2).reshape(batch, length, width)), None


def look_back(model: nn.Module) -> None:
    """Let the attention of a model's causal text transformer use causal kernels; weights and their names stay."""
    text: Any = getattr(model, "text", model)
    if getattr(text, "attn_mask", None) is None or getattr(text, "cls_emb", None) is not None:
        return
    for module in text.transformer.modules():
        if type(module) is nn.MultiheadAttention and module.batch_first and module.in_proj_weight is not None:
            module.__class__ = CausalAttention
