"""The same list twice: which tars come out equal, byte for byte?

400 pictures from one server on loopback, cut into 4 tars. img2dataset runs twice with the same settings; witbuild runs
once with one worker and once with two. Needs img2dataset in an environment of its own, as its pins are old:
`IMG2DATASET=/path/to/bin/img2dataset make bench ONLY=twice`.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.bench.conftest import Bench, Side
from tests.fetched import jpeg
from tests.server import Reply, Site
from witbuild.engine.local import LocalEngine
from witbuild.recipe import Recipe, make_stage
from witbuild.runner import run_recipe

pytestmark = pytest.mark.bench
PICTURES, IN_A_TAR = 400, 100


def peer(urls: Path, out: Path) -> None:
    """Download the list with img2dataset."""
    flags = {
        "url_list": urls, "input_format": "parquet", "caption_col": "caption", "output_format": "webdataset",
        "output_folder": out, "processes_count": 1, "thread_count": 16, "number_sample_per_shard": IN_A_TAR,
    }  # fmt: skip
    words = [word for name, value in flags.items() for word in (f"--{name}", str(value))]
    subprocess.run([os.environ["IMG2DATASET"], *words], check=True, capture_output=True)


def ours(urls: Path, out: Path, site: Site, workers: int) -> None:
    """Download the list with witbuild."""
    words = urls.with_name("queries.txt")
    words.write_text("picture\n")
    stages: dict[str, dict[str, Any]] = {
        "queries": {"lists": [str(words)], "synsets": False},
        "harvest": {"source": "urls", "inputs": [str(urls)], "url_column": "url", "caption_column": "caption"},
        "match": {},
        "fetch": {
            "shards": 4, "user_agent": "x (+http://a.test/)", "allow_private": True, "per_host": 16,
            "resolve": site.resolve("a.test"),
        },
        "shard": {"samples_per_shard": IN_A_TAR},
    }  # fmt: skip
    recipe = Recipe(stages=tuple(make_stage(name, values) for name, values in stages.items()))
    with LocalEngine(workers) as engine:
        run_recipe(recipe, str(out), engine)


def differing(one: Path, other: Path) -> str:
    digests = [
        {path.name: hashlib.sha256(path.read_bytes()).hexdigest() for path in sorted(folder.glob("*.tar"))}
        for folder in (one, other)
    ]
    assert set(digests[0]) == set(digests[1])
    return f"{sum(digests[0][name] != digests[1][name] for name in digests[0])} of {len(digests[0])} tars differ"


def test_twice(bench: Bench, tmp_path: Path) -> None:
    if "IMG2DATASET" not in os.environ:
        pytest.skip("IMG2DATASET does not say where img2dataset is")
    with Site(
        {f"/{i}.jpg": Reply(jpeg(i, 300), headers={"Content-Type": "image/jpeg"}) for i in range(PICTURES)}
    ) as site:
        lists: dict[str, Path] = {}
        for name, host in {"ours": "a.test", "peer": f"127.0.0.1:{site.port}"}.items():
            lists[name] = tmp_path / f"{name}.parquet"
            urls = [f"http://{host}/{i}.jpg" for i in range(PICTURES)]
            captions = [f"picture number {i}" for i in range(PICTURES)]
            pq.write_table(pa.table({"url": urls, "caption": captions}), lists[name])
        sides = {
            "witbuild, 1 worker": Side(lambda: ours(lists["ours"], tmp_path / "w1", site, 1), PICTURES),
            "img2dataset": Side(lambda: peer(lists["peer"], tmp_path / "i1"), PICTURES),
        }
        bench.compare("list to tars, start-up and test server included", "pictures", sides, rounds=1)
        ours(lists["ours"], tmp_path / "w2", site, 2)
        peer(lists["peer"], tmp_path / "i2")
    data = "dataset/data"
    bench.note(f"witbuild with one worker and with two: {differing(tmp_path / 'w1' / data, tmp_path / 'w2' / data)}")
    bench.note(f"img2dataset twice with one: {differing(tmp_path / 'i1', tmp_path / 'i2')}")
