"""The loss curve of open_clip_train's own loop, step by step: same weights, batches, schedule and optimiser."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

torch = pytest.importorskip("torch")
open_clip_loss = pytest.importorskip("open_clip.loss")
theirs = pytest.importorskip("open_clip_train.train")
scheduler = pytest.importorskip("open_clip_train.scheduler")
pytestmark = pytest.mark.train

from tests.train import small  # noqa: E402
from witbuild.train import attention  # noqa: E402
from witbuild.train.loop import Settings, Trainer  # noqa: E402
from witbuild.train.model import normalised  # noqa: E402
from witbuild.train.schedule import Optimisation, decays  # noqa: E402
from witbuild.train.step import Contrastive  # noqa: E402

torch.set_num_threads(1)
BATCH, STEPS = 24, 16
PLAN = Optimisation(lr=3e-3, wd=0.2, beta1=0.9, beta2=0.98, eps=1e-6, warmup=5)


class Recorded(open_clip_loss.ClipLoss):  # type: ignore[name-defined]
    """Their loss, with a list of its values."""

    def __init__(self) -> None:
        super().__init__()
        self.values: list[float] = []

    def forward(self, *features: Any, **options: Any) -> Any:
        found = super().forward(*features, **options)
        self.values.append(sum(found.values()).item())
        return found


class Loader(list[Any]):
    num_batches, num_samples = STEPS, STEPS * BATCH


def their_curve(data: small.Drawn) -> list[float]:
    model: Any = small.model()
    model.output_dict = True
    batches = [data.batch(step) for step in range(STEPS)]
    padded = [torch.nn.functional.pad(b.tokens, (0, 20 - b.tokens.shape[1])) for b in batches]
    loader = Loader(zip([normalised(batch.pixels) for batch in batches], padded, strict=True))
    named = list(model.named_parameters())
    groups = [
        {"params": [p for n, p in named if decays(n, p.ndim) == decayed], "weight_decay": PLAN.wd if decayed else 0.0}
        for decayed in (False, True)
    ]
    optimiser = torch.optim.AdamW(groups, lr=PLAN.lr, betas=(PLAN.beta1, PLAN.beta2), eps=PLAN.eps)
    args = SimpleNamespace(
        device="cpu", precision="fp32", distill=False, accum_freq=1, skip_scheduler=False, grad_clip_norm=None,
        horovod=False, rank=0, log_every_n_steps=10, batch_size=BATCH, world_size=1, wandb=False,
    )  # fmt: skip
    rates, loss = scheduler.cosine_lr(optimiser, PLAN.lr, PLAN.warmup, STEPS), Recorded()
    fed = {"train": SimpleNamespace(dataloader=loader, set_epoch=lambda _: None)}
    theirs.train_one_epoch(model, fed, loss, 0, optimiser, None, rates, None, args)
    return loss.values


def our_curve(data: small.Drawn, micro: int, seed: int = 0) -> list[float]:
    model = small.model(seed)
    attention.look_back(model)
    trainer = Trainer(model, Contrastive(), PLAN, Settings(epochs=1, seed=0, precision="fp32", micro_batch=micro))
    trainer.run(data)
    return [row.loss for row in trainer.rows]


@pytest.mark.parametrize("micro", [0, 9], ids=["whole", "by pieces"])
def test_the_curve_is_open_clips(micro: int) -> None:
    data = small.Drawn(BATCH, steps=STEPS)
    expected, found = their_curve(data), our_curve(data, micro)
    assert len(found) == STEPS
    assert found[:6] == pytest.approx(expected[:6], abs=1e-4)
    assert found == pytest.approx(expected, abs=5e-3)  # rounding grows from step to step


def test_other_weights_have_another_curve() -> None:
    data = small.Drawn(BATCH, steps=STEPS)
    one, other = our_curve(data, 0), our_curve(data, 0, seed=1)
    assert max(abs(a - b) for a, b in zip(one, other, strict=True)) > 0.1
