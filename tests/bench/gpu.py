"""Training on a GPU: end to end beside open_clip_train, utilisation, exact large batches, the loss, the data path.

Captions: a log-normal number of words, median 9, 90% between 3 and 25; images: made-up photographs, shorter side 256,
quality 90. Both sides alternate; a figure is the median of its turns. MFU counts useful operations only: those of the
model on the captions' own mean length, three times the forward pass, over the peak that the device's maker names.
"""

from __future__ import annotations

import argparse
import logging
import resource
import statistics
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import numpy as np
import torch

from tests.bench import training
from witbuild.train import attention, start
from witbuild.train.batch import Batch
from witbuild.train.captions import tokenise
from witbuild.train.data import Fed, Indexed
from witbuild.train.device import choose, cores, peak
from witbuild.train.flops import pair_flops
from witbuild.train.loop import Settings, Trainer
from witbuild.train.loss import contrastive_loss
from witbuild.train.model import architecture, build
from witbuild.train.order import Order
from witbuild.train.pixels import Loader
from witbuild.train.schedule import Optimisation
from witbuild.train.shelf import indexed
from witbuild.train.step import Contrastive
from witbuild.train.world import ALONE

ROOT = Path(__file__).resolve().parents[2]
PLAN = Optimisation(lr=5e-4, wd=0.2, beta1=0.9, beta2=0.98, eps=1e-6, warmup=2_000)
HEAD = "| part | side | size | result | goal |\n|---|---|---|---|---|\n"


@dataclass(frozen=True)
class Model:
    """A model to be measured: its configuration, pairs at once, and the share of the peak that is the goal."""

    config: dict[str, Any]
    batch: int
    goal: str = ""


@dataclass(frozen=True)
class Size:
    """How large everything is."""

    device: str
    main: Model
    others: dict[str, Model]
    samples: int
    pictures: int
    turns: int
    steps: int
    compiled: bool
    exact: int
    loss: int
    dim: int
    workers: int


def full() -> Size:
    names = {"ViT-B-32": (4_096, "45%"), "ViT-B-16": (1_024, "50%"), "ViT-L-14": (512, "55%"), "RN50": (1_024, "35%")}
    models = {name: Model(architecture(name), batch, goal) for name, (batch, goal) in names.items()}
    return Size(
        "cuda", models["ViT-B-32"], models, samples=49_152, pictures=96, turns=3, steps=10, compiled=True,
        exact=32_768, loss=131_072, dim=512, workers=cores(),
    )  # fmt: skip


def toy() -> Size:
    config = training.config(32, 1, size=64)
    resnet = {**config, "vision_cfg": {"image_size": 64, "layers": [1, 1, 1, 1], "width": 8}}
    models = {"small ViT": Model(config, 8, "45%"), "small ResNet": Model(resnet, 8, "35%")}
    return Size(
        "cpu", models["small ViT"], models, samples=64, pictures=4, turns=1, steps=2, compiled=False,
        exact=32, loss=256, dim=32, workers=1,
    )  # fmt: skip


@dataclass
class Bench:
    """Everything that a part needs, and the rows so far."""

    size: Size
    folder: Path
    rows: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.device = choose(self.size.device, 0)
        texts = training.captions(max(self.size.exact, 4_096), seed=5)
        self.captions = tokenise(texts, 77)
        self.tars: list[str] = []

    def add(self, part: str, side: str, size: str, result: str, goal: str = "") -> None:
        self.rows.append(f"| {part} | {side} | {size} | {result} | {goal} |\n")

    def model(self, which: Model, *, compiled: bool) -> Any:
        model = build(which.config, 0).to(self.device)
        attention.look_back(model)
        if "patch_size" not in which.config["vision_cfg"]:
            model = model.to(memory_format=torch.channels_last)
        if compiled:
            start.compile_encoders(model)
        return model

    def batch(self, which: Model, count: int) -> Batch:
        side, numbers = which.config["vision_cfg"]["image_size"], np.arange(count)
        pixels = torch.randint(0, 256, (count, side, side, 3), dtype=torch.uint8)
        tokens, lengths = self.captions.batch(numbers), self.captions.lengths(numbers)
        return Batch(pixels, torch.from_numpy(tokens), torch.from_numpy(lengths)).to(self.device)

    def seconds(self, work: Callable[[], Any]) -> float:
        self.wait()
        started = time.perf_counter()
        work()
        self.wait()
        return time.perf_counter() - started

    def wait(self) -> None:
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def memory(self, work: Callable[[], Any]) -> float:
        """Return the most memory in use during some work, GiB: of the device, or of this process since it began."""
        if self.device.type != "cuda":
            work()
            return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        torch.cuda.reset_peak_memory_stats(self.device)
        work()
        return torch.cuda.max_memory_allocated(self.device) / 2**30

    def written(self) -> list[str]:
        if not self.tars:
            self.tars = training.write_tars(
                self.folder / "tars", self.size.samples, 32 if self.size.turns > 1 else 4, self.size.pictures
            )
        return self.tars

    def data(self, side: int) -> Indexed:
        index = indexed(self.written(), self.folder / "index", context_length=77, workers=self.size.workers)
        loader = Loader(index.images, size=side, side=round(side * 8 / 7), workers=self.size.workers)
        return Indexed(Order((self.size.samples,), self.size.main.batch, 0), loader, index.captions, ALONE)


def trainer(bench: Bench, which: Model, *, compiled: bool, micro: int = 0) -> Trainer:
    settings = Settings(epochs=1, seed=0, precision="auto", micro_batch=micro)
    return Trainer(bench.model(which, compiled=compiled), Contrastive(), PLAN, settings)


def end_to_end(bench: Bench) -> None:
    """From JPEG tars: witbuild, and open_clip_train as it is installed and with its --torchcompile."""
    which = bench.size.main
    side = which.config["vision_cfg"]["image_size"]
    rates: dict[str, list[float]] = {}
    with closing(bench.data(side)) as data:
        ours = trainer(bench, which, compiled=bench.size.compiled)
        works: dict[str, Callable[[], int]] = {"witbuild": lambda: _epoch(ours, data)}
        works["open_clip_train"] = _their_epoch(bench, which, compiled=False)
        if bench.size.compiled:
            works["open_clip_train, compiled"] = _their_epoch(bench, which, compiled=True)
        for work in works.values():
            work()  # compiles, starts workers, fills the page cache
        for _ in range(bench.size.turns):
            for name, work in works.items():
                counted: list[int] = []
                spent = bench.seconds(lambda work=work, counted=counted: counted.append(work()))  # type: ignore[misc]
                rates.setdefault(name, []).append(counted[0] / spent)
    medians = {name: statistics.median(values) for name, values in rates.items()}
    for name, rate in medians.items():
        ratio = medians["witbuild"] / rate
        goal = {"open_clip_train": "3x", "open_clip_train, compiled": "1x"}.get(name, "")
        told = f"{rate:,.0f} samples/s" + (f"; witbuild {ratio:.2f}x" if goal else "")
        bench.add("end to end", name, f"batch {which.batch:,}", told, goal)


def _epoch(ours: Trainer, data: Indexed) -> int:
    ours.step = 0
    ours.run(data)
    return data.steps_per_epoch * data.order.batch_size


def _their_epoch(bench: Bench, which: Model, *, compiled: bool) -> Callable[[], int]:
    """Return an epoch of open_clip_train's own loop, as its main sets it up."""
    from open_clip.loss import ClipLoss
    from open_clip_train.scheduler import cosine_lr
    from open_clip_train.train import train_one_epoch

    workers = str(bench.size.workers if bench.size.turns > 1 else 0)
    precision = "amp_bf16" if bench.device.type == "cuda" else "fp32"
    args = training.their_arguments(
        bench.written(), bench.size.samples, which.batch, workers=workers, precision=precision, device=str(bench.device)
    )
    data = {"train": training.their_data(args, which.config["vision_cfg"]["image_size"])}
    model: Any = build(which.config, 0).to(bench.device)
    model.output_dict = True
    groups = [[p for p in model.parameters() if (p.ndim < 2) == small] for small in (True, False)]
    optimiser = torch.optim.AdamW(
        [{"params": groups[0], "weight_decay": 0.0}, {"params": groups[1], "weight_decay": PLAN.wd}],
        lr=PLAN.lr, betas=(PLAN.beta1, PLAN.beta2), eps=PLAN.eps,
    )  # fmt: skip
    rates = cosine_lr(optimiser, PLAN.lr, PLAN.warmup, data["train"].dataloader.num_batches)
    run = torch.compile(model) if compiled else model

    def epoch() -> int:
        train_one_epoch(run, data, ClipLoss(), 0, optimiser, None, rates, None, args)
        return int(data["train"].dataloader.num_batches) * which.batch

    return epoch


def utilisation(bench: Bench) -> None:
    """MFU of whole steps on batches that lie on the device."""
    best, length = peak(bench.device), bench.captions.mean_length()
    for name, which in bench.size.others.items():
        ours, fed = trainer(bench, which, compiled=bench.size.compiled), Fed(0, bench.batch(which, which.batch), 0.0)
        rate = which.batch / _step_seconds(bench, ours, fed)
        each = pair_flops(ours.model, which.config["vision_cfg"]["image_size"], length)
        told = f"{rate:,.0f} samples/s, {each / 1e9:,.1f} GFLOP each"
        share = f", MFU {rate * each / best:.1%}" if best else ", MFU not known: no peak for this device"
        bench.add("utilisation", name, f"batch {which.batch:,}", told + share, which.goal)
        del ours, fed


def _step_seconds(bench: Bench, ours: Trainer, fed: Fed) -> float:
    for _ in range(3):
        ours._advance(fed, 1_000)
    spent = [bench.seconds(lambda: ours._advance(fed, 1_000)) for _ in range(bench.size.steps)]
    return statistics.median(spent)


def exact(bench: Bench) -> None:
    """One exact step over a large batch by pieces: its memory, and its cost beside plain steps of one piece."""
    which, count = bench.size.main, bench.size.exact
    piece = which.batch // 2
    ours = trainer(bench, which, compiled=bench.size.compiled, micro=piece)
    each = _step_seconds(bench, ours, Fed(0, bench.batch(which, piece), 0.0)) / piece
    fed = Fed(0, bench.batch(which, count), 0.0)
    ours._advance(fed, 1_000)
    spent: list[float] = []
    gibibytes = bench.memory(lambda: spent.append(bench.seconds(lambda: ours._advance(fed, 1_000))))
    ratio = spent[0] / count / each
    bench.add(
        "exact step", "witbuild", f"batch {count:,} in pieces of {piece:,}",
        f"{gibibytes:.1f} GiB, {ratio:.2f}x the plain cost a sample", "90 GiB, 1.4x",
    )  # fmt: skip


def loss_alone(bench: Bench) -> None:
    """The exact loss, forward and backward, on bfloat16 features."""
    count, dim = bench.size.loss, bench.size.dim
    rows = [torch.nn.functional.normalize(torch.randn(count, dim, device=bench.device), dim=-1) for _ in range(2)]
    images, texts = (value.bfloat16().requires_grad_() for value in rows)
    scale = torch.tensor(50.0, device=bench.device, requires_grad=True)

    def work() -> None:
        contrastive_loss(images, texts, scale).backward()

    work()
    spent = bench.seconds(work)
    bench.add("loss alone", "witbuild", f"batch {count:,}", f"{spent:.3f} s, {bench.memory(work):.1f} GiB", "fits")


def data_path(bench: Bench) -> None:
    """Batches from JPEG tars alone, on all cores, none found decoded."""
    from witbuild.train import pixels

    kept, pixels.CACHE_BYTES = pixels.CACHE_BYTES, 0
    try:
        with closing(bench.data(bench.size.main.config["vision_cfg"]["image_size"])) as data:
            data.batch(0)
            steps = range(data.steps_per_epoch)
            spent = bench.seconds(lambda: [data.batch(step) for step in steps])
    finally:
        pixels.CACHE_BYTES = kept
    rate = len(steps) * data.order.batch_size / spent
    bench.add(
        "data path", "witbuild", f"{bench.size.workers} threads", f"{rate:,.0f} samples/s", "20,000 from 16 cores"
    )


PARTS = {"end": end_to_end, "mfu": utilisation, "exact": exact, "loss": loss_alone, "data": data_path}


def main(arguments: list[str] | None = None) -> str:
    """Measure, and return the page that is written."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--toy", action="store_true")
    parser.add_argument("--only", action="append", choices=PARTS)
    parser.add_argument("--out", type=Path, default=ROOT / "docs/benchmarks/gpu.md")
    given = parser.parse_args(arguments)
    if not given.toy and not torch.cuda.is_available():
        parser.error("no CUDA device here; --toy runs every part at toy size on a CPU")
    logging.getLogger().setLevel(logging.WARNING)
    started = time.perf_counter()
    with tempfile.TemporaryDirectory() as folder:
        bench = Bench(toy() if given.toy else full(), Path(folder))
        for name in given.only or PARTS:
            PARTS[name](bench)
    page = "".join(_page(bench, time.perf_counter() - started))
    given.out.write_text(page)
    return page


def _page(bench: Bench, spent: float) -> Iterator[str]:
    name = torch.cuda.get_device_name(bench.device) if bench.device.type == "cuda" else "a CPU, at toy size"
    commit = subprocess.run(
        ["git", "rev-parse", "--short", "HEAD"], cwd=ROOT, capture_output=True, text=True, check=False
    )
    yield f"# gpu\n\n{(__doc__ or '').strip()}\n\n"
    yield f"{datetime.now(tz=UTC):%Y-%m-%d}, commit {commit.stdout.strip() or 'unknown'}, {name}, {cores()} cores, "
    yield f"torch {torch.__version__}, {spent:.0f} s in all, `tests/bench/gpu.sh`\n\n"
    yield HEAD
    yield from bench.rows
    yield f"\n- Captions have {np.diff(bench.captions.ends).mean():.1f} token ids on average.\n"


if __name__ == "__main__":
    print(main())
