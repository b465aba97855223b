"""The trainer's options, each at toy size on a CPU: processes, checkpoints by rule, averages, logs, resolutions."""

from __future__ import annotations

import json
import sys
import types
from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")
safetensors = pytest.importorskip("safetensors.torch")
pytestmark = pytest.mark.train

from tests.train import pictures, small  # noqa: E402
from witbuild.errors import InputError, MissingExtraError, RecipeError, WorkerError  # noqa: E402
from witbuild.stage import Part, Task  # noqa: E402
from witbuild.train import average, launch, start  # noqa: E402
from witbuild.train.checkpoints import Checkpoints  # noqa: E402
from witbuild.train.flops import pair_flops  # noqa: E402
from witbuild.train.stage import Train  # noqa: E402

TAR_SIZE, STEPS = 48, 6


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    folder = tmp_path_factory.mktemp("tars")
    return [pictures.captioned(folder / f"{number}.tar", TAR_SIZE, seed=number) for number in range(2)]


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> str:
    path = tmp_path_factory.mktemp("model") / "small.json"
    path.write_text(json.dumps(small.CONFIG))
    return str(path)


def do(scratch: Path, tars: list[str], **parameters: Any) -> Part:
    known: dict[str, Any] = {
        "batch_size": 32, "epochs": 2, "lr": 1e-3, "warmup": 2, "device": "cpu", "threads": 1, "decode_threads": 1,
    }  # fmt: skip
    stage = Train(train_data="::".join(tars), **known | parameters)
    (task,) = stage.plan({})
    return stage.process(Task(task.index, task.sources, task.arguments, str(scratch)))


def weights(part: Part) -> dict[str, Any]:
    return dict(safetensors.load_file(part.files["model"]))


def losses(part: Part) -> list[float]:
    return list(part.table["loss"].to_pylist())


@pytest.fixture(scope="module")
def plain(tars: list[str], model: str, tmp_path_factory: pytest.TempPathFactory) -> Part:
    return do(tmp_path_factory.mktemp("plain"), tars, model=model)


def close(part: Part, plain: Part, tolerance: float = 1e-5) -> None:
    assert losses(part) == pytest.approx(losses(plain), abs=tolerance)


# ---- what changes no result


@pytest.mark.parametrize("options", [{"micro_batch": 7}, {"grad_checkpointing": True}], ids=str)
def test_what_saves_memory_changes_nothing(
    options: dict[str, Any], tars: list[str], model: str, plain: Part, tmp_path: Path
) -> None:
    close(do(tmp_path, tars, model=model, **options), plain)


@pytest.mark.slow
@pytest.mark.parametrize("fsdp", ["auto", "always"])
def test_two_processes_change_nothing(fsdp: str, tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    part = do(tmp_path, tars, model=model, processes=2, fsdp=fsdp)
    close(part, plain)
    assert part.dropped == plain.dropped
    assert weights(part).keys() == weights(plain).keys()


@pytest.mark.slow
@pytest.mark.timeout(1200)
@pytest.mark.filterwarnings("default:The .grad attribute of a Tensor")
def test_compiled_encoders_change_nothing(tars: list[str], model: str, tmp_path: Path) -> None:
    few: dict[str, Any] = {"model": model, "train_num_samples": 32}
    compiled = do(tmp_path / "compiled", tars, torchcompile=True, **few)
    close(compiled, do(tmp_path / "plain", tars, **few), 1e-4)


def test_half_precision_is_near(tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    part = do(tmp_path, tars, model=model, precision="amp_bf16")
    assert losses(part) == pytest.approx(losses(plain), abs=0.05) and losses(part) != losses(plain)


def test_a_training_that_is_over_is_not_done_again(tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    first = do(tmp_path, tars, model=model)
    before = {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()}
    again = do(tmp_path, tars, model=model)
    assert {path.name: path.stat().st_mtime_ns for path in tmp_path.iterdir()} == before
    assert again.table.equals(first.table) and again.files == first.files


def test_what_a_process_raises_is_raised_here(tars: list[str], tmp_path: Path) -> None:
    task = Task(0, {}, {}, str(tmp_path))
    task.scratch_file(launch.ERROR).write_text(json.dumps({"kind": "RecipeError", "message": "too small"}))
    assert isinstance(launch._error(task, 1), RecipeError)
    task.scratch_file(launch.ERROR).unlink()
    task.scratch_file(launch.STDERR).write_text("Segmentation fault")
    with pytest.raises(WorkerError, match="Segmentation fault"):
        raise launch._error(task, -11)


@pytest.mark.slow
def test_a_process_that_cannot_train_says_why(tars: list[str], model: str, tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="is no multiple of 2 processes"):
        do(tmp_path, tars, model=model, processes=2, batch_size=31)


# ---- what changes it as it should


def test_a_moving_average_is_written_instead_of_the_last_weights(
    tars: list[str], model: str, plain: Part, tmp_path: Path
) -> None:
    part = do(tmp_path, tars, model=model, ema=0.5)
    close(part, plain)
    name = "visual.proj"
    state = Checkpoints(str(tmp_path), 1).latest()
    assert state is None and not torch.equal(weights(part)[name], weights(plain)[name])
    near = do(tmp_path / "near", tars, model=model, ema=0.01)
    assert (weights(near)[name] - weights(plain)[name]).abs().max() < 1e-4


def test_gradients_are_cut_to_a_length(tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    norms = plain.table["gradient_norm"].to_pylist()
    assert min(norms) > 0.01
    free, cut = (do(tmp_path / str(c), tars, model=model, grad_clip_norm=c) for c in (1e6, 1e-3))
    close(free, plain, 0.0)
    assert cut.table["gradient_norm"][0].as_py() == pytest.approx(norms[0])
    assert losses(cut) != losses(plain)


def test_an_extra_epoch_at_a_higher_resolution(tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    begun = str(plain.files["model"])
    part = do(tmp_path, tars, model=model, image_size=48, epochs=1, lr=1e-5, pretrained=[begun])
    assert weights(plain)["visual.positional_embedding"].shape == (5, 32)
    assert weights(part)["visual.positional_embedding"].shape == (10, 32)
    assert losses(part)[0] < losses(plain)[0]
    config = json.loads(part.files["config"].read_text())
    assert config["model_cfg"]["vision_cfg"]["image_size"] == config["preprocess_cfg"]["size"][0] == 48
    with pytest.raises(InputError, match="pretrained: not the weights of this model"):
        do(tmp_path / "tiny", tars, model="tiny", image_size=32, pretrained=[begun])


def test_a_source_is_seen_as_often_as_its_weight_says(tars: list[str], model: str, tmp_path: Path) -> None:
    part = do(tmp_path, tars, model=model, train_data_upsampling_factors="3::1", train_num_samples=64)
    assert part.table.num_rows == 2 * 2
    assert part.table["samples_seen"].to_pylist() == [32, 64, 96, 128]


def test_a_run_without_tars_is_refused_before_any_work() -> None:
    assert Train().steps()[0].reads == ("tars",)
    (elsewhere,) = Train(train_data="a.tar", seed=3).steps()
    assert elsewhere.reads == () and elsewhere.name == "train"
    assert elsewhere.model_dump() == Train(train_data="a.tar", seed=3).model_dump()


def test_a_stream_is_trained_on(tars: list[str], model: str, tmp_path: Path) -> None:
    streams = [f"pipe:cat {tar}" for tar in tars]
    part = do(tmp_path, streams, model=model, train_num_samples=96)
    assert part.table.num_rows == STEPS and losses(part)[-1] < losses(part)[0] + 0.5
    with pytest.raises(RecipeError, match="is a stream, which has no index"):
        do(tmp_path / "bow", streams, model=model, train_num_samples=96, objective="bow")


def test_memory_that_an_encoder_cannot_save(tars: list[str], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="grad_checkpointing: this image encoder has none"):
        do(tmp_path, tars, model="tiny", image_size=32, grad_checkpointing=True)


def test_no_such_device(tars: list[str], tmp_path: Path) -> None:
    with pytest.raises(RecipeError, match="device 'gpu': no such device"):
        do(tmp_path, tars, model="tiny", device="gpu", processes=1)


# ---- checkpoints


def test_checkpoints_are_kept_by_rule_and_begun_from(tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    kept = Checkpoints(str(tmp_path / "kept"), 1)
    part = do(
        tmp_path / "a", tars, model=model, checkpoints=kept.folder, checkpoint_every=1, keep_checkpoints=2, keep_every=3
    )
    assert kept.steps() == [3, 5, 6]
    close(part, plain, 0.0)
    for resume, steps in (("latest", 6), ("none", 0), (kept.path(3), 3)):
        again = do(tmp_path / str(steps), tars, model=model, checkpoints=str(tmp_path / f"c{steps}"), resume=resume)
        assert again.table.equals(plain.table)
        assert again.files["model"].read_bytes() == plain.files["model"].read_bytes()


def test_checkpoints_on_an_object_store(tmp_path: Path) -> None:
    kept = Checkpoints("memory://checkpoints/run", every_steps=10, keep=2)
    for step in (10, 20, 30):
        kept.save(step, {"step": step, "weights": {"a": torch.ones(2)}})
    assert kept.steps() == [20, 30]
    state = kept.latest()
    assert state is not None and state["step"] == 30 and torch.equal(state["weights"]["a"], torch.ones(2))
    assert Checkpoints("memory://nothing", 1).latest() is None


def test_a_checkpoint_is_due_by_step_or_by_time(monkeypatch: pytest.MonkeyPatch) -> None:
    now = [0.0]
    monkeypatch.setattr("witbuild.train.checkpoints.time.monotonic", lambda: now[0])
    kept = Checkpoints("folder", every_steps=4, every_seconds=60, keep_every=6, _saved=0.0)
    assert [step for step in range(1, 13) if kept.due(step)] == [4, 6, 8, 12]
    assert not kept.late()
    now[0] = 60.0
    assert kept.late()
    assert not Checkpoints("folder", every_steps=4).late()


def test_checkpoints_that_cannot_be_used(tars: list[str], model: str, tmp_path: Path) -> None:
    (tmp_path / "step-000000003.pt").write_bytes(b"PK\x03\x04 cut short")
    with pytest.raises(InputError, match=r"step-000000003.pt: no checkpoint that can be read"):
        do(tmp_path, tars, model=model)
    do(tmp_path / "other", tars, model=model, checkpoint_every=3)
    with pytest.raises(InputError, match="the checkpoint is of another model"):
        do(tmp_path / "tiny", tars, model="tiny", image_size=32, resume=str(tmp_path / "other" / "step-000000006.pt"))


# ---- logs, averages, operations


def test_logs_go_where_they_are_sent(
    tars: list[str], model: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(MissingExtraError, match=r"witbuild\[wandb\]"):
        do(tmp_path / "missing", tars, model=model, report_to="wandb")
    lines: list[tuple[dict[str, float], int]] = []
    run = types.SimpleNamespace(log=lambda values, step: lines.append((values, step)), finish=lambda: None)
    module = types.ModuleType("wandb")
    module.__spec__ = types.SimpleNamespace(name="wandb")  # type: ignore[assignment]
    module.init = lambda **_: run  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "wandb", module)
    part = do(tmp_path, tars, model=model, report_to="wandb")
    assert [step for _, step in lines] == list(range(1, STEPS + 1))
    assert [values["train/loss"] for values, _ in lines] == losses(part)
    logged = [json.loads(line) for line in part.files["log"].read_text().splitlines()]
    assert all(0 <= line["data_wait"] <= 1 and line["samples_per_second"] > 0 for line in logged)
    assert logged[0]["mfu"] is None  # of a CPU no peak is named
    told = json.loads((tmp_path / "progress.json").read_text())
    assert told["total"] == STEPS and told["statuses"]["samples"] == 32 * told["done"] > 0


def test_a_soup_is_the_mean() -> None:
    one, other = ({"w": torch.full((2,), value), "n": torch.tensor(count)} for value, count in ((1.0, 3), (4.0, 5)))
    found = average.soup([one, other])
    assert found["w"].tolist() == [2.5, 2.5] and found["n"].item() == 3
    with pytest.raises(ValueError, match="not the same parameters"):
        average.soup([one, {"w": torch.ones(3), "n": torch.tensor(1)}])


def test_useful_operations_of_known_models() -> None:
    """ViT-B/32 is worth 44.1 GFLOP a pair at 77 tokens and 29.9 at 16, forward and backward."""
    from witbuild.train.model import architecture, build

    with torch.device("meta"):
        large = build(architecture("ViT-B-32"), 0)
    assert pair_flops(large, 224, 77) == pytest.approx(44.1e9, rel=0.03)
    assert pair_flops(large, 224, 16) == pytest.approx(29.9e9, rel=0.03)


def test_weights_that_are_none(tmp_path: Path) -> None:
    (tmp_path / "a.safetensors").write_bytes(b"nothing")
    with pytest.raises(InputError, match=r"a.safetensors: pretrained: no safetensors"):
        start.load(small.model(), [str(tmp_path / "a.safetensors")])


def test_a_soup_of_models_is_written(tars: list[str], model: str, plain: Part, tmp_path: Path) -> None:
    other = do(tmp_path / "other", tars, model=model, seed=1)
    both = [str(part.files["model"]) for part in (plain, other)]
    found = do(tmp_path / "soup", tars, model=model, epochs=0, pretrained=both)
    assert found.table.num_rows == 0
    for name, value in weights(found).items():
        torch.testing.assert_close(value, (weights(plain)[name] + weights(other)[name]) / 2, atol=1e-7, rtol=1e-6)
