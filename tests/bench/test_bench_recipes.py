"""How the published recipes differ: each on the same 10,000 real alt texts, up to where images are needed.

The rows are LAION-400M's, which CLIP and CLD2 chose, so they are cleaner than a page's alt texts and its own rules find
little in them. They have no sizes and no pictures: what the recipes do after `fetch` is not in the table. The words of
Wikipedia are those with 200 occurrences and more, all that the list at hand holds. A pair is counted at the first rule
that it fails.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.bench.conftest import Bench
from witbuild.engine.local import LocalEngine
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe

pytestmark = pytest.mark.bench

WITHOUT = {
    "metaclip-400m": ["filter.caption_source"],
    "align-1.8b": ["filter.caption_source"],
    "laion-400m": ["filter.caption_source"],
    "laion-5b": ["filter.caption_source"],
    "cc12m": ["filter.caption_source"],
    "coyo-700m": ["filter.caption_source", "filter.no_words_of"],
}
"""What a list cannot be asked (its texts are no longer alt), and what needs a list of words that is not at hand."""
NAMES = ("clip-wit", "metaclip-400m", "align-1.8b", "laion-400m", "laion-5b", "datacomp-basic", "cc12m", "coyo-700m")


def text_side(name: str, rows: Path, words: Path) -> Recipe:
    """A recipe over a list, up to its fetch."""
    recipe = Recipe.load(name).without(WITHOUT.get(name, []))
    stages = [stage.name for stage in recipe.stages]
    changes: dict[str, Any] = {
        "harvest.source": "urls", "harvest.preset": "laion", "harvest.inputs": [str(rows)],
        "queries.wikipedia": [], "queries.pageviews": [], "queries.word_counts": [str(words)],
        "filter.word_lists": {"wikipedia": str(words)},
    }  # fmt: skip
    texts = [f"{key}={json.dumps(value)}" for key, value in changes.items() if key.split(".")[0] in stages]
    changed = recipe.with_overrides(texts)
    return Recipe(stages=changed.stages[: stages.index("fetch")], name=name)


@pytest.mark.parametrize("name", NAMES)
def test_the_funnel(bench: Bench, shared: Path, tmp_path: Path, name: str) -> None:
    rows, words = shared / "lists" / "laion_10000.parquet", shared / "wordfreq" / "enwiki_vocab_min200.txt.xz"
    bench.head = "| recipe | step | pairs | dropped, by reason |\n|---|---|---|---|"
    with LocalEngine(workers=1) as engine:
        run = run_recipe(text_side(name, rows, words), str(tmp_path / "run"), engine)
    steps = [manifest for _, manifest in run.manifests() if manifest.output == "pairs"]
    for manifest in steps[1:]:
        reasons = ", ".join(f"{reason} {count:,}" for reason, count in manifest.dropped.items()) or "none"
        step = manifest.identity.name.removesuffix(".drop").removesuffix(".keep")
        bench.rows.append(f"| {name} | {step} | {manifest.rows:,} | {reasons} |")
    assert steps[0].rows == 9_993
