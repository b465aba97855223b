"""Eval: probes, few shots, shifts, groups, label sets; two towers and predictors, tars and folders."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from PIL import Image  # noqa: E402

from tests.train import pictures, quick  # noqa: E402
from witbuild.errors import InputError, RecipeError  # noqa: E402
from witbuild.stage import Part, Task  # noqa: E402
from witbuild.train import export, robustness, subgroups  # noqa: E402
from witbuild.train.evaluation import Eval  # noqa: E402
from witbuild.train.model import architecture, build  # noqa: E402
from witbuild.train.penultimate import penultimate  # noqa: E402

Found = dict[tuple[str, str, str], dict[str, Any]]


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("evaluation")


@pytest.fixture(scope="module")
def inputs(folder: Path) -> dict[str, tuple[str, ...]]:
    return quick.learned(folder / "clip")


@pytest.fixture(scope="module")
def shapes(folder: Path) -> str:
    return pictures.labelled(folder / "shapes.tar", 96)


def evaluated(inputs: dict[str, tuple[str, ...]], scratch: Path, **parameters: Any) -> Found:
    stage = Eval(device="cpu", threads=1, decode_threads=2, **parameters)
    (task,) = stage.plan(inputs)
    part: Part = stage.process(Task(task.index, task.sources, task.arguments, str(scratch)))
    return {(row["task"], row["metric"], row["group"]): row for row in part.table.to_pylist()}


def value(found: Found, task: str, metric: str, group: str = "") -> float:
    return float(found[task, metric, group]["value"])


def test_probes_on_another_set(inputs: dict[str, tuple[str, ...]], folder: Path, shapes: str) -> None:
    fit = pictures.labelled(folder / "fit.tar", 80, seed=5)
    found = evaluated(inputs, folder, data=[shapes], fit=[fit], shots=[1, 4, 10, 16], probe_iterations=60)
    assert value(found, "shapes", "accuracy") > 0.6
    assert value(found, "shapes", "linear probe") > 0.8
    assert value(found, "shapes", "linear probe") >= value(found, "shapes", "1-shot")
    assert value(found, "shapes", "10-shot") > value(found, "shapes", "1-shot") > 2 / 8
    assert found["shapes", "4-shot", ""]["deviation"] is not None
    assert found["shapes", "linear probe", ""]["samples"] == 96
    assert 1e-6 <= value(found, "shapes", "linear probe lambda") <= 1e6
    assert ("shapes", "16-shot", "") not in found  # there are ten of each class
    again = evaluated(inputs, folder, data=[shapes], fit=[fit], shots=[4], probe_iterations=60)
    assert again["shapes", "4-shot", ""] == found["shapes", "4-shot", ""]


def darkened(path: Path, count: int) -> str:
    """The same classes, dimmed to a quarter."""
    random, samples = np.random.default_rng(8), []
    for number in range(count):
        name, stream = pictures.CLASSES[number % 8], io.BytesIO()
        image = Image.open(io.BytesIO(pictures.picture(name, random)))
        image.point(lambda light: light // 4).save(stream, "JPEG", quality=92)
        samples.append({"jpg": stream.getvalue(), "cls": name.encode()})
    return pictures.tar(path, samples)


def test_shifted_sets_beside_the_reference(inputs: dict[str, tuple[str, ...]], folder: Path, shapes: str) -> None:
    dark = darkened(folder / "dark.tar", 64)
    baselines = folder / "baselines.csv"
    baselines.write_text("model,task,accuracy\na,shapes,0.5\na,dark,0.3\nb,shapes,0.9\nb,dark,0.6\nc,shapes,0.7\n")
    found = evaluated(inputs, folder, data=[shapes], shifted=[dark], baselines=str(baselines))
    reference, shifted = value(found, "shapes", "accuracy"), value(found, "dark", "accuracy")
    assert shifted < reference
    assert value(found, "dark", "accuracy minus shapes") == pytest.approx(shifted - reference)
    line = robustness.trend([(0.5, 0.3), (0.9, 0.6)])
    assert line.expected(0.5) == pytest.approx(0.3)
    assert line.expected(0.9) == pytest.approx(0.6)
    expected = shifted - line.expected(reference)
    assert value(found, "dark", "effective robustness") == pytest.approx(expected)


def test_the_line_is_numpys() -> None:
    random = np.random.default_rng(0)
    points = [(float(x), float(y)) for x, y in random.uniform(0.05, 0.95, (20, 2))]
    logits = np.log(np.array(points) / (1 - np.array(points)))
    slope, offset = np.polyfit(logits[:, 0], logits[:, 1], 1)
    assert robustness.trend(points) == pytest.approx((slope, offset))


def test_groups_and_label_sets(inputs: dict[str, tuple[str, ...]], folder: Path, shapes: str) -> None:
    groups = folder / "groups.csv"
    colours = [f"{n:06d},{pictures.CLASSES[n % 8].split()[0]},{'even' if n % 2 else ''}" for n in range(96)]
    groups.write_text("key,colour,parity\n" + "\n".join([*colours, "ffffff,none,none"]) + "\n")
    labels = folder / "colours.txt"
    labels.write_text("".join(f"{name}\t{name.split()[0]}\n" for name in pictures.CLASSES) + "nothing at all\n")
    found = evaluated(inputs, folder, data=[shapes], groups=str(groups), label_sets=[str(labels)])
    by_colour = [found["shapes", "accuracy", f"colour={colour}"] for colour in pictures.COLOURS]
    assert [row["samples"] for row in by_colour] == [24] * 4
    mean = sum(row["value"] for row in by_colour) / 4
    assert mean == pytest.approx(value(found, "shapes", "accuracy"))
    assert found["shapes", "accuracy", "parity=even"]["samples"] == 48
    assert not any("none" in group for _, _, group in found)
    shares = [value(found, "shapes/colours", f"labelled {c}") for c in (*pictures.COLOURS, "nothing at all")]
    assert sum(shares) == pytest.approx(1)
    for colour in pictures.COLOURS:
        own = value(found, "shapes/colours", f"labelled {colour}", f"colour={colour}")
        assert own > 2 * value(found, "shapes/colours", f"labelled {colour}")


@pytest.mark.parametrize("name", ["siglip", "bow", "caption", "virtex"])
def test_every_objective_can_be_measured(folder: Path, shapes: str, name: str) -> None:
    inputs = quick.learned(folder / name, name)
    templates = folder / "templates.txt"
    templates.write_text("a {} on paper\n")
    found = evaluated(inputs, folder, data=[shapes], templates=str(templates))
    assert value(found, "shapes", "accuracy") > 3 / 8
    assert value(found, "shapes", "untrained") < 3 / 8
    config, _ = export.read_config(inputs["config"][0])
    features = penultimate(export.read_model(config, inputs["model"][0]), torch.randn(2, 3, 32, 32))
    assert features.shape == (2, {"siglip": 192, "bow": 128}.get(name, 96))


@pytest.mark.parametrize("name", ["ViT-B-32", "RN50", "tiny"])
def test_the_projection_of_the_penultimate_features_is_the_image(name: str) -> None:
    config = architecture(name)
    if name == "RN50":
        config["vision_cfg"] |= {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}
    elif name != "tiny":
        config["vision_cfg"] |= {"image_size": 64, "layers": 1, "width": 64}
    config["text_cfg"] |= {"width": 32, "heads": 2, "layers": 1} if name != "tiny" else {}
    model: Any = build(config, 0).eval()
    side = config["vision_cfg"]["image_size"]
    pixels = torch.randn(3, 3, side, side)
    with torch.no_grad():
        features = penultimate(model, pixels)
        visual = model.visual
        if name == "RN50":
            again = visual.attnpool.c_proj(features)
        else:
            again = visual.proj(features) if name == "tiny" else features @ visual.proj
        torch.testing.assert_close(again, model.encode_image(pixels), atol=1e-5, rtol=1e-4)


def test_a_released_folder_is_an_input(inputs: dict[str, tuple[str, ...]], folder: Path, shapes: str) -> None:
    files = tuple(sorted(str(path) for path in (folder / "clip").iterdir()))
    found = evaluated({"model": files}, folder, data=[shapes])
    assert found == evaluated(inputs, folder, data=[shapes])
    other = folder / "other.json"
    other.write_text("{}")
    assert found == evaluated({"model": files, "config": (str(other),)}, folder, data=[shapes])
    with pytest.raises(RecipeError, match="no weights"):
        evaluated({"model": files[:1]}, folder, data=[shapes])


def test_what_does_not_fit_is_said(inputs: dict[str, tuple[str, ...]], folder: Path, shapes: str) -> None:
    few = pictures.tar(
        folder / "few.tar", [{"jpg": pictures.picture("red disc", np.random.default_rng(0)), "cls": b"x"}]
    )
    with pytest.raises(InputError, match="its 1 classes are not the 8"):
        evaluated(inputs, folder, data=[shapes], fit=[few])
    with pytest.raises(RecipeError, match="2 sets in `fit` for 1"):
        evaluated(inputs, folder, data=[shapes], fit=[few, few])
    with pytest.raises(RecipeError, match="`shifted` needs"):
        evaluated(inputs, folder, retrieval=[shapes], shifted=[shapes])
    bad = folder / "bad.csv"
    bad.write_text("model,task\na,b\n")
    with pytest.raises(InputError, match="expected model, task, accuracy"):
        robustness.read_baselines(str(bad))
    bad.write_text("model,task,accuracy\na,b,71\n")
    with pytest.raises(InputError, match="line 2: accuracy '71'"):
        robustness.read_baselines(str(bad))
    with pytest.raises(InputError, match="two different reference accuracies"):
        robustness.effective({"a": {"m": 0.5}, "b": {"m": 0.4}}, ("a", "b"), (0.5, 0.4))
    bad.write_text("key\n1\n")
    with pytest.raises(InputError, match="columns to group by"):
        subgroups.read_groups(str(bad))
    bad.write_text("\n")
    with pytest.raises(InputError, match="no label"):
        subgroups.read_labels(str(bad))
