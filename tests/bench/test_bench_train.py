"""Training beside open_clip_train 3.3.0: from the same JPEG tars, the same model, one thread, fp32, on a CPU.

Stored photographs of shorter side 256, quality 90, cropped to 224; captions of a log-normal number of words (median 9).
Data path: both sides make a batch of pixels and token ids, their side by its own loader without worker processes.
witbuild's index (where images lie, captions as token ids) is made once a data set and timed by itself.
Training: both sides do whole steps of the same small ViT and text transformer with AdamW; theirs is train_one_epoch.
What witbuild tells the C library to do with freed memory holds for both, as they run in one process here.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")
open_clip = pytest.importorskip("open_clip")
pytest.importorskip("open_clip_train")

from tests.bench import training  # noqa: E402
from tests.bench.conftest import Bench, Side  # noqa: E402
from witbuild.train import attention, pixels  # noqa: E402
from witbuild.train.data import Indexed  # noqa: E402
from witbuild.train.device import choose  # noqa: E402
from witbuild.train.loop import Settings, Trainer  # noqa: E402
from witbuild.train.model import build  # noqa: E402
from witbuild.train.order import Order  # noqa: E402
from witbuild.train.pixels import Loader  # noqa: E402
from witbuild.train.schedule import Optimisation  # noqa: E402
from witbuild.train.shelf import Index, indexed  # noqa: E402
from witbuild.train.step import Contrastive  # noqa: E402
from witbuild.train.world import ALONE  # noqa: E402

pytestmark = [pytest.mark.bench, pytest.mark.filterwarnings("default")]
SAMPLES, TRAINED, BATCH = 2_048, 1_024, 128
PLAN = Optimisation(lr=5e-4, wd=0.2, beta1=0.9, beta2=0.98, eps=1e-6, warmup=4)
MODELS = {"width 64, 2 layers": (64, 2), "width 128, 4 layers": (128, 4)}


@pytest.fixture(scope="module", autouse=True)
def one_thread() -> Iterator[None]:
    before = torch.get_num_threads()
    choose("cpu", 1)
    logging.getLogger().setLevel(logging.WARNING)
    yield
    torch.set_num_threads(before)


@pytest.fixture(scope="module")
def tars(tmp_path_factory: pytest.TempPathFactory) -> list[str]:
    return training.write_tars(tmp_path_factory.mktemp("tars"), SAMPLES)


@pytest.fixture(scope="module")
def index(tars: list[str], tmp_path_factory: pytest.TempPathFactory) -> Index:
    return indexed(tars, tmp_path_factory.mktemp("index"), context_length=77)


def ours(index: Index, samples: int) -> Indexed:
    loader = Loader(index.images, size=224, side=256, workers=1)
    return Indexed(Order((SAMPLES,), BATCH, 0, epoch_samples=samples), loader, index.captions, ALONE)


def test_data_path(bench: Bench, tars: list[str], index: Index, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "CACHE_BYTES", 0)  # a data set that does not fit is never found decoded
    data = ours(index, SAMPLES)
    peer = training.their_data(training.their_arguments(tars, SAMPLES, BATCH), 224)

    def mine() -> None:
        for step in range(SAMPLES // BATCH):
            data.batch(step)

    def theirs() -> None:
        assert sum(len(images) for images, _ in peer.dataloader) == SAMPLES

    sides = {"witbuild": Side(mine, SAMPLES), "open_clip_train 3.3.0": Side(theirs, SAMPLES)}
    rates = bench.compare("data path", "samples", sides)
    bench.note(f"{rates['witbuild'] / rates['open_clip_train 3.3.0']:.1f} times the samples a CPU second; goal 5.")
    data.close()
    lengths = index.captions.lengths(np.arange(SAMPLES))
    bench.note(
        f"Captions have {lengths.mean():.1f} token ids on average, {lengths.max()} at most; theirs are padded to 77."
    )


def test_index(bench: Bench, tars: list[str], tmp_path: Path) -> None:
    indexed(tars, tmp_path / "warm", context_length=77)
    made = iter(range(99))
    rate = bench.compare(
        "index and tokens, once", "samples",
        {"witbuild": Side(lambda: indexed(tars, tmp_path / str(next(made)), context_length=77), SAMPLES)},
    )["witbuild"]  # fmt: skip
    bench.note(f"The index costs {1e3 / rate:.3f} ms a sample, once.")


@pytest.mark.parametrize("name", MODELS)
def test_training(bench: Bench, tars: list[str], index: Index, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(pixels, "CACHE_BYTES", 0)
    config = training.config(*MODELS[name])
    model, other = build(config, 0), build(config, 0)
    attention.look_back(model)
    data = ours(index, TRAINED)

    def mine() -> None:
        Trainer(model, Contrastive(), PLAN, Settings(epochs=1, seed=0, precision="fp32")).run(data)

    sides = {"witbuild": Side(mine, TRAINED), "open_clip_train 3.3.0": Side(their_epoch(tars, other), TRAINED)}
    rates = bench.compare(f"training, {name}", "samples", sides)
    data.close()
    bench.note(f"Training, {name}: {rates['witbuild'] / rates['open_clip_train 3.3.0']:.1f} times; goal 2.")


def their_epoch(tars: list[str], model: Any) -> Any:
    """Return what trains open_clip_train's way for one epoch."""
    from open_clip.loss import ClipLoss
    from open_clip_train.scheduler import cosine_lr
    from open_clip_train.train import train_one_epoch

    args = training.their_arguments(tars, TRAINED, BATCH)
    data = {"train": training.their_data(args, 224)}
    model.output_dict = True

    def run() -> None:
        decayed = [p for n, p in model.named_parameters() if p.ndim >= 2]
        rest = [p for n, p in model.named_parameters() if p.ndim < 2]
        groups = [{"params": rest, "weight_decay": 0.0}, {"params": decayed, "weight_decay": PLAN.wd}]
        optimiser = torch.optim.AdamW(groups, lr=PLAN.lr, betas=(PLAN.beta1, PLAN.beta2), eps=PLAN.eps)
        rates = cosine_lr(optimiser, PLAN.lr, PLAN.warmup, TRAINED // BATCH)
        train_one_epoch(model, data, ClipLoss(), 0, optimiser, None, rates, None, args)

    return run
