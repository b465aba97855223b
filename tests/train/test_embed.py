"""The stage `embed` against open_clip's own interface, and dedup by what a model sees."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from tests.fetched import Fetched, save, some
from tests.train.test_score import SMALL, reference, write_model
from witbuild.dedup.vectors import from_column
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.stages.dedup import Dedup
from witbuild.train.scoring.embed import Embed

pytestmark = pytest.mark.train
pytest.importorskip("torch")


@pytest.fixture(scope="module")
def small(tmp_path_factory: pytest.TempPathFactory) -> str:
    return write_model(tmp_path_factory.mktemp("models") / "small", SMALL)


def embedded(place: Path, parts: list[list[Fetched]], *then: Dedup, workers: int = 1, **parameters: Any) -> Run:
    inputs = save(place / "in", parts)
    with LocalEngine(workers=workers) as engine:
        return run_recipe(Recipe(stages=(Embed(**parameters), *then), inputs=inputs), str(place / "run"), engine)


def vectors(run: Run) -> dict[str, bytes | None]:
    found = tables.read_all(run.paths(run.newest("embeddings")[1], "embeddings"))
    return dict(zip(found["key"].to_pylist(), found["vector"].to_pylist(), strict=True))


def test_vectors_point_where_open_clips_do(small: str, tmp_path: Path) -> None:
    pairs = some(7, side=40)
    images, _ = reference(small, pairs)
    run = embedded(tmp_path, [pairs[:4], pairs[4:]], folder=small)
    found = vectors(run)
    rows = np.stack([np.frombuffer(found[one.key] or b"", np.int8) for one in pairs]).astype(np.float64)
    cosines = (rows * images.numpy()).sum(axis=1) / np.linalg.norm(rows, axis=1)
    assert (cosines > 0.999).all()
    assert len(set(found.values())) == 7


def test_parts_order_and_workers_change_no_bit_and_what_is_no_image_has_no_vector(small: str, tmp_path: Path) -> None:
    pairs = [*some(19, side=36), Fetched("http://a.test/none.jpg", "none", None)]
    pairs.append(Fetched("http://a.test/broken.jpg", "broken", (pairs[0].image or b"")[:300]))
    one = vectors(embedded(tmp_path / "a", [pairs], folder=small, batch_size=8))
    other = embedded(tmp_path / "b", [pairs[:2:-1], pairs[:3]], workers=2, folder=small, batch_size=8)
    assert vectors(other) == one
    assert one[pairs[19].key] is None
    assert sum(vector is None for vector in one.values()) <= 2


def test_copies_are_found_and_the_largest_stays(small: str, tmp_path: Path) -> None:
    """A picture, itself at half the quality and as large again, and others."""
    from PIL import Image

    def picture(number: int, side: int, quality: int) -> bytes:
        ramp = np.random.default_rng(number).integers(0, 256, (4, 4, 3), np.uint8)
        stream = io.BytesIO()
        Image.fromarray(ramp).resize((side, side), Image.Resampling.BICUBIC).save(stream, "JPEG", quality=quality)
        return stream.getvalue()

    pairs = [
        Fetched(
            f"http://{side}.test/{number}.jpg", f"picture {number}", picture(number, side, quality), {"width": side}
        )
        for number in range(8)
        for side, quality in ((64, 95), (128, 70))
    ]
    dedup = Dedup(scope="image", image_hash="embedding", cosine=0.999)
    run = embedded(tmp_path, [pairs[:5], pairs[5:]], dedup, folder=small)
    found = tables.read_all(run.paths(run.newest("pairs")[1], "pairs"))
    known, _ = from_column(tables.read_all(run.paths(run.newest("embeddings")[1], "embeddings"))["vector"])
    assert known.shape == (16, 16)
    assert sorted(found["url"].to_pylist()) == [f"http://128.test/{number}.jpg" for number in range(8)]


def test_a_folder_without_a_model_is_told_before_any_work(small: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    with pytest.raises(InputError, match="expected a model of open_clip's form"):
        embedded(tmp_path, [some(1)], folder=str(tmp_path / "empty"))
