"""Two processes on gloo have the loss and the gradients of one with the whole batch, for every objective."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")
pytestmark = [pytest.mark.train, pytest.mark.slow]

from tests.train import small  # noqa: E402
from tests.train.processes import spread  # noqa: E402
from witbuild.train import objectives  # noqa: E402
from witbuild.train.batch import Batch  # noqa: E402
from witbuild.train.model import build  # noqa: E402
from witbuild.train.step import Encoder, Gradients  # noqa: E402
from witbuild.train.world import ALONE, World  # noqa: E402
from witbuild.train.wrap import replicated  # noqa: E402

BATCH = 12


def whole() -> Batch:
    """A batch in which some captions come twice, on different processes."""
    drawn = small.batch(BATCH, seed=3)
    tokens, lengths = drawn.tokens.clone(), drawn.lengths.clone()
    for one, other in ((1, 8), (2, 3)):
        tokens[other], lengths[other] = tokens[one], lengths[one]
    return Batch(drawn.pixels, tokens, lengths)


def done(world: World, name: str) -> tuple[float, dict[str, Any]]:
    """The loss of the whole batch and its gradients, after one step's work of this process."""
    model: Any = build(objectives.configured(small.CONFIG, name, 400), 0).train()
    goal, rows, batch = objectives.OBJECTIVES[name](0.75), world.share(BATCH), whole()
    if name in objectives.PREDICTIVE:  # half of the words are known, and not equally many on both
        words = batch.tokens.unique()[1:]
        model.reader.vocabulary.ids.copy_(torch.cat([torch.arange(-400 + len(words[::2]), 0), words[::2]]))
    encoder = Encoder(model, goal)
    step = Gradients(replicated(encoder, world), goal, world)
    part = Batch(batch.pixels[rows], batch.tokens[rows], batch.lengths[rows])
    loss = float(world.total(step.add(list(part.pieces(4)))))
    return loss, small.gradients(model)


def every(world: World) -> dict[str, Any]:
    return {name: done(world, name) for name in objectives.OBJECTIVES}


def test_two_processes_have_the_gradients_of_one(tmp_path: Path) -> None:
    expected = every(ALONE)
    for found in spread(2, "tests.train.test_train_objectives_spread:every", tmp_path):
        for name, (loss, gradients) in expected.items():
            assert found[name][0] == pytest.approx(loss, rel=1e-5), name
            assert found[name][1].keys() == gradients.keys()
            for key, value in gradients.items():
                torch.testing.assert_close(found[name][1][key], value, atol=1e-5, rtol=1e-3, msg=f"{name} {key}")
