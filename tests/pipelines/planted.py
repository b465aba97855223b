"""A small web with a pair planted for every rule of a recipe, and a model that scores each pair as it was told to.

cases = [Case("a red dog on the grass", why="kept"), Case("dog", why="min_words"), ...]
ran = play("datacomp-basic", cases, tmp_path)
assert ran.dropped == expected(cases)
"""

from __future__ import annotations

import io
import json
from collections import Counter
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import numpy as np
from PIL import Image

from tests.server import Reply, Site
from tests.warcs import packed, record
from witbuild.engine.local import LocalEngine
from witbuild.io import tars
from witbuild.io.manifest import total
from witbuild.io.run import Run
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe

GOOD = [
    "the red dog on the green grass of a garden",
    "a small boat near the old harbour at night",
    "an empty street with two blue cars in the rain",
]
"""Captions that no rule of any recipe drops."""
KEPT = ""
AGENT = "witbuild-test/0 (+http://contact.test/)"


@lru_cache(maxsize=256)
def picture(number: int, width: int = 420, height: int = 420, kind: str = "JPEG") -> bytes:
    """Noise, other for every number, coarse enough that shrinking leaves it other."""
    blocks = np.random.default_rng(number).integers(0, 256, (14, 14, 3), np.uint8)
    grain = np.random.default_rng(1).integers(0, 9, (height, width, 3), np.uint8)
    image = Image.fromarray(blocks).resize((width, height), Image.Resampling.NEAREST)
    stream = io.BytesIO()
    Image.fromarray(np.asarray(image) // 2 + grain).save(stream, kind)
    return stream.getvalue()


@dataclass(frozen=True)
class Case:
    """A pair of the web and the reason for which it is to be dropped."""

    caption: str
    why: str = KEPT
    url: str = ""
    """Of the image; by default of its own."""
    image: bytes | None = None
    """By default one of its own."""
    attribute: str = "alt"
    clip: float | None = None
    """Cosine that the model is to give the pair."""
    heads: dict[str, float] = field(default_factory=dict)
    """Score -> what its head is to give the image."""
    row: dict[str, Any] = field(default_factory=dict)
    """Columns that a list has for it."""


@dataclass(frozen=True)
class Ran:
    """What a run kept and why it dropped the others."""

    captions: list[str]
    dropped: Counter[str]
    run: Run


def numbered(cases: list[Case]) -> list[tuple[str, bytes, Case]]:
    """Return URL and image of each case."""
    urls = [case.url or f"http://a.test/{number}.jpg" for number, case in enumerate(cases)]
    return [
        (url, case.image or picture(number), case) for number, (url, case) in enumerate(zip(urls, cases, strict=True))
    ]


def wat(cases: list[Case]) -> bytes:
    """A WAT file of one page that has them all."""
    links = [{"path": "IMG@/src", "url": url, case.attribute: case.caption} for url, _, case in numbered(cases)]
    answer = {"Response-Message": {"Status": "200"}, "HTML-Metadata": {"Links": links}}
    header = {"WARC-Type": "response", "WARC-Target-URI": "http://p.test/"}
    told = {
        "Container": {"Filename": "x.warc.gz", "Offset": "0", "Gzip-Metadata": {"Deflate-Length": "9"}},
        "Envelope": {"WARC-Header-Metadata": header, "Payload-Metadata": {"HTTP-Response-Metadata": answer}},
    }
    return packed(record(json.dumps(told).encode(), "http://p.test/", "metadata"))


def listed(cases: list[Case]) -> bytes:
    """A list in JSON lines."""
    rows = [{"url": url, "text": case.caption, "title": case.caption, **case.row} for url, _, case in numbered(cases)]
    return "".join(json.dumps(row) + "\n" for row in rows).encode()


def play(name: str, cases: list[Case], folder: Path, changes: dict[str, Any] | None = None) -> Ran:
    """Run a recipe that ships on the cases, its inputs and nothing else overridden unless asked."""
    recipe = Recipe.load(name)
    source = next(stage for stage in recipe.stages if stage.name == "harvest").source  # type: ignore[attr-defined]
    path = folder / ("in.wat.gz" if source == "wat" else "in.jsonl")
    path.write_bytes(wat(cases) if source == "wat" else listed(cases))
    pages = {url: Reply(image) for url, image, _ in numbered(cases)}
    return carry_out(recipe, folder, pages, {"harvest.inputs": [str(path)], **(changes or {})})


def carry_out(recipe: Recipe, folder: Path, pages: dict[str, Reply], changes: dict[str, Any]) -> Ran:
    """Run a recipe over a web of images."""
    hosts = {parts.netloc for url in pages if (parts := urlsplit(url)).hostname}
    names = [stage.name for stage in recipe.stages]
    with Site(pages) as site:
        given = {
            "fetch.user_agent": AGENT, "fetch.allow_private": True, "fetch.shards": 1, "fetch.retries": 0,
            "fetch.per_host": 8, "fetch.timeout_seconds": 60, "fetch.resolve": site.resolve(*hosts),
            "dedup.slices": 1, "frequency.slices": 1, "shard.slices": 1, "balance.slices": 1, "queries.slices": 1,
            **changes,
        }  # fmt: skip
        texts = [f"{key}={json.dumps(value)}" for key, value in given.items() if key.split(".")[0] in names]
        with LocalEngine(workers=1) as engine:
            run = run_recipe(recipe.with_overrides(texts), str(folder / "run"), engine)
    return Ran(sorted(_captions(run)), Counter(_drops(run)), run)


def _drops(run: Run) -> dict[str, int]:
    """Rows dropped in the steps that write pairs, by reason; a list's own steps drop words, not pairs."""
    steps = [manifest for _, manifest in run.manifests() if manifest.output in ("pairs", "samples")]
    return total(manifest.dropped for manifest in steps)


def _captions(run: Run) -> list[str]:
    """The captions in the tars."""
    found = []
    for path in run.paths(run.newest("tars")[1], "tars"):
        samples = tars.index(path)
        found += [tars.read(path, sample.members["txt"]).decode() for sample in samples]
    return found


def expected(cases: list[Case]) -> Counter[str]:
    """Reason -> cases."""
    return Counter(case.why for case in cases if case.why)


def survivors(cases: list[Case]) -> list[str]:
    return sorted(case.caption for case in cases if not case.why)


def check(ran: Ran, cases: list[Case]) -> None:
    assert ran.dropped == expected(cases)
    assert ran.captions == survivors(cases)
