"""The stage `score` against open_clip's own interface, on models made here, over any parts, batches and workers."""

from __future__ import annotations

import io
import json
import shutil
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from tests.fetched import Fetched, save, some
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError, RecipeError
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import Settings, run_recipe
from witbuild.train.scoring.stage import Score

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch")

SMALL: dict[str, Any] = {
    "embed_dim": 16,
    "vision_cfg": {"image_size": 32, "layers": 2, "width": 64, "head_width": 32, "patch_size": 16},
    "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
}
"""A vision transformer as open_clip builds them, small."""


def write_model(folder: Path, config: dict[str, Any], seed: int = 0) -> str:
    """A model with drawn weights, in the files that a run and open_clip write."""
    from safetensors.torch import save_file

    from witbuild.train import export
    from witbuild.train.model import build

    folder.mkdir(parents=True)
    export.write_config(folder / "open_clip_config.json", config, seed)
    weights = {name: value.contiguous() for name, value in build(config, seed).state_dict().items()}
    save_file(weights, folder / "open_clip_model.safetensors")
    return str(folder)


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_model(tmp_path_factory.mktemp("models") / "small", SMALL)


def score(place: Path, parts: list[list[Fetched]], workers: int = 1, **parameters: Any) -> Run:
    inputs = save(place / "in", parts)
    with LocalEngine(workers=workers) as engine:
        return run_recipe(Recipe(stages=(Score(**parameters),), inputs=inputs), str(place / "run"), engine)


def column(run: Run, name: str) -> dict[str, float | None]:
    found = tables.read_all(run.paths(run.newest("pairs")[1], "pairs"))
    return dict(zip(found["key"].to_pylist(), found[name].to_pylist(), strict=True))


def reference(folder: str, pairs: list[Fetched]) -> tuple[Any, Any]:
    """Unit features as open_clip's own interface gives them, one pair at a time."""
    import open_clip
    from PIL import Image

    model, _, transform = open_clip.create_model_and_transforms(f"local-dir:{folder}")
    tokenizer = open_clip.get_tokenizer(f"local-dir:{folder}")
    model.eval()
    with torch.inference_mode():
        pixels = [transform(Image.open(io.BytesIO(one.image or b"")).convert("RGB"))[None] for one in pairs]
        images = torch.cat([model.encode_image(one, normalize=True) for one in pixels])
        texts = torch.cat([model.encode_text(tokenizer([one.caption]), normalize=True) for one in pairs])
    return images, texts


def test_the_cosine_is_that_of_open_clip(small: str, tmp_path: Path) -> None:
    pairs = some(7, side=40)
    images, texts = reference(small, pairs)
    found = column(score(tmp_path, [pairs[:4], pairs[4:]], folder=small), "clip_score")
    expected = (images * texts).sum(dim=1).tolist()
    assert [found[one.key] for one in pairs] == pytest.approx(expected, abs=2e-4)
    assert len(set(expected)) == 7


def test_parts_order_and_workers_change_no_bit(small: str, tmp_path: Path) -> None:
    pairs = some(23, side=36)
    one = column(score(tmp_path / "a", [pairs], folder=small, batch_size=8), "clip_score")
    other = score(tmp_path / "b", [pairs[:2:-1], pairs[:3]], workers=2, folder=small, batch_size=8)
    assert column(other, "clip_score") == one
    assert None not in one.values()


def test_a_model_with_encoders_of_ours(tmp_path: Path) -> None:
    from witbuild.train.model import TINY

    folder = write_model(tmp_path / "tiny", TINY)
    found = column(score(tmp_path, [some(3, side=64)], folder=folder), "clip_score")
    assert all(-1 <= (value or 0) <= 1 for value in found.values())
    assert len(set(found.values())) == 3


def stack(*widths: int, relu: bool = True) -> Any:
    """Layers as LAION's safety head has them: linear, ReLU, dropout, ..., linear."""
    torch.manual_seed(1)
    layers: list[Any] = []
    for before, after in pairwise(widths):
        layers += [torch.nn.Linear(before, after), *([torch.nn.ReLU()] if relu else []), torch.nn.Dropout(0.2)]
    return torch.nn.Sequential(*layers[: -2 if relu else -1]).eval()


def test_heads_from_the_files_in_which_they_are_published(small: str, tmp_path: Path) -> None:
    from safetensors.torch import save_file

    safety, looks, linear = stack(16, 24, 8, 1), stack(16, 12, 4, 1, relu=False), torch.nn.Linear(16, 1)
    torch.save({f"layers.{name}": value for name, value in safety.state_dict().items()}, tmp_path / "safety.pt")
    torch.save({"state_dict": looks.state_dict()}, tmp_path / "looks.pth")
    save_file(linear.state_dict(), tmp_path / "watermark.safetensors")
    pairs = some(5, side=40)
    heads = {"unsafe": "safety.pt", "aesthetic": "looks.pth", "watermark": "watermark.safetensors"}
    paths = {what: str(tmp_path / name) for what, name in heads.items()}
    run = score(tmp_path, [pairs], folder=small, heads=paths, sigmoid=["watermark"], clip=False)
    images, _ = reference(small, pairs)
    with torch.inference_mode():
        expected = {"unsafe": safety(images), "aesthetic": looks(images), "watermark": linear(images).sigmoid()}
    for what, scores in expected.items():
        found = column(run, f"{what}_score")
        assert [found[one.key] for one in pairs] == pytest.approx(scores[:, 0].tolist(), abs=1e-3)
    assert set(column(run, "clip_score").values()) == {None}


def test_what_cannot_be_scored_has_no_score(small: str, tmp_path: Path) -> None:
    good, *_ = some(1, side=40)
    missing = Fetched("http://a.test/missing.jpg", "red dog", None)
    broken = Fetched("http://a.test/broken.jpg", "red dog", b"\xff\xd8\xff nothing else")
    found = column(score(tmp_path, [[good, missing, broken]], folder=small), "clip_score")
    assert {key: value is None for key, value in found.items()} == {
        good.key: False,
        missing.key: True,
        broken.key: True,
    }


def test_two_models_share_the_languages(small: str, tmp_path: Path) -> None:
    tags = ["en", "en-GB", "de", None]
    texts = ["a dog", "a boat", "ein Hund", "zwei Hunde spielen im Schnee vor dem Haus"]
    pairs = [
        Fetched(f"http://a.test/{number}.jpg", text, one.image, {"language": tag, "clip_score": 0.5})
        for number, (tag, text, one) in enumerate(zip(tags, texts, some(4, side=40), strict=True))
    ]
    english = column(score(tmp_path / "a", [pairs], folder=small, languages=["en"]), "clip_score")
    others = column(score(tmp_path / "b", [pairs], folder=small, other_than=["en"]), "clip_score")
    assert [english[one.key] == 0.5 for one in pairs] == [False, False, True, True]
    assert [others[one.key] == 0.5 for one in pairs] == [True, True, False, False]


def test_another_threshold_needs_no_second_scoring(small: str, tmp_path: Path) -> None:
    def go(least: float, settings: Settings | None = None) -> Run:
        text = f"stages: [{{score: {{folder: {small}}}}}, {{filter: {{rules: [{{min_clip_score: {least}}}]}}}}]"
        recipe = Recipe.parse(text)
        recipe = Recipe(stages=recipe.stages, inputs=inputs)
        with LocalEngine(workers=1) as engine:
            return run_recipe(recipe, str(tmp_path / "run"), engine, settings)

    inputs = save(tmp_path / "in", [some(6, side=40)])
    all_of_them = go(-1.0)
    assert all_of_them.newest("pairs")[1].rows == 6
    (written,) = (tmp_path / "run" / "01-score" / "pairs").glob("*.parquet")
    before = written.stat().st_mtime_ns
    middle = sorted(value or 0 for value in column(all_of_them, "clip_score").values())[3]
    assert go(middle, Settings(restart_from="filter")).newest("pairs")[1].dropped == {"min_clip_score": 3}
    assert written.stat().st_mtime_ns == before


def fails(folder: Path, parameters: dict[str, Any], inputs: Path) -> str:
    """Run a recipe whose first stage works and whose second cannot; return the error, which comes before any work."""
    stages = (*Recipe.parse("stages: [{filter: {rules: [{min_words: 1}]}}]").stages, Score(**parameters))
    recipe = Recipe(stages=stages, inputs=save(inputs, [some(2)]))
    with LocalEngine(workers=1) as engine, pytest.raises((InputError, RecipeError)) as caught:
        run_recipe(recipe, str(folder / "run"), engine)
    assert not (folder / "run").exists()
    return str(caught.value)


def test_a_missing_model_is_told_before_any_work(small: str, tmp_path: Path) -> None:
    empty = tmp_path / "empty"
    empty.mkdir()
    half = shutil.copytree(small, tmp_path / "half", ignore=shutil.ignore_patterns("*.safetensors"))
    cases: list[tuple[dict[str, Any], str]] = [
        ({"folder": str(tmp_path / "none")}, "none: is no folder; expected a model of open_clip's form: open_clip_c"),
        ({"folder": str(empty)}, "empty: holds nothing; expected"),
        ({"folder": str(half)}, "half: holds open_clip_config.json; expected a model of open_clip's form"),
        ({"model": "ViT-B-32/nonsense"}, "no such weights; ViT-B-32 has openai, laion400m_e31"),
        ({"model": "Nothing"}, "no such weights; see open_clip.list_pretrained()"),
        (
            {"folder": small, "heads": {"face": str(tmp_path / "f.pt")}},
            "f.pt: no such file; it is the head of face_score",
        ),
    ]
    for number, (parameters, message) in enumerate(cases):
        assert message in fails(tmp_path / str(number), parameters, tmp_path / "in" / str(number))


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"no weights", "not a state dict of torch"),
        (
            {"weight": torch.zeros(1, 9), "bias": torch.zeros(1)},
            "layers of 9 to 1; expected some that lead from 16 feat",
        ),
        ({"weight": torch.zeros(2, 16), "bias": torch.zeros(2)}, "layers of 16 to 2; expected"),
        ({"norm.weight": torch.zeros(16), "norm.bias": torch.zeros(16)}, "norm.bias, norm.weight: not a linear layer"),
        ([1, 2], "not a state dict of torch"),
    ],
)
def test_a_head_that_is_none(small: str, tmp_path: Path, content: Any, message: str) -> None:
    from witbuild.train.scoring.heads import read_head

    path = tmp_path / "head.pt"
    path.write_bytes(content) if isinstance(content, bytes) else torch.save(content, path)
    with pytest.raises(InputError, match=message):
        read_head(str(path), 16, relu=False, sigmoid=False)


def test_weights_that_do_not_fit_their_configuration(small: str, tmp_path: Path) -> None:
    folder = shutil.copytree(small, tmp_path / "model")
    config = json.loads((folder / "open_clip_config.json").read_text())
    config["model_cfg"]["embed_dim"] = 8
    (folder / "open_clip_config.json").write_text(json.dumps(config))
    with pytest.raises(InputError, match=r"model: cannot be loaded .*its configuration and its weights do not fit"):
        score(tmp_path, [some(2)], folder=str(folder))


def test_recipes_and_rules_do_not_load_torch() -> None:
    program = (
        "import sys; from witbuild.recipe import Recipe; from witbuild.stages.filter.rules import RULES;"
        "Recipe.parse('stages: [{score: {model: ViT-B-32/openai}}, {filter: {rules: [{min_clip_score: 0.3}]}}]');"
        "sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", program], check=False).returncode == 0
