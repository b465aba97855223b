"""What is done to a model before its first step: weights to begin with, activations not kept, encoders compiled."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from witbuild.errors import InputError, RecipeError
from witbuild.io import store

if TYPE_CHECKING:
    from torch import nn


def load(model: nn.Module, path: str) -> None:
    """Let a model begin with weights; those of image positions are interpolated to its own grid.

    Raises:
        InputError: the file holds no weights, or those of another model.
    """
    from open_clip.model import resize_pos_embed
    from safetensors import SafetensorError
    from safetensors.torch import load as read

    try:
        weights = read(store.read_bytes(path))
        resize_pos_embed(weights, model)
        model.load_state_dict(weights)
    except (RuntimeError, SafetensorError) as error:
        raise InputError(f"{path}: pretrained: not the weights of this model: {error}") from error


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
