"""A tiny model that has learned the plain pictures, in a few seconds and without the trainer."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import torch
from PIL import Image

from tests.train import pictures
from witbuild.train import export, objectives
from witbuild.train.batch import Batch
from witbuild.train.captions import tokenise
from witbuild.train.model import architecture, build
from witbuild.train.step import Encoder, Gradients
from witbuild.train.vocabulary import lengths
from witbuild.train.world import ALONE

SIZE = 32


def batch_of(names: list[str], seed: int = 0) -> tuple[Batch, list[str]]:
    """Pictures of classes with their captions, and the captions."""
    random = np.random.default_rng(seed)
    images = [Image.open(io.BytesIO(pictures.picture(name, random, SIZE, SIZE))).convert("RGB") for name in names]
    texts = [f"a {name} on paper" for name in names]
    tokens = torch.from_numpy(tokenise(texts, 32).batch(range(len(texts))))
    pixels = torch.from_numpy(np.stack([np.asarray(image) for image in images]))
    return Batch(pixels, tokens, lengths(tokens)), texts


def learned(folder: Path, objective: str = "clip", steps: int = 90) -> dict[str, tuple[str, ...]]:
    """Train; the paths are inputs of `eval`."""
    torch.set_num_threads(1)
    config = objectives.configured(architecture("tiny", SIZE), objective, 60)
    model, goal = build(config, 0), objectives.OBJECTIVES[objective](0.5)
    whole, texts = batch_of([pictures.CLASSES[i % 8] for i in range(512)])
    objectives.prepare(model, tokenise(texts, 32))
    step = Gradients(Encoder(model, goal), goal, ALONE)
    optimiser = torch.optim.AdamW(model.parameters(), lr=3e-3, fused=True)
    batches = list(whole.pieces(64))
    for number in range(steps):
        optimiser.zero_grad()
        step.add([batches[number % len(batches)]])
        optimiser.step()
    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "open_clip_model.safetensors", folder / "open_clip_config.json"
    export.write_weights(paths[0], model.eval().state_dict())
    export.write_config(paths[1], config, 0)
    return {"model": (str(paths[0]),), "config": (str(paths[1]),)}
