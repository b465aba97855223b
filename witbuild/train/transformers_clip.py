"""An open_clip model as transformers' CLIPModel reads it: the same weights under other names.

open_clip                                       transformers
visual.conv1.weight                             vision_model.embeddings.patch_embedding.weight
visual.transformer.resblocks.0.attn.in_proj_*   vision_model.encoder.layers.0.self_attn.{q,k,v}_proj.*
visual.proj, text_projection                    visual_projection.weight, text_projection.weight, transposed
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from witbuild.train.model import MEAN, STD, is_ours
from witbuild.train.vocabulary import END, START

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from torch import Tensor

_PLAIN_VISION = {"image_size", "layers", "width", "head_width", "patch_size", "mlp_ratio", "patch_dropout"}
_PLAIN_TEXT = {"context_length", "vocab_size", "width", "heads", "layers", "mlp_ratio"}
_BEGINNINGS = ("init_logit_scale", "nonscalar_logit_scale")
_RENAMED = {
    "visual.class_embedding": "vision_model.embeddings.class_embedding",
    "visual.conv1.weight": "vision_model.embeddings.patch_embedding.weight",
    "visual.positional_embedding": "vision_model.embeddings.position_embedding.weight",
    "visual.ln_pre": "vision_model.pre_layrnorm",
    "visual.ln_post": "vision_model.post_layernorm",
    "visual.proj": "visual_projection.weight",
    "visual.transformer.resblocks": "vision_model.encoder.layers",
    "token_embedding": "text_model.embeddings.token_embedding",
    "positional_embedding": "text_model.embeddings.position_embedding.weight",
    "transformer.resblocks": "text_model.encoder.layers",
    "ln_final": "text_model.final_layer_norm",
    "text_projection": "text_projection.weight",
    "logit_scale": "logit_scale",
}
_IN_LAYER = {
    "ln_1": "layer_norm1",
    "ln_2": "layer_norm2",
    "attn.out_proj": "self_attn.out_proj",
    "mlp.c_fc": "mlp.fc1",
    "mlp.c_proj": "mlp.fc2",
}
_TRANSPOSED = ("visual.proj", "text_projection")


def obstacle(config: Mapping[str, Any]) -> str:
    """Return why transformers has no class for a model, or "" when CLIPModel is it.

    Example:
        >>> obstacle({"vision_cfg": {"layers": [3, 4, 6, 3]}, "text_cfg": {}})
        'transformers has no class for a ResNet: CLIPModel takes ViTs only'
    """
    vision, text = config["vision_cfg"], config["text_cfg"]
    if is_ours(dict(config)):
        return "transformers has no class for witbuild's own encoders and heads"
    if isinstance(vision.get("layers"), list):
        return "transformers has no class for a ResNet: CLIPModel takes ViTs only"
    if "init_logit_bias" in config:
        return "transformers' CLIPModel has no bias beside its scale, as siglip trains one"
    known = {"embed_dim", "vision_cfg", "text_cfg", "quick_gelu", *_BEGINNINGS}
    odd = sorted({*vision} - _PLAIN_VISION | {*text} - _PLAIN_TEXT | {*config} - known)
    return f"transformers' CLIPModel has nothing like {', '.join(odd)}" if odd else ""


def configuration(config: Mapping[str, Any]) -> dict[str, Any]:
    """Return config.json of CLIPModel.

    `eos_token_id` is the real end token's, so that texts are read out at the first of them, as open_clip does; 2 stands
    for an old mistake in transformers.
    """
    vision, text = config["vision_cfg"], config["text_cfg"]
    shared = {"hidden_act": "quick_gelu" if config.get("quick_gelu") else "gelu", "projection_dim": config["embed_dim"]}
    width, text_width = int(vision.get("width", 768)), int(text.get("width", 512))
    return {
        "architectures": ["CLIPModel"],
        "model_type": "clip",
        "projection_dim": config["embed_dim"],
        "torch_dtype": "float32",
        "vision_config": shared
        | {
            "model_type": "clip_vision_model",
            "image_size": vision["image_size"],
            "patch_size": vision["patch_size"],
            "hidden_size": width,
            "intermediate_size": int(width * vision.get("mlp_ratio", 4.0)),
            "num_attention_heads": width // int(vision.get("head_width", 64)),
            "num_hidden_layers": vision["layers"],
        },
        "text_config": shared
        | {
            "model_type": "clip_text_model",
            "vocab_size": text.get("vocab_size", 49408),
            "max_position_embeddings": text.get("context_length", 77),
            "hidden_size": text_width,
            "intermediate_size": int(text_width * text.get("mlp_ratio", 4.0)),
            "num_attention_heads": text.get("heads", 8),
            "num_hidden_layers": text.get("layers", 12),
            "bos_token_id": START,
            "eos_token_id": END,
            "pad_token_id": END,
        },
    }


def weights(state: Mapping[str, Tensor]) -> dict[str, Tensor]:
    """Return an open_clip model's weights under transformers' names."""
    return dict(renamed for name, value in state.items() for renamed in _renamed(name, value))


def _renamed(name: str, value: Tensor) -> Iterator[tuple[str, Tensor]]:
    stem = next(stem for stem in sorted(_RENAMED, key=len, reverse=True) if name == stem or name.startswith(f"{stem}."))
    rest = name[len(stem) :]
    if not stem.endswith("resblocks"):
        yield _RENAMED[stem] + rest, value.T if name in _TRANSPOSED else value
        return
    _, layer, inside = rest.split(".", 2)
    place = f"{_RENAMED[stem]}.{layer}"
    if inside.startswith("attn.in_proj_"):
        kind = inside.removeprefix("attn.in_proj_")
        for letter, part in zip("qkv", value.chunk(3), strict=True):
            yield f"{place}.self_attn.{letter}_proj.{kind}", part
        return
    old = next(old for old in _IN_LAYER if inside.startswith(f"{old}."))
    yield f"{place}.{_IN_LAYER[old]}{inside[len(old) :]}", value


def preprocessor(image_size: int) -> dict[str, Any]:
    """Return preprocessor_config.json: the shorter side to the model's size, bicubic, the middle, CLIP's mean."""
    return {
        "image_processor_type": "CLIPImageProcessor",
        "do_resize": True,
        "size": {"shortest_edge": image_size},
        "resample": 3,
        "do_center_crop": True,
        "crop_size": {"height": image_size, "width": image_size},
        "do_rescale": True,
        "rescale_factor": 1 / 255,
        "do_normalize": True,
        "image_mean": list(MEAN),
        "image_std": list(STD),
        "do_convert_rgb": True,
    }


def tokenizer(context_length: int) -> dict[str, Any]:
    """Return the tokenizer's files: name -> JSON value, or text."""
    from open_clip.tokenizer import SimpleTokenizer

    clip = SimpleTokenizer()
    special = {"bos_token": "<|startoftext|>", "eos_token": "<|endoftext|>"}
    special |= {"unk_token": "<|endoftext|>", "pad_token": "<|endoftext|>"}
    names = {START: special["bos_token"], END: special["eos_token"]}
    merges = sorted(clip.bpe_ranks, key=clip.bpe_ranks.__getitem__)
    return {
        "vocab.json": {names.get(number, text): number for text, number in clip.encoder.items()},
        "merges.txt": "\n".join(["#version: 0.2", *(" ".join(pair) for pair in merges)]) + "\n",
        "special_tokens_map.json": special,
        "tokenizer_config.json": special
        | {"tokenizer_class": "CLIPTokenizer", "model_max_length": context_length, "do_lower_case": True},
    }
