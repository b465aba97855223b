"""Two processes on gloo: what they learn is what one learns from the same batches, whichever of them are resumed."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

torch = pytest.importorskip("torch")
pytest.importorskip("open_clip")
pytestmark = pytest.mark.train

from tests.train import small  # noqa: E402
from tests.train.processes import spread  # noqa: E402
from witbuild.errors import RecipeError  # noqa: E402
from witbuild.train.checkpoints import Checkpoints, load  # noqa: E402
from witbuild.train.state import whole_weights  # noqa: E402
from witbuild.train.world import ALONE, World  # noqa: E402

BATCH, STEPS = 24, 8
WAYS: dict[str, dict[str, Any]] = {
    "replicated": {},
    "replicated, by pieces": {"micro_batch": 5, "moving_average": 0.5},
    "spread": {"spread": True, "clip_norm": 0.5},
    "spread, by pieces": {"spread": True, "micro_batch": 5, "moving_average": 0.5},
}
KINDS = [pytest.param("replicated"), pytest.param("spread", marks=pytest.mark.slow)]


def train(world: World, folder: str, **settings: Any) -> Any:
    """Train on drawn data with checkpoints every three steps; return rows and weights."""
    trainer = small.trainer(world, **settings)
    kept = Checkpoints(folder, every_steps=3, keep=9)
    data = small.Drawn(BATCH, world, steps=STEPS)
    if (state := kept.latest()) is not None:
        trainer.restore(state, data)
    trainer.run(data, kept)
    return trainer.rows, whole_weights(trainer.model, trainer.average)


def many(world: World, folder: str, kind: str) -> tuple[Any, dict[str, Any]]:
    """Train all ways of a kind one after another, in one of several processes."""
    ways = {way: settings for way, settings in WAYS.items() if way.startswith(kind)}
    return shares(world), {way: train(world, f"{folder}/{way}", **settings) for way, settings in ways.items()}


def close(found: Any, expected: Any) -> None:
    for row, truth in zip(found[0], expected[0], strict=True):
        assert tuple(row) == pytest.approx(tuple(truth), rel=1e-5, abs=1e-5), row.step
    for name, value in expected[1].items():
        torch.testing.assert_close(found[1][name], value, atol=1e-5, rtol=1e-5, msg=name)


@pytest.mark.parametrize("kind", KINDS)
def test_two_processes_learn_what_one_does_and_one_goes_on_where_two_stood(kind: str, tmp_path: Path) -> None:
    found = spread(2, "tests.train.test_train_processes:many", tmp_path, str(tmp_path), kind)
    passed(*(rank[0] for rank in found))
    ranks = [rank[1] for rank in found]
    for way in ranks[0]:
        settings = WAYS[way] | {"spread": False}
        expected = train(ALONE, str(tmp_path / "alone" / way), **settings)
        for rank in ranks:
            close(rank[way], expected)
        kept = Checkpoints(str(tmp_path / way), 3)
        assert kept.steps() == [3, 6]
        assert load(kept.path(6))["step"] == 6
        close(train(ALONE, kept.folder, **settings), expected)


def refused(world: World) -> str:
    with pytest.raises(RecipeError, match="batch_size 25 is no multiple of 2 processes") as caught:
        world.share(25)
    return str(caught.value)


def shares(world: World) -> Any:
    """What the collectives do: gather with gradients, sums, agreement."""
    rows = torch.tensor([[1.0 + world.rank]], requires_grad=True)
    whole = world.gather(rows)
    (whole * torch.tensor([[3.0], [5.0]])).sum().backward()
    return whole.tolist(), rows.grad.tolist(), world.agreed(world.rank + 7), world.all(world.rank), refused(world)


def passed(first: Any, second: Any) -> None:
    assert first[0] == second[0] == [[1.0], [2.0]]
    # each process's loss sees every row: a row's gradient is the sum of both
    assert (first[1], second[1]) == ([[6.0]], [[10.0]])
    assert first[2] == second[2] == 7
    assert first[3] == second[3] == [0, 1]
