"""Train and Eval on generated tars: better than chance, the same after a kill, loadable by open_clip."""

from __future__ import annotations

import json
import math
import signal
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from tests.train import pictures  # noqa: E402
from witbuild.engine.local import LocalEngine  # noqa: E402
from witbuild.errors import EmptyError, InputError, RecipeError  # noqa: E402
from witbuild.io import tables  # noqa: E402
from witbuild.recipe import Recipe  # noqa: E402
from witbuild.runner import run_recipe  # noqa: E402
from witbuild.stage import Part, Stage, Task  # noqa: E402
from witbuild.train import checkpoints, loop  # noqa: E402
from witbuild.train.data import Fed  # noqa: E402
from witbuild.train.evaluation import Eval  # noqa: E402
from witbuild.train.stage import Train  # noqa: E402

SMALL: dict[str, Any] = {
    "model": "tiny", "image_size": 32, "batch_size": 64, "epochs": 8, "lr": 3e-3, "warmup": 8, "threads": 1,
    "checkpoint_every": 5, "device": "cpu", "decode_threads": 2,
}  # fmt: skip


def do(stage: Stage, inputs: Mapping[str, tuple[str, ...]], scratch: Path) -> Part:
    (task,) = stage.plan(inputs)
    return stage.process(Task(task.index, task.sources, task.arguments, str(scratch)))


def scores(part: Part) -> dict[tuple[str, str], float]:
    return {(row["task"], row["metric"]): row["value"] for row in part.table.to_pylist()}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("train")


@pytest.fixture(scope="module")
def tars(folder: Path) -> tuple[str, ...]:
    train = (pictures.captioned(folder / f"train-{i}.tar", 320, seed=i) for i in range(2))
    return (*train, pictures.captioned(folder / "val-0.tar", 40, seed=9))


@pytest.fixture(scope="module")
def trained(folder: Path, tars: tuple[str, ...]) -> Part:
    return do(Train(**SMALL), {"tars": tars}, folder / "scratch")


def evaluated(trained: Part, scratch: Path, tars: tuple[str, ...] = (), **parameters: Any) -> Part:
    inputs = {kind: (str(trained.files[kind]),) for kind in ("model", "config")}
    return do(Eval(device="cpu", **parameters), inputs | ({"tars": tars} if tars else {}), scratch)


def test_it_learns_to_name_what_it_sees(trained: Part, folder: Path, tars: tuple[str, ...]) -> None:
    data = pictures.labelled(folder / "shapes.tar", 160)
    found = scores(evaluated(trained, folder / "eval", tars, data=[data]))
    chance = found["shapes", "chance"]
    assert chance == 1 / 8
    assert found["shapes", "accuracy"] >= 5 * chance
    assert found["shapes", "accuracy@5"] > found["shapes", "accuracy"] or found["shapes", "accuracy"] == 1
    assert found["shapes", "untrained"] < 2.5 * chance
    assert found["image to text", "recall@10"] > 0.5
    assert found["text to image", "chance"] == 1 / 40


def test_the_metrics_count_every_step(trained: Part) -> None:
    rows = trained.table.to_pylist()
    assert [row["step"] for row in rows] == list(range(1, 81))
    assert rows[-1]["samples_seen"] == 80 * 64
    assert rows[0]["learning_rate"] == pytest.approx(3e-3 / 8)
    # a batch of 64 has about eight pictures of each of eight classes: ln 8 is the least that can be had
    assert math.log(8) - 0.1 < rows[-1]["loss"] < 2.4 < rows[0]["loss"]
    logged = [json.loads(line) for line in trained.files["log"].read_text().splitlines()]
    assert [line["loss"] for line in logged] == [row["loss"] for row in rows]


class Killed(BaseException):
    """Stands for a signal."""


@pytest.mark.parametrize("step", [3, 41])
def test_a_killed_run_ends_with_the_same_bits(
    trained: Part, tmp_path: Path, tars: tuple[str, ...], step: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    advance = loop.Trainer._advance

    def dies(self: loop.Trainer, fed: Fed, total: int) -> Any:
        if fed.step == step:
            raise Killed
        return advance(self, fed, total)

    with monkeypatch.context() as patch:
        patch.setattr(loop.Trainer, "_advance", dies)
        with pytest.raises(Killed):
            do(Train(**SMALL), {"tars": tars}, tmp_path)
    found = checkpoints.Checkpoints(str(tmp_path), 5).steps()
    assert found == ([step // 5 * 5] if step >= 5 else [])
    again = do(Train(**SMALL), {"tars": tars}, tmp_path)
    assert again.files["model"].read_bytes() == trained.files["model"].read_bytes()
    assert again.table.equals(trained.table)
    logged = [json.loads(line)["step"] for line in again.files["log"].read_text().splitlines()]
    assert logged == list(range(1, 81))


def test_a_kill_by_signal_ends_with_the_same_bits(trained: Part, tmp_path: Path, tars: tuple[str, ...]) -> None:
    code = f"""
from pathlib import Path
from tests.train.test_train_stage import SMALL, Train, do
do(Train(**SMALL | {{"checkpoint_every": 1}}), {{"tars": {tars!r}}}, Path({str(tmp_path)!r}))
"""
    process = subprocess.Popen([sys.executable, "-c", code], cwd=Path(__file__).parents[2])
    kept = checkpoints.Checkpoints(str(tmp_path), 1)
    while not kept.steps():
        assert process.poll() is None
        time.sleep(0.01)
    time.sleep(0.1)
    process.kill()
    assert process.wait() == -signal.SIGKILL
    assert 0 < kept.steps()[-1] < 80
    again = do(Train(**SMALL), {"tars": tars}, tmp_path)
    assert again.files["model"].read_bytes() == trained.files["model"].read_bytes()


def test_in_a_run_the_newest_model_is_evaluated(tmp_path: Path, tars: tuple[str, ...]) -> None:
    (tmp_path / "tars").mkdir()
    for tar in tars:
        (tmp_path / "tars" / Path(tar).name).symlink_to(tar)
    stages = (Train(**SMALL | {"epochs": 1}), Eval(device="cpu"))
    recipe = Recipe(stages=stages, inputs={"tars": str(tmp_path / "tars")})
    with LocalEngine(1) as engine:
        run = run_recipe(recipe, str(tmp_path / "run"), engine)
    table = tables.read_all(run.paths(run.newest("scores")[1], "scores"))
    assert set(table["task"].to_pylist()) == {"image to text", "text to image"}
    assert not (set(table["samples"].to_pylist()) - {40})


def test_another_seed_gives_other_weights(trained: Part, tmp_path: Path, tars: tuple[str, ...]) -> None:
    other = do(Train(**SMALL | {"seed": 1, "epochs": 1}), {"tars": tars}, tmp_path)
    assert other.table["loss"][0].as_py() != trained.table["loss"][0].as_py()


def test_a_model_of_open_clip_loads_in_open_clip(tmp_path: Path, tars: tuple[str, ...]) -> None:
    config = {
        "embed_dim": 16,
        "vision_cfg": {"image_size": 32, "layers": 1, "width": 32, "head_width": 16, "patch_size": 16},
        "text_cfg": {"context_length": 16, "vocab_size": 49408, "width": 32, "heads": 2, "layers": 1},
    }
    path = tmp_path / "small.json"
    path.write_text(json.dumps(config))
    part = do(Train(**SMALL | {"model": str(path), "image_size": None, "epochs": 1}), {"tars": tars}, tmp_path / "s")
    released = tmp_path / "released"
    released.mkdir()
    part.files["config"].rename(released / "open_clip_config.json")
    part.files["model"].rename(released / "open_clip_model.safetensors")
    theirs = open_clip.create_model(f"local-dir:{released}").eval()
    from witbuild.train import export

    read, seed = export.read_config(str(released / "open_clip_config.json"))
    ours = export.read_model(read, str(released / "open_clip_model.safetensors"))
    pixels, tokens = torch.rand(2, 3, 32, 32), open_clip.tokenize(["a red disc", "paper"], 16)
    assert seed == 0
    assert torch.equal(theirs.encode_image(pixels), ours.encode_image(pixels))
    assert torch.equal(theirs.encode_text(tokens), ours.encode_text(tokens))


def test_samples_that_cannot_be_used_are_counted(tmp_path: Path) -> None:
    good = pictures.captioned(tmp_path / "good.tar", 64)
    bad = [{"jpg": b"\xff\xd8\xffnothing", "txt": b"a red disc"}, {"txt": b"alone"}, {"jpg": b"\xff\xd8\xff"}]
    part = do(
        Train(**SMALL | {"epochs": 4, "batch_size": 32}),
        {"tars": (good, pictures.tar(tmp_path / "bad.tar", bad))},
        tmp_path / "s",
    )
    assert part.dropped == {"no_image": 1, "no_caption": 1, "corrupt_image": 1}


def test_nothing_to_train_on(tmp_path: Path, tars: tuple[str, ...]) -> None:
    with pytest.raises(RecipeError, match="no tars to train on"):
        list(Train().plan({"tars": (tars[-1], str(tmp_path / "index.json"))}))
    with pytest.raises(EmptyError, match="no sample with an image and a caption"):
        do(Train(**SMALL), {"tars": (pictures.tar(tmp_path / "bad.tar", [{"txt": b"a"}]),)}, tmp_path)
    with pytest.raises(RecipeError, match="make batch_size smaller"):
        do(Train(**SMALL | {"batch_size": 4096}), {"tars": tars}, tmp_path)


def test_no_such_model(tmp_path: Path, tars: tuple[str, ...]) -> None:
    with pytest.raises(RecipeError, match="no model 'RN51'"):
        do(Train(**SMALL | {"model": "RN51"}), {"tars": tars}, tmp_path)


def test_folders_and_numbers_as_labels(trained: Part, tmp_path: Path) -> None:
    import numpy as np

    random = np.random.default_rng(0)
    for name in pictures.CLASSES[:3]:
        (tmp_path / "shapes" / name).mkdir(parents=True)
        for number in range(4):
            (tmp_path / "shapes" / name / f"{number}.jpg").write_bytes(pictures.picture(name, random))
    classes = tmp_path / "classes.txt"
    classes.write_text("\n".join(pictures.CLASSES) + "\n")
    templates = tmp_path / "templates.txt"
    templates.write_text("a {} on paper\na {}\n")
    numbered = [{"jpg": pictures.picture(pictures.CLASSES[5], random), "json": b'{"cls": 5}'} for _ in range(8)]
    tar = pictures.tar(tmp_path / "five.tar", numbered)
    data: dict[str, Any] = {"data": [str(tmp_path / "shapes"), tar], "templates": str(templates)}
    found = scores(evaluated(trained, tmp_path / "s", classes=str(classes), **data))
    assert found["shapes", "chance"] == found["five", "chance"] == 1 / 8
    assert found["shapes", "accuracy"] > 0.5
    with pytest.raises(InputError, match="the labels are numbers"):
        evaluated(trained, tmp_path / "s", **data)


def test_nothing_to_evaluate_on(trained: Part, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="nothing to evaluate on"):
        evaluated(trained, tmp_path)


def test_weights_of_another_model(trained: Part, tmp_path: Path) -> None:
    config = json.loads(trained.files["config"].read_text())
    config["model_cfg"]["embed_dim"] = 64
    (tmp_path / "config.json").write_text(json.dumps(config))
    inputs = {"model": (str(trained.files["model"]),), "config": (str(tmp_path / "config.json"),)}
    with pytest.raises(InputError, match="not the weights of this configuration"):
        do(Eval(device="cpu", data=[str(tmp_path)]), inputs, tmp_path)


def test_the_stages_import_without_torch() -> None:
    code = "import sys, witbuild.train.stage; sys.exit(any(m in sys.modules for m in ('torch', 'numpy', 'open_clip')))"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
