"""Dedup by embeddings against every pair compared, over any parts, slices and workers; no model is needed for it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import pytest

from tests.global_steps import Row, dropped, kept, pair, save_pairs
from witbuild.dedup.vectors import as_bytes, squares, to_column
from witbuild.engine.local import LocalEngine
from witbuild.errors import InputError, RecipeError
from witbuild.io import tables
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.schema import EMBEDDINGS
from witbuild.stages.dedup import Dedup

SIZE = 24
Vectors = npt.NDArray[np.int8]


def pictures(count: int) -> tuple[list[Row], Vectors]:
    """Pairs in a narrow cone of directions: every third is the one before it again, a little changed."""
    random = np.random.default_rng(5)
    features = random.normal(size=(count, SIZE)) + 1.5
    features[2::3] = features[1::3] + 0.1 * random.normal(size=features[1::3].shape)
    rows = [
        pair(f"http://a.test/{i}.jpg", f"picture {'abc'[i % 3]} of many", width=i + 1, height=1) for i in range(count)
    ]
    return rows, as_bytes(features.astype(np.float32))


def reference(rows: list[Row], vectors: Vectors, cosine: float) -> list[str]:
    """Plain NumPy: compare all, join, keep the largest picture of each group."""
    wide, lengths = vectors.astype(np.int64), np.sqrt(squares(vectors).astype(np.float64))
    near = wide @ wide.T >= cosine * np.outer(lengths, lengths) - 1e-6
    root = np.arange(len(rows))
    for i, j in np.argwhere(near):
        root[root == max(root[i], root[j])] = min(root[i], root[j])
    best = [max(np.flatnonzero(root == one), key=lambda row: rows[row]["width"]) for one in np.unique(root)]
    return sorted(rows[row]["key"] for row in best)


def run_on(
    folder: Path, rows: list[Row], vectors: Vectors, *, parts: int = 1, workers: int = 1, **parameters: Any
) -> Run:
    numbers = [list(range(len(rows)))[i::parts] for i in range(parts)]
    pairs = save_pairs(folder / "pairs", [[rows[i] for i in some] for some in numbers])
    (folder / "embeddings").mkdir()
    for part, some in enumerate(numbers):
        known = np.array([i % 10 != 9 for i in some])
        table = tables.from_rows([{"key": rows[i]["key"]} for i in some], EMBEDDINGS)
        table = table.set_column(1, "vector", to_column(vectors[some], known)).cast(EMBEDDINGS)
        tables.write(folder / "embeddings" / f"{part:05d}.parquet", table, dropped={})
    stage = Dedup(scope="image", image_hash="embedding", **parameters)
    inputs = {"pairs": pairs, "embeddings": str(folder / "embeddings")}
    with LocalEngine(workers=workers) as engine:
        return run_recipe(Recipe(stages=(stage,), inputs=inputs), str(folder / "run"), engine)


@pytest.mark.parametrize("cosine", [0.9, 0.97])
def test_the_kept_are_those_of_comparing_all(cosine: float, tmp_path: Path) -> None:
    rows, vectors = pictures(150)
    unseen = [i for i in range(150) if i % 10 == 9]
    seen = [i for i in range(150) if i % 10 != 9]
    run = run_on(tmp_path, rows, vectors, parts=3, slices=2, cosine=cosine)
    expected = reference([rows[i] for i in seen], vectors[seen], cosine)
    assert kept(run) == sorted([*expected, *(rows[i]["key"] for i in unseen)])
    assert 20 < dropped(run)["duplicate_image"] < 60


def test_parts_slices_order_and_workers_change_nothing(tmp_path: Path) -> None:
    rows, vectors = pictures(90)
    rows, vectors = rows[:9], vectors[:9]  # of which one is unseen whatever the order
    vectors[6:] = vectors[:3]
    plain = kept(run_on(tmp_path / "a", rows, vectors))
    assert len(plain) < 9
    assert kept(run_on(tmp_path / "b", rows, vectors, parts=4, slices=3, workers=2)) == plain
    assert kept(run_on(tmp_path / "c", rows[::-1], vectors[::-1].copy(), parts=2, slices=5)) == plain


def test_a_bucket_of_equal_pictures_is_one(tmp_path: Path) -> None:
    rows, vectors = pictures(700)
    vectors[:] = vectors[0]
    vectors[:, 0] = np.arange(700) % 3 + 40
    run = run_on(tmp_path, rows, vectors)
    assert len(kept(run)) == 71  # those without a vector, and one


def test_both_must_agree_when_the_caption_counts(tmp_path: Path) -> None:
    rows, vectors = pictures(60)
    vectors[:] = vectors[0]
    plain = run_on(tmp_path, rows, vectors).root
    stage = Dedup(scope="caption+image", image_hash="embedding")
    inputs = json.loads(json.dumps({"pairs": str(tmp_path / "pairs"), "embeddings": str(tmp_path / "embeddings")}))
    run = run_recipe(Recipe(stages=(stage,), inputs=inputs), str(tmp_path / "both"), LocalEngine(1))
    assert len(kept(Run(plain))) == 7
    assert len(kept(run)) == 6 + 3


def test_embeddings_of_other_pairs_are_refused(tmp_path: Path) -> None:
    rows, vectors = pictures(12)
    run_on(tmp_path, rows, vectors, parts=2)
    save_pairs(tmp_path / "other", [rows[1::2], rows[::2]])
    inputs = {"pairs": str(tmp_path / "other"), "embeddings": str(tmp_path / "embeddings")}
    stage = Dedup(scope="image", image_hash="embedding")
    with pytest.raises(InputError, match="of other pairs; put `embed` directly before `dedup`"):
        run_recipe(Recipe(stages=(stage,), inputs=inputs), str(tmp_path / "again"), LocalEngine(1))
    with pytest.raises(RecipeError, match="reads embeddings, and nothing before it makes"):
        run_recipe(Recipe(stages=(stage,), inputs={"pairs": inputs["pairs"]}), str(tmp_path / "none"), LocalEngine(1))


def test_what_pairs_are_held_against_is_told_by_its_url(tmp_path: Path) -> None:
    rows, vectors = pictures(9)
    plain = run_on(tmp_path, rows, vectors)
    assert kept(plain) == sorted(row["key"] for i, row in enumerate(rows) if i not in {1, 4, 7})
    against = save_pairs(tmp_path / "against", [rows[:2]])
    inputs = {"pairs": str(tmp_path / "pairs"), "embeddings": str(tmp_path / "embeddings"), "against": against}
    stage = Dedup(scope="image", image_hash="embedding")
    run = run_recipe(Recipe(stages=(stage,), inputs=inputs), str(tmp_path / "again"), LocalEngine(1))
    assert dropped(run) == {"against": 3, "duplicate_image": 2}  # 0 and 1 by their URLs, and 2, which is near 1
