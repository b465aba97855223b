"""A trained model of a run as one folder that open_clip and transformers load, with a card.

open_clip_config.json  open_clip_model.safetensors      open_clip.create_model("local-dir:FOLDER")
config.json  model.safetensors                          transformers.CLIPModel.from_pretrained("FOLDER")
preprocessor_config.json  vocab.json  merges.txt  ...   transformers.CLIPProcessor.from_pretrained("FOLDER")
README.md                                               what it is, what it was made of, what it can do
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

from witbuild.errors import InputError
from witbuild.io import store
from witbuild.io.manifest import dumps
from witbuild.io.run import Run
from witbuild.train import transformers_clip
from witbuild.train.export import read_config
from witbuild.train.model_card import card, gathered

if TYPE_CHECKING:
    from torch import Tensor

WEIGHTS, CONFIG = "open_clip_model.safetensors", "open_clip_config.json"


def release(root: str, out: str, *, name: str = "", licence: str = "") -> str:
    """Write the newest model of a run into a folder; return why transformers cannot load it, or "".

    Args:
        root: run directory.
        out: folder, perhaps on an object store; its files of these names are replaced.
        name: of the model, for the card.
        licence: of the weights, for the card: an SPDX name or a URL.

    Raises:
        InputError: the run has no whole training, or its files cannot be read.
    """
    run = Run(root)
    folder, manifest = run.newest("model")
    model, config_path = (run.paths(manifest, kind)[-1] for kind in ("model", "config"))
    config, seed = read_config(config_path)
    obstacle = transformers_clip.obstacle(config)
    store.commit_bytes(store.join(out, CONFIG), store.read_bytes(config_path))
    store.commit_bytes(store.join(out, WEIGHTS), store.read_bytes(model))
    if not obstacle:
        _write_transformers(config, model, out)
    facts = gathered(run, folder, manifest, name=name or Path(out.rstrip("/")).name, licence=licence)
    store.commit_bytes(store.join(out, "README.md"), card(facts, config, seed, obstacle).encode())
    return obstacle


def _write_transformers(config: dict[str, Any], model: str, out: str) -> None:
    context_length = int(config["text_cfg"].get("context_length", 77))
    files = {
        "config.json": transformers_clip.configuration(config),
        "preprocessor_config.json": transformers_clip.preprocessor(config["vision_cfg"]["image_size"]),
        **transformers_clip.tokenizer(context_length),
    }
    for name, content in files.items():
        store.commit_bytes(store.join(out, name), content.encode() if isinstance(content, str) else dumps(content))
    store.commit_bytes(store.join(out, "model.safetensors"), _serialised(transformers_clip.weights(_loaded(model))))


def _loaded(path: str) -> dict[str, Tensor]:
    from safetensors import SafetensorError
    from safetensors.torch import load

    try:
        found: dict[str, Tensor] = load(store.read_bytes(path))
    except SafetensorError as error:
        raise InputError(f"{path}: no safetensors file: {error}") from error
    return found


def _serialised(weights: dict[str, Tensor]) -> bytes:
    """Return weights as a file's content; transformers asks for the metadata."""
    from safetensors.torch import save_file

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "model.safetensors"
        save_file({name: value.contiguous() for name, value in weights.items()}, path, metadata={"format": "pt"})
        return path.read_bytes()
