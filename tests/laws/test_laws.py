"""The laws of the design on the whole pipeline: the demo's web in small, run in different ways."""

from __future__ import annotations

import hashlib
import itertools
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from witbuild.io import batches, tables
from witbuild.io.manifest import TIMED
from witbuild.io.run import Run
from witbuild.recipe import Recipe, stage_class, stage_names
from witbuild.runner.identity import parameters
from witbuild.schema import TABLES

SEED, SIZE = 9, 40
MADE = (".parquet", batches.SUFFIX, ".tar")


@pytest.fixture(scope="module")
def plain(recipe: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run that the others are compared with: one worker, as the recipe says."""
    return carry_out(recipe, tmp_path_factory.mktemp("plain") / "run", workers=1)


def carry_out(recipe: Path, out: Path, *, workers: int, changes: tuple[str, ...] = (), **environment: str) -> Path:
    code = "from witbuild.cli import main; main()"
    sets = [word for change in changes for word in ("--set", change)]
    command = [sys.executable, "-c", code, "run", str(recipe), "--out", str(out), "--workers", str(workers), *sets]
    out.parent.mkdir(exist_ok=True)
    done = subprocess.run(
        command, env={**os.environ, **environment}, cwd=out.parent, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return out


def digests(folder: Path, *suffixes: str) -> dict[str, str]:
    files = [path for path in folder.rglob("*") if path.suffix in suffixes and path.parent.name not in TIMED]
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def test_law_1_a_part_is_there_when_its_task_is_done_and_a_manifest_when_the_stage_is_whole(plain: Path) -> None:
    for folder, manifest in Run(str(plain)).manifests():
        indexes = {part.index for part in manifest.parts}
        assert folder.finished(manifest.output) == indexes == set(range(len(manifest.parts)))
        for part in manifest.parts:
            for file in part.files:
                content = (plain / file.path).read_bytes()
                assert (len(content), hashlib.sha256(content).hexdigest()) == (file.bytes, file.sha256)
    assert not list(plain.rglob("*.partial"))
    assert not list(plain.rglob("scratch"))


REQUIRED: dict[str, dict[str, Any]] = {
    "harvest": {"source": "site", "inputs": ["http://a.test/"]},
    "filter": {"rules": [{"min_words": 1}]},
    "score": {"model": "ViT-B-32/openai"},
    "rewrite": {"lower_case": True},
    "frequency": {"max_images_per_caption": 1},
    "decontaminate": {"sets": [__file__]},
    "embed": {"model": "ViT-B-32/openai"},
    "objectives": {"arms": {"clip": {}}},
}


@pytest.mark.parametrize("name", stage_names())
def test_law_2_every_parameter_is_in_the_identity_or_said_not_to_matter(name: str) -> None:
    kind = stage_class(name)
    extras = {field: info.json_schema_extra or {} for field, info in kind.model_fields.items()}
    runtime = {field for field, extra in extras.items() if isinstance(extra, dict) and extra.get("runtime")}
    assert set(parameters(kind(**REQUIRED.get(name, {})))) == set(kind.model_fields) - runtime


@pytest.mark.parametrize(
    "changes",
    [
        ("harvest.shards=5", "fetch.shards=7"),
        ("queries.slices=3", "dedup.slices=5", "balance.slices=1", "shard.slices=3"),
        ("fetch.per_host=1", "fetch.decode_processes=3", "fetch.connections=3"),
    ],
    ids=["parts", "slices", "pace"],
)
def test_law_3_parts_slices_and_pace_do_not_change_the_data_set(
    recipe: Path, plain: Path, tmp_path: Path, changes: tuple[str, ...]
) -> None:
    other = carry_out(recipe, tmp_path / "run", workers=2, changes=changes)
    assert digests(other / "dataset", ".tar", ".json") == digests(plain / "dataset", ".tar", ".json")


def test_law_3_another_seed_does(recipe: Path, plain: Path, tmp_path: Path) -> None:
    other = carry_out(recipe, tmp_path / "run", workers=2, changes=("balance.seed=2", "shard.seed=2"))
    assert digests(other / "dataset", ".tar") != digests(plain / "dataset", ".tar")


def test_law_4_no_row_is_lost_between_stages(plain: Path) -> None:
    manifests = [manifest for _, manifest in Run(str(plain)).manifests()]
    pairs = [manifest for manifest in manifests if manifest.output == "pairs"]
    for before, after in itertools.pairwise(pairs):
        assert before.rows == after.rows + sum(after.dropped.values()), after.identity.name


def test_law_5_workers_and_surroundings_do_not_change_a_byte(recipe: Path, plain: Path, tmp_path: Path) -> None:
    surroundings: Mapping[str, Any] = {"PYTHONHASHSEED": "77", "TZ": "Asia/Kathmandu", "LC_ALL": "C", "LANG": "C"}
    other = carry_out(recipe, tmp_path / "run", workers=2, **surroundings)
    assert digests(other, *MADE) == digests(plain, *MADE)
    assert Run(str(other)).merkle_root() == Run(str(plain)).merkle_root()


def test_law_8_image_bytes_lie_in_the_tars_of_fetch_and_shard_and_nowhere_else(plain: Path) -> None:
    starts = (b"\xff\xd8\xff", b"\x89PNG")
    for path in plain.rglob("*.parquet"):
        table = pq.read_table(path)
        for name in table.column_names:
            if pa.types.is_binary(table.schema.field(name).type):
                assert not any((value or b"").startswith(starts) for value in table[name].to_pylist()), (path, name)
    homes = {path.parent.name for path in plain.rglob("*.tar")}
    assert homes == {"images", "data"}


def test_law_9_a_third_partys_stage_runs_inside_a_recipe(recipe: Path, plain: Path, tmp_path: Path) -> None:
    text = recipe.read_text().replace("- match: {}", "- match: {}\n- tests.laws.third_party:Shout: {mark: '!'}")
    loaded = Recipe.parse(text)
    assert [stage.name for stage in loaded.stages][3] == "shout"
    path = tmp_path / "own.yaml"
    path.write_text(text)
    other = carry_out(path, tmp_path / "run", workers=2, PYTHONPATH=str(Path(__file__).resolve().parents[2]))
    captions = pq.read_table(other / "04-shout/pairs" if (other / "04-shout").exists() else _folder(other, "shout"))
    assert all(caption.endswith("!") for caption in captions["caption"].to_pylist())


def _folder(run: Path, name: str) -> Path:
    return next(path for path in run.iterdir() if path.name.endswith(f"-{name}")) / "pairs"


def test_law_10_tars_are_reproducible_and_indexed(plain: Path) -> None:
    data = plain / "dataset/data"
    sizes = json.loads((data / "sizes.json").read_text())
    assert set(sizes) == {path.name for path in data.glob("*.tar")}
    index = (plain / "dataset/index.json").read_text()
    for path in data.glob("*.tar"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() in index


def test_every_table_on_disk_has_the_schema_of_the_house(plain: Path) -> None:
    for _, manifest in Run(str(plain)).manifests():
        for file in manifest.files(manifest.output):
            schema = tables.read(str(plain / file.path)).schema
            assert schema.remove_metadata().equals(TABLES[manifest.output].remove_metadata())
