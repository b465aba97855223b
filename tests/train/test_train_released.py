"""A released model: equal in open_clip and in transformers, tokens and pixels too; what its card says."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

import yaml  # noqa: E402
from PIL import Image  # noqa: E402

from witbuild.engine.local import LocalEngine  # noqa: E402
from witbuild.errors import InputError  # noqa: E402
from witbuild.io import tables  # noqa: E402
from witbuild.recipe import Recipe  # noqa: E402
from witbuild.runner import run_recipe  # noqa: E402
from witbuild.schema import METRICS, SCORES  # noqa: E402
from witbuild.stage import Inputs, Part, Stage, Task  # noqa: E402
from witbuild.train import export, transformers_clip  # noqa: E402
from witbuild.train.model import TINY, architecture, build  # noqa: E402
from witbuild.train.released import release  # noqa: E402

VISION = {"image_size": 32, "layers": 2, "width": 48, "head_width": 16, "patch_size": 8}
TEXT = {"context_length": 20, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 2}
SMALL: dict[str, Any] = {"embed_dim": 24, "vision_cfg": VISION, "text_cfg": TEXT}
TEXTS = ["a red disc", "Two   green Squares, on paper!", "", "naïve café ☃ 雪", "don't stop: it's 42 km/h (or more)"]


class Trained(Stage):
    """Stands for `train`: random weights of an architecture."""

    name: ClassVar = "train"
    output: ClassVar = "metrics"
    reproducible: ClassVar = False
    files: ClassVar = {"model": ".safetensors", "config": ".json"}
    model: str = "small"
    objective: str = "clip"
    architecture: dict[str, Any]

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        return [Task(0, inputs)]

    def process(self, task: Task) -> Part:
        paths = {kind: task.scratch_file(f"{kind}{extension}") for kind, extension in self.files.items()}
        export.write_weights(paths["model"], build(self.architecture, 3).state_dict())
        export.write_config(paths["config"], self.architecture, 3)
        row = {"step": 7, "samples_seen": 448, "loss": 1.25, "scale": 14.0, "learning_rate": 0.0, "gradient_norm": 1.0}
        return Part(tables.from_rows([row], METRICS), files=paths)


class Measured(Stage):
    """Stands for `eval`."""

    name: ClassVar = "eval"
    reads: ClassVar = ("model",)
    output: ClassVar = "scores"
    reproducible: ClassVar = False

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        return [Task(0, inputs)]

    def process(self, task: Task) -> Part:
        row = {
            "task": "pets|`x`",
            "metric": "4-shot",
            "value": 0.75,
            "samples": 12,
            "group": "age=old",
            "deviation": 0.1,
        }
        return Part(tables.from_rows([row], SCORES))


def trained(root: Path, config: dict[str, Any], *, measured: bool = False) -> str:
    stages = (Trained(architecture=config), Measured()) if measured else (Trained(architecture=config),)
    with LocalEngine(1) as engine:
        run_recipe(Recipe(stages=stages), str(root), engine)
    return str(root)


@pytest.fixture(scope="module", params=["gelu", "quick_gelu"])
def released(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("released")
    config = SMALL | ({"quick_gelu": True} if request.param == "quick_gelu" else {})
    assert release(trained(folder / "run", config, measured=True), str(folder / "model"), licence="MIT") == ""
    return folder / "model"


def random_inputs() -> tuple[Any, Any]:
    return torch.randn(3, 3, 32, 32), open_clip.get_tokenizer("ViT-B-32", context_length=20)(TEXTS)


def test_open_clip_and_transformers_agree(released: Path) -> None:
    transformers = pytest.importorskip("transformers")
    theirs = open_clip.create_model(f"local-dir:{released}").eval()
    other, notes = transformers.CLIPModel.from_pretrained(released, output_loading_info=True)
    assert not notes["missing_keys"] and not notes["unexpected_keys"]
    pixels, tokens = random_inputs()
    with torch.no_grad():
        out = other.eval()(input_ids=tokens, pixel_values=pixels)
        images, texts = theirs.encode_image(pixels, normalize=True), theirs.encode_text(tokens, normalize=True)
        torch.testing.assert_close(out.image_embeds, images, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(out.text_embeds, texts, atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(out.logits_per_image, theirs.get_logits(pixels, tokens)[0], atol=1e-4, rtol=1e-5)


def test_the_tokens_are_the_same(released: Path) -> None:
    transformers = pytest.importorskip("transformers")
    tokenizer = transformers.CLIPTokenizer.from_pretrained(released)
    _, tokens = random_inputs()
    for text, own in zip(TEXTS, tokens.tolist(), strict=True):
        ids = tokenizer(text, truncation=True, max_length=20)["input_ids"]
        assert ids == own[: own.index(49407) + 1]


def test_padding_as_transformers_does_changes_nothing(released: Path) -> None:
    transformers = pytest.importorskip("transformers")
    model = transformers.CLIPModel.from_pretrained(released).eval()
    tokenizer = transformers.CLIPTokenizer.from_pretrained(released)
    batch = tokenizer(TEXTS, padding="max_length", truncation=True, max_length=20, return_tensors="pt")
    theirs = open_clip.create_model(f"local-dir:{released}").eval()
    with torch.no_grad():
        out = model(pixel_values=torch.zeros(1, 3, 32, 32), **batch).text_embeds
        own = theirs.encode_text(random_inputs()[1], normalize=True)
    torch.testing.assert_close(out, own, atol=1e-5, rtol=1e-5)


def test_the_pixels_are_the_same(released: Path) -> None:
    transformers = pytest.importorskip("transformers")
    image = Image.fromarray(np.random.default_rng(0).integers(0, 255, (32, 32, 3), dtype=np.uint8))
    processor = transformers.CLIPImageProcessor.from_pretrained(released)
    _, _, preprocess = open_clip.create_model_and_transforms(f"local-dir:{released}")
    torch.testing.assert_close(processor(image, return_tensors="pt")["pixel_values"][0], preprocess(image))


def test_the_card_says_what_the_run_knows(released: Path) -> None:
    text = (released / "README.md").read_text()
    head = yaml.safe_load(text.split("---")[1])
    assert head["license_name"] == "MIT" and "transformers" in head["tags"]
    assert "7 steps, 448 samples seen, last loss 1.2500 nats; seed 3." in text
    assert r"| `pets\|'x'` | `4-shot` | `age=old` | 0.75 ± 0.100 | 12 |" in text
    assert "local-dir:FOLDER" in text and "CLIPModel.from_pretrained" in text
    assert "came from outside of this run" in text
    assert "## Limits" in text and "decontaminate" in text


@pytest.mark.parametrize(
    ("config", "words"),
    [
        (TINY, "witbuild's own encoders"),
        (SMALL | {"init_logit_bias": -10.0}, "no bias beside its scale"),
        (SMALL | {"text_cfg": TEXT | {"no_causal_mask": True}}, "nothing like no_causal_mask"),
    ],
)
def test_what_transformers_lacks_is_said(tmp_path: Path, config: dict[str, Any], words: str) -> None:
    obstacle = release(trained(tmp_path / "run", config), str(tmp_path / "model"))
    assert words in obstacle
    assert not (tmp_path / "model" / "config.json").exists()
    card = (tmp_path / "model" / "README.md").read_text()
    assert f"Not in transformers: {obstacle}." in card
    assert "Not evaluated in this run." in card
    assert ("read_model" in card) == (config is TINY)
    assert "nothing is said; ask" in card
    found, seed = export.read_config(str(tmp_path / "model" / "open_clip_config.json"))
    assert (found, seed) == (config, 3)
    export.read_model(found, str(tmp_path / "model" / "open_clip_model.safetensors"))


def test_resnets_have_no_class_there() -> None:
    assert "no class for a ResNet" in transformers_clip.obstacle(architecture("RN50"))
    for name in ("ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-L-14-336", "ViT-B-32-quickgelu"):
        assert transformers_clip.obstacle(architecture(name)) == ""


def test_a_run_without_a_model(tmp_path: Path) -> None:
    with pytest.raises(InputError):
        release(str(tmp_path), str(tmp_path / "model"))


@pytest.mark.parametrize("given", ["set", "set/data", "."])
def test_the_root_of_a_released_data_set_is_told(tmp_path: Path, given: str) -> None:
    place = tmp_path / "dataset" if given == "." else tmp_path / "set"
    (place / "data").mkdir(parents=True)
    (place / "manifest.json").write_text(json.dumps({"root": "abc123", "files": []}))
    root = trained(tmp_path / "run", TINY)
    recipe = tmp_path / "run" / "recipe.yaml"
    recipe.write_text(yaml.safe_dump(yaml.safe_load(recipe.read_text()) | {"inputs": {"tars": str(tmp_path / given)}}))
    release(root, str(tmp_path / "model"))
    assert "Merkle root of the data set: `abc123`" in (tmp_path / "model" / "README.md").read_text()


def test_the_end_token_is_the_real_one(released: Path) -> None:
    config = json.loads((released / "config.json").read_text())
    assert config["text_config"]["eos_token_id"] == 49407
    assert config["text_config"]["hidden_act"] == config["vision_config"]["hidden_act"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["ViT-B-32", "ViT-B-16", "ViT-L-14", "ViT-B-32-quickgelu"])
def test_whole_architectures_agree(tmp_path: Path, name: str) -> None:
    transformers = pytest.importorskip("transformers")
    assert release(trained(tmp_path / "run", architecture(name)), str(tmp_path / "model")) == ""
    theirs = open_clip.create_model(f"local-dir:{tmp_path / 'model'}").eval()
    other = transformers.CLIPModel.from_pretrained(tmp_path / "model").eval()
    pixels, tokens = torch.randn(2, 3, 224, 224), open_clip.get_tokenizer("ViT-B-32")(TEXTS[:2])
    with torch.no_grad():
        out = other(input_ids=tokens, pixel_values=pixels)
        torch.testing.assert_close(out.image_embeds, theirs.encode_image(pixels, normalize=True), atol=1e-5, rtol=1e-5)
        torch.testing.assert_close(out.text_embeds, theirs.encode_text(tokens, normalize=True), atol=1e-5, rtol=1e-5)
