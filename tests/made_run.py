"""A run directory made by the real runner from stages that invent their rows: something for a report to show."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from tests.fetched import WORDS, Fetched, jpeg
from witbuild.engine.local import LocalEngine
from witbuild.io import tables, tars
from witbuild.recipe import Recipe
from witbuild.runner import run_recipe
from witbuild.schema import METRICS, PAIRS, QUERIES, SCORES
from witbuild.stage import Inputs, MapStage, Part, Stage, Task
from witbuild.stages.shard import Shard

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    import pyarrow as pa

    from witbuild.io.run import Run

EVIL = '<script>alert("caption")</script> \u202e <img src=x onerror=alert(1)>'
EVIL_QUERY = "</span><script>alert('query')</script>"
EVIL_URL = "http://a.test/\"><script>alert('url')</script>"


class Listed(Stage):
    """Lists the queries."""

    name: ClassVar[str] = "queries"
    output: ClassVar[str] = "queries"

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        yield Task(0, {})

    def process(self, task: Task) -> Part:
        names = [*WORDS, EVIL_QUERY, *(f"rare {i}" for i in range(300))]
        rows = [{"query_id": i, "query": name, "source": "word", "rank": i} for i, name in enumerate(names)]
        return Part(tables.from_rows(rows, QUERIES))


class Harvested(Stage):
    """Invents pairs with the images of each, in two parts; queries fall off as 1 over their rank."""

    name: ClassVar[str] = "harvest"
    output: ClassVar[str] = "pairs"
    files: ClassVar[Mapping[str, str]] = {"images": ".tar"}

    pairs: int = 400
    """In each part."""

    def plan(self, inputs: Inputs) -> Iterator[Task]:
        yield from (Task(index, {}) for index in range(2))

    def process(self, task: Task) -> Part:
        made = [self._pair(task.index * self.pairs + i) for i in range(self.pairs)]
        path = task.scratch_file("images.tar")
        with path.open("wb") as stream, tars.TarWriter(stream) as tar:
            offsets = [tar.add(f"{i}.jpg", one.image or b"") for i, one in enumerate(made)]
        rows = [one.row(task.index, offset) for one, offset in zip(made, offsets, strict=True)]
        return Part(tables.from_rows(rows, PAIRS), {"no_caption": 31, "too_short": 12}, files={"images": path})

    def _pair(self, number: int) -> Fetched:
        query = int(310 * (number * 0.6180339887 % 1) ** 4)
        caption = EVIL if number == 5 else f"a {WORDS[number % len(WORDS)]} thing, number {number}"
        more = {
            "query_ids": [8] if number == 5 else [query],
            "page_url": EVIL_URL if number == 5 else f"http://p{number}.test/",
        }
        image = b"\xff\xd8\xff broken" if number == 6 else jpeg(number, side=32)
        return Fetched(EVIL_URL if number == 5 else f"http://a.test/{number}.jpg", caption, image, more)


class Balanced(MapStage):
    """Keeps the first pairs of each query and part."""

    name: ClassVar[str] = "balance"
    reads: ClassVar[tuple[str, ...]] = ("pairs",)
    output: ClassVar[str] = "pairs"

    limit: int = 20
    """Pairs a query."""

    def apply(self, table: pa.Table, task: Task) -> Part:
        seen: dict[int, int] = {}
        kept = []
        for (query,) in table["query_ids"].to_pylist():
            seen[query] = seen.get(query, 0) + 1
            kept.append(seen[query] <= self.limit // 2 or query == 8)
        return Part(table.filter(np.array(kept)), {"over_limit": kept.count(False)})


class Learned(Stage):
    """Invents a training curve."""

    name: ClassVar[str] = "train"
    reads: ClassVar[tuple[str, ...]] = ("shards",)
    output: ClassVar[str] = "metrics"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        return [Task(0, inputs)]

    def process(self, task: Task) -> Part:
        rows = [
            {
                "step": i,
                "samples_seen": i * 64,
                "loss": 4.2 * math.exp(-i / 150) + 0.3 + 0.1 * math.sin(i),
                "scale": 14.3,
            }
            | {"learning_rate": 1e-3, "gradient_norm": 1.0}
            for i in range(600)
        ]
        return Part(tables.from_rows(rows, METRICS))


class Measured(Stage):
    """Invents scores."""

    name: ClassVar[str] = "eval"
    reads: ClassVar[tuple[str, ...]] = ("shards",)
    output: ClassVar[str] = "scores"

    def plan(self, inputs: Inputs) -> Iterable[Task]:
        return [Task(0, inputs)]

    def process(self, task: Task) -> Part:
        values = [("accuracy", 0.412), ("accuracy, untrained", 0.021), ("chance", 0.02)]
        values += [(f"{shots}-shot", shots / 20) for shots in (1, 4, 16)]
        row: dict[str, object] = {"task": "held-out <things>", "samples": 480, "group": ""}
        rows = [row | {"metric": metric, "value": value} for metric, value in values]
        rows += [row | {"metric": "accuracy", "value": 0.3, "samples": 40, "group": "hue=<dark>"}]
        return Part(tables.from_rows(rows, SCORES))


def make(root: str, *stages: Stage) -> Run:
    """Run the stages; without any, the whole way from queries to scores."""
    whole = (
        Listed(),
        Harvested(),
        Balanced(),
        Shard(samples_per_shard=150, slices=2, val_fraction=0.1),
        Learned(),
        Measured(),
    )
    with LocalEngine(1) as engine:
        return run_recipe(Recipe(stages=stages or whole), root, engine)
