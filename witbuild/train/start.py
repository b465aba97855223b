"""What is done to a model before its first step: weights to begin with, activations not kept, encoders compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import safetensors.torch
from open_clip.model import resize_pos_embed

from witbuild.errors import InputError, RecipeError
from witbuild.io import store
from witbuild.train.average import soup

if TYPE_CHECKING:
    from collections.abc import Sequence

    from torch import Tensor, nn


def load(model: nn.Module, paths: Sequence[str]) -> None:
    """Let a model begin with weights, or with the mean of several; those of image positions fit its own grid then.

    Raises:
        InputError: a file holds no weights, or those of another model.
    """
    found = [_read(path) for path in paths]
    try:
        weights = soup(found)
        resize_pos_embed(weights, model)
        model.load_state_dict(weights)
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{', '.join(paths)}: pretrained: not the weights of this model: {error}") from error


def _read(path: str) -> dict[str, Tensor]:
    try:
        weights: dict[str, Tensor] = safetensors.torch.load(store.read_bytes(path))
    except safetensors.SafetensorError as error:
        raise InputError(f"{path}: pretrained: no safetensors: {error}") from error
    return weights


def checkpoint_activations(model: nn.Module) -> None:
    """Let the encoders compute activations again backward.

    Raises:
        RecipeError: the image encoder is of a kind that cannot.
    """
    encoder: Any = model
    try:
        encoder.visual.set_grad_checkpointing(True)
    except (AttributeError, AssertionError) as error:
        raise RecipeError("stage train: grad_checkpointing: this image encoder has none; leave it out") from error
    text = getattr(encoder, "text", encoder)
    if hasattr(text, "transformer"):
        text.transformer.grad_checkpointing = True


def compile_encoders(model: nn.Module) -> None:
    """Compile the image encoder and the text transformer, in place: names of weights stay."""
    encoder: Any = model
    encoder.visual.compile()
    text = getattr(encoder, "text", encoder)
    getattr(text, "transformer", text).compile()
