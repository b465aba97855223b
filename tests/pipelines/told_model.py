"""A CLIP of open_clip's form that gives planted pairs the cosines and images the scores that they are to have.

Its image encoder is drawn. Its text projection and its heads are solved for: with fewer pairs than dimensions, a linear
map can send each text next to its image, at any angle, and each image to any score.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.pipelines.planted import Case, numbered

if TYPE_CHECKING:
    from torch import Tensor

WIDTH = 64
CONFIG: dict[str, Any] = {
    "embed_dim": WIDTH,
    "vision_cfg": {"image_size": 64, "layers": 1, "width": 64, "head_width": 32, "patch_size": 8},
    "text_cfg": {"context_length": 32, "vocab_size": 49408, "width": WIDTH, "heads": 2, "layers": 1},
}


def changes(folder: Path, cases: list[Case], plan: dict[str, Any]) -> dict[str, Any]:
    """Write model and heads for the cases; return what a recipe's stage `score` must be told.

    Args:
        folder: to write into.
        cases: planted.
        plan: how the recipe's fetch fits images, which is what the model will see.
    """
    import torch
    from safetensors.torch import save_file

    from witbuild.train import export
    from witbuild.train.model import build
    from witbuild.train.scoring.clip import load

    told = [(image, case) for _, image, case in numbered(cases) if case.clip is not None or case.heads]
    assert len(told) <= WIDTH
    model = folder / "model"
    model.mkdir(parents=True)
    export.write_config(model / "open_clip_config.json", CONFIG, 0)
    state = {key: value.contiguous() for key, value in build(CONFIG, 0).state_dict().items()}
    state["text_projection"] = torch.eye(WIDTH)
    weights = model / "open_clip_model.safetensors"
    save_file(state, weights)
    clip = load(folder=str(model), name="", device=torch.device("cpu"))
    images = torch.cat([clip.images([_stored(image, plan)], 1)[0] for image, _ in told])
    with_cosine = [number for number, (_, case) in enumerate(told) if case.clip is not None]
    if with_cosine:
        texts = torch.cat([clip.texts([told[number][1].caption], 1) for number in with_cosine])
        goals = torch.stack([_at(images[number], told[number][1].clip or 0.0) for number in with_cosine])
        state["text_projection"] = (torch.linalg.pinv(texts.double()) @ goals.double()).float().contiguous()
        save_file(state, weights)
    heads = {what: _head(folder, what, images, told) for what in {name for _, case in told for name in case.heads}}
    return {"score.folder": str(model), **({"score.heads": heads, "score.relu": []} if heads else {})}


def _stored(image: bytes, plan: dict[str, Any]) -> bytes:
    from witbuild.image.prepare import Plan, prepare

    return prepare(image, Plan(**plan)).content


def _at(image: Tensor, cosine: float) -> Tensor:
    """Return a unit vector at an angle to another."""
    import torch

    other = torch.roll(image, 1)
    other = other - (other @ image) * image
    return cosine * image + (1 - cosine**2) ** 0.5 * other / other.norm()


def _head(folder: Path, what: str, images: Tensor, told: list[tuple[bytes, Case]]) -> str:
    """Write a linear head that gives each image its score."""
    import torch

    scores = torch.tensor([[case.heads.get(what, 0.0)] for _, case in told], dtype=torch.float64)
    weight = (torch.linalg.pinv(images.double()) @ scores).T.float()
    path = folder / f"{what}.pt"
    torch.save({"weight": weight, "bias": torch.zeros(1)}, path)
    return str(path)
