"""The model that scores: from a folder of open_clip's form, or from open_clip by name."""

from __future__ import annotations

import json
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch

from witbuild.errors import InputError, RecipeError
from witbuild.image import decode, header
from witbuild.image.failure import ImageError
from witbuild.train import export
from witbuild.train.model import context_length, is_ours

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from torch import Tensor, nn

CONFIG = "open_clip_config.json"
WEIGHTS = ("open_clip_model.safetensors", "open_clip_pytorch_model.bin", "model.safetensors")
"""Names of the files of a model's folder."""
HUB = "hf-hub:"
MAX_PIXELS = 100_000_000


@dataclass(frozen=True)
class Clip:
    """A model in evaluation on its device, with what it wants of images and texts."""

    model: nn.Module
    transform: Callable[[Any], Tensor]
    """A PIL image -> pixels as the model takes them, float of shape (3, S, S)."""
    tokenise: Callable[[list[str]], Tensor]
    """n texts -> token ids, int64 of shape (n, L)."""
    device: torch.device

    @torch.inference_mode()
    def images(self, bodies: Sequence[bytes], batch: int) -> tuple[Tensor, list[int]]:
        """Return unit features of the images that can be decoded, (n, D) on the CPU, and their numbers.

        Args:
            bodies: at most `batch` images as stored.
            batch: rows of the batch, filled up with zeros: of equal shape, every row is computed alike.
        """
        pixels = {number: self._pixels(body) for number, body in enumerate(bodies)}
        good = [number for number, found in pixels.items() if found is not None]
        rows = [found for found in pixels.values() if found is not None]
        if not rows:
            return torch.zeros(0, 0), []
        filled = torch.stack(rows + [torch.zeros_like(rows[0])] * (batch - len(rows)))
        return self.model.encode_image(filled.to(self.device), normalize=True)[: len(rows)].float().cpu(), good

    @torch.inference_mode()
    def texts(self, texts: Sequence[str], batch: int) -> Tensor:
        """Return unit features of at most `batch` texts, (n, D) on the CPU."""
        ids = self.tokenise([*texts, *[""] * (batch - len(texts))])
        return self.model.encode_text(ids.to(self.device), normalize=True)[: len(texts)].float().cpu()

    def _pixels(self, body: bytes) -> Tensor | None:
        from PIL import Image

        try:
            pixels = decode.decode(body, header.read(body), max_pixels=MAX_PIXELS)
        except ImageError:
            return None
        return self.transform(Image.fromarray(pixels))


def check(folder: str, name: str) -> None:
    """Raise when the model that a stage names, by a folder or else by open_clip's name, is not there."""
    if folder:
        check_folder(folder)
    else:
        check_name(name)


def check_folder(folder: str) -> None:
    """Raise InputError when a folder holds no model, with what was looked for."""
    path = Path(folder)
    found = sorted(one.name for one in path.iterdir()) if path.is_dir() else []
    if CONFIG in found and any(name in found for name in WEIGHTS):
        return
    what = f"holds {', '.join(found[:8]) or 'nothing'}" if path.is_dir() else "is no folder"
    raise InputError(
        f"{folder}: {what}; expected a model of open_clip's form: {CONFIG} and {' or '.join(WEIGHTS)}. Copy a run's "
        "model and config there (docs/train.md), or what open_clip's push_to_hf_hub writes"
    )


def check_name(name: str) -> None:
    """Raise RecipeError when open_clip knows no such model, with the weights that there are."""
    import open_clip

    if name.startswith(HUB):
        return
    architecture, _, tag = name.partition("/")
    known = open_clip.list_pretrained_tags_by_model(architecture)
    if tag not in known:
        there = f"{architecture} has {', '.join(known)}" if known else "see open_clip.list_pretrained()"
        raise RecipeError(
            f"model {name!r}: open_clip has no such weights; {there}. Expected NAME/WEIGHTS such as "
            f"ViT-B-32-quickgelu/openai, {HUB}ORGANISATION/NAME, or a folder: `folder`"
        )


def load(*, folder: str, name: str, device: torch.device) -> Clip:
    """Return the model of a folder, or of a name.

    Raises:
        InputError: it is not there or cannot be read or downloaded; says where it was looked for.
    """
    if folder:
        check_folder(folder)
        config, _ = export.read_config(str(Path(folder) / CONFIG))
        if is_ours(config):
            return _ours(folder, config, device)
    try:
        return _open_clips(f"local-dir:{folder}" if folder else name, device)
    except (OSError, RuntimeError, ValueError, ImportError) as error:
        raise InputError(_missing(folder or name, error, downloaded=not folder)) from error


def _missing(what: str, error: Exception, *, downloaded: bool) -> str:
    way_out = (
        "looked for in the cache of Hugging Face (HF_HOME) and ~/.cache/clip, then asked for over the network; where "
        "there is none, copy the model's folder here and name it: `folder`"
        if downloaded
        else "its configuration and its weights do not fit, or it wants a tokenizer whose files are not in the folder"
    )
    return f"model {what}: cannot be loaded ({' '.join(str(error).split())[:500]}); {way_out}"


def _open_clips(name: str, device: torch.device) -> Clip:
    """Return a model that open_clip builds."""
    import open_clip

    bare = name.startswith((HUB, "local-dir:"))
    architecture, _, tag = (name, "", "") if bare else name.partition("/")
    with warnings.catch_warnings(action="ignore"):  # of the libraries that it imports
        model, _, transform = open_clip.create_model_and_transforms(
            architecture, pretrained=tag or None, device=device, require_pretrained=True
        )
        tokenizer = open_clip.get_tokenizer(architecture)
    return Clip(model.eval(), transform, tokenizer, device)


def _ours(folder: str, config: dict[str, Any], device: torch.device) -> Clip:
    """Return a model with towers that open_clip lacks."""
    from open_clip.tokenizer import SimpleTokenizer
    from open_clip.transform import PreprocessCfg, image_transform_v2

    weights = next(path for name in WEIGHTS if (path := Path(folder) / name).exists())
    model = export.read_model(config, str(weights)).to(device)
    preprocess = json.loads((Path(folder) / CONFIG).read_text()).get("preprocess_cfg", {})
    transform = image_transform_v2(PreprocessCfg(**preprocess), is_train=False)
    return Clip(model, transform, SimpleTokenizer(context_length=context_length(config)), device)
